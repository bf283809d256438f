"""Images and figures as HTML with alt text, and how a notebook displays them."""

import base64
import html
import io

from matplotlib.figure import Figure
from PIL import Image

from tutorial_lib.figures.grids import make_grid


def encode_image(image: Image.Image, format: str = "PNG") -> str:
    """Return a picture as a data URI; `format` is "PNG" or "JPEG"."""
    buffer = io.BytesIO()
    options = {"quality": 90} if format == "JPEG" else {"optimize": True}
    image.save(buffer, format=format, **options)
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{format.lower()};base64,{code}"


def rasterize_figure(figure: Figure, dpi: int = 144) -> Image.Image:
    """Return a matplotlib figure as a picture with a clear background."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, transparent=True)
    buffer.seek(0)
    return Image.open(buffer)


def flatten(image: Image.Image) -> Image.Image:
    """Lay a picture with a clear background on white."""
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


# --- in a notebook ---------------------------------------------------------


def _caption(text: str) -> str:
    """Return the line below a picture as HTML."""
    if not text:
        return ""
    style = "font-size:90%;opacity:.8;margin-top:4px"
    return f'<figcaption style="{style}">{html.escape(text)}</figcaption>'


def write_image(
    image: Image.Image, alt: str, caption: str = "", format: str = "PNG"
) -> str:
    """Return one picture as HTML, with alt text and caption."""
    return (
        f'<figure style="margin:0"><img style="max-width:100%" '
        f'width="{image.width}" '
        f'src="{encode_image(image, format=format)}" '
        f'alt="{html.escape(alt, quote=True)}">'
        f"{_caption(caption)}</figure>"
    )


def show_image(
    image: Image.Image, alt: str, caption: str = "", format: str = "PNG"
) -> None:
    """Display one picture in a notebook, with alt text and caption."""
    from IPython.display import HTML, display  # a report needs no notebook

    display(HTML(write_image(image, alt, caption, format)))


def show_grid(
    images: list[Image.Image],
    caption: str = "",
    columns: int | None = None,
    alt: str | None = None,
    side: int = 128,
) -> None:
    """Display pictures in a grid, small ones enlarged, with a caption.

    The alt text is the caption unless another is given. Taught in
    notebooks/00_start_here.ipynb.
    """
    words = alt or caption or "pictures"
    show_image(
        make_grid(images, columns=columns, side=side),
        alt=f"{words} ({len(images)} pictures)",
        caption=caption,
        format="JPEG",
    )


def show_figure(figure: Figure, alt: str, caption: str = "") -> None:
    """Display a matplotlib figure in a notebook, with alt text.

    On white, since a saved page cannot know the reader's theme, and with
    256 colours, which keeps the page small.
    """
    image = flatten(rasterize_figure(figure, dpi=110)).quantize(256)
    show_image(image, alt=alt, caption=caption)
