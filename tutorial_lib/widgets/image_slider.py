"""A slider through pictures that were made before it is shown.

It is a film strip in one picture, and a few lines of JavaScript that show
one frame of it, large, above a slider. It asks for no kernel and no
ipywidgets. Where scripts do not run (GitHub, a notebook not yet trusted,
paper) the strip with its labels is still there, and nothing is missing.
"""

import html
import json

from PIL import Image

from tutorial_lib.figures import encode_image, film_strip

GAP = 4  # pixels between the frames of a film strip
ZOOM = 2.0  # the frame above the slider, against one of the strip

# Runs once, as the strip's onload; all it shows is cut out of the strip.
SCRIPT = """
this.onload = null;
const told = JSON.parse(this.dataset.slider), strip = this;
const make = (kind, style, parent) => {
  const node = document.createElement(kind);
  node.style.cssText = style;
  parent.append(node);
  return node;
};
const box = make('div', 'margin-bottom:8px', strip.parentNode);
const side = told.side * told.zoom;
const frame = make('div', `width:${side}px;height:${side}px;` +
  `background-size:${strip.naturalWidth * told.zoom}px auto`, box);
frame.style.backgroundImage = `url(${strip.src})`;
const slider = make('input', `width:${side}px;margin:6px 0`, box);
const text = make('div', 'font-size:90%', box);
const show = () => {
  const label = told.labels[slider.value];
  const left = slider.value * told.step * told.zoom;
  frame.style.backgroundPosition = `-${left}px 0`;
  text.textContent = label;
  slider.setAttribute('aria-valuetext', label);
};
slider.type = 'range';
slider.min = 0;
slider.max = told.labels.length - 1;
slider.value = told.start;
slider.oninput = show;
slider.setAttribute('aria-label', strip.alt);
strip.before(box);  // above the strip
show();
"""


def make_slider(
    images: list[Image.Image],
    labels: list[str],
    alt: str,
    caption: str = "",
    start: int = 0,
    side: int = 128,
) -> str:
    """Make a slider through pictures, as HTML.

    Each picture becomes a square frame of `side` pixels, with its label
    below; the slider begins at frame number `start`. `alt` says in words
    what the strip shows. Raises ValueError if pictures and labels differ
    in number, if there are none, or if there is no frame `start`.
    """
    strip = film_strip(images, labels, side=side)
    if not 0 <= start < len(images):
        raise ValueError(
            f"There is no frame {start} among {len(images)} pictures."
        )
    told = json.dumps({
        "labels": labels, "start": start, "side": side, "step": side + GAP,
        "zoom": ZOOM,
    })  # fmt: skip
    return (
        f'<figure style="margin:0"><img style="max-width:100%" '
        f'width="{strip.width}" alt="{html.escape(alt)}" '
        f'src="{encode_image(strip, format="JPEG")}" '
        f'data-slider="{html.escape(told)}" '
        f'onload="{html.escape(SCRIPT.strip())}">'
        f'<figcaption style="font-size:90%;opacity:.8;margin-top:4px">'
        f"{html.escape(caption)}</figcaption></figure>"
    )


def show_slider(
    images: list[Image.Image],
    labels: list[str],
    alt: str,
    caption: str = "",
    start: int = 0,
    side: int = 128,
) -> None:
    """Display a slider through pictures; see `make_slider`.

    Taught in notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    from IPython.display import HTML, display  # the rest needs no notebook

    page = make_slider(
        images, labels, alt=alt, caption=caption, start=start, side=side
    )
    display(HTML(page))
