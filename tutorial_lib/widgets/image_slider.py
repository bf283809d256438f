"""A slider through pictures that were made before it is shown.

It is a film strip in one picture, in rows that fit the page, and a few lines
of JavaScript that show one frame of it, enlarged if it is small, above a
slider. It needs no kernel and no ipywidgets. Where scripts do not run
(GitHub, a notebook not yet trusted, paper) the strip with its labels is still
there, and nothing is missing.
"""

import html
import json

from IPython.display import HTML, display
from PIL import Image

from tutorial_lib.errors import ImageError
from tutorial_lib.figures import (
    GRID_GAP,
    LABEL_HEIGHT,
    count_columns,
    film_strip,
    image_to_data_uri,
)

LARGE = 256  # pixels that a frame above the slider has, if need be enlarged

# Runs once, as the strip's onload; all it shows is cut out of the strip.
SCRIPT = """
this.onload = null;
const settings = JSON.parse(this.dataset.slider), strip = this;
const make = (kind, style, parent) => {
  const node = document.createElement(kind);
  node.style.cssText = style;
  parent.append(node);
  return node;
};
const box = make('div', 'margin-bottom:8px', strip.parentNode);
const side = settings.side * settings.zoom;
const frame = make('div', `width:${side}px;height:${side}px;` +
  `background-size:${strip.naturalWidth * settings.zoom}px auto`, box);
frame.style.backgroundImage = `url(${strip.src})`;
const slider = make('input', `width:${side}px;margin:6px 0`, box);
const text = make('div', 'font-size:90%', box);
const show = () => {
  const label = settings.labels[slider.value];
  const column = slider.value % settings.columns;
  const row = Math.floor(slider.value / settings.columns);
  const left = column * settings.column_step * settings.zoom;
  const top = row * settings.row_step * settings.zoom;
  frame.style.backgroundPosition = `-${left}px -${top}px`;
  text.textContent = label;
  slider.setAttribute('aria-valuetext', label);
};
slider.type = 'range';
slider.min = 0;
slider.max = settings.labels.length - 1;
slider.value = settings.start;
slider.oninput = show;
slider.setAttribute('aria-label', strip.alt);
strip.before(box);  // above the strip
show();
"""


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
    slider = make_slider(
        images, labels, alt=alt, caption=caption, start=start, side=side
    )
    display(HTML(slider))


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
    below; more than six are spread evenly over rows. The slider begins at
    frame number `start`. `alt` says in words what the strip shows. Raises
    ImageError if pictures and labels differ in number, if there are none, or
    if there is no frame `start`.
    """
    columns = count_columns(len(images))
    strip = film_strip(images, labels, side=side, columns=columns)
    if not 0 <= start < len(images):
        raise ImageError(
            f"There is no frame {start} among {len(images)} pictures."
        )
    settings = {
        "labels": labels,
        "start": start,
        "side": side,
        "columns": columns,
        "column_step": side + GRID_GAP,
        "row_step": side + LABEL_HEIGHT,
        "zoom": max(1, LARGE // side),
    }
    return (
        f'<figure style="margin:0"><img style="max-width:100%" '
        f'width="{strip.width}" alt="{html.escape(alt)}" '
        f'src="{image_to_data_uri(strip, format="JPEG")}" '
        f'data-slider="{html.escape(json.dumps(settings))}" '
        f'onload="{html.escape(SCRIPT.strip())}">'
        f'<figcaption style="font-size:90%;opacity:.8;margin-top:4px">'
        f"{html.escape(caption)}</figcaption></figure>"
    )
