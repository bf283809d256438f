"""Images and figures as HTML with alt text, and as outputs of a notebook."""

import base64
import html
import io

from matplotlib.figure import Figure
from PIL import Image

from tutorial_lib.figures.grids import make_grid
from tutorial_lib.images import ImageLike, Images, as_image, as_images

JPEG_QUALITY = 82  # of 100
SHOWN_MODES = ("RGB", "RGBA", "P", "L")  # a browser shows these as they are


def image_to_data_uri(image: Image.Image, format: str = "PNG") -> str:
    """Return a picture as a data URI; `format` is "PNG" or "JPEG"."""
    buffer = io.BytesIO()
    if format == "JPEG":
        image.save(
            buffer,
            format=format,
            quality=JPEG_QUALITY,
            optimize=True,
            progressive=True,
        )
    else:
        image.save(buffer, format=format, optimize=True)
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{format.lower()};base64,{code}"


def image_to_html(
    image: ImageLike, alt: str, caption: str = "", format: str = "PNG"
) -> str:
    """Return one picture as HTML, with alt text and caption."""
    if not isinstance(image, Image.Image) or image.mode not in SHOWN_MODES:
        image = as_image(image)
    return (
        f'<figure style="margin:0"><img style="max-width:100%" '
        f'width="{image.width}" '
        f'src="{image_to_data_uri(image, format=format)}" '
        f'alt="{html.escape(alt)}">'
        f"{_caption_to_html(caption)}</figure>"
    )


def _caption_to_html(caption: str) -> str:
    """Return the line below a picture as HTML."""
    if not caption:
        return ""
    style = "font-size:90%;opacity:.8;margin-top:4px"
    return f'<figcaption style="{style}">{html.escape(caption)}</figcaption>'


def rasterize_figure(
    figure: Figure, dpi: int = 144, transparent: bool = False
) -> Image.Image:
    """Return a matplotlib figure as a picture, on white or transparent."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, transparent=True)
    buffer.seek(0)
    image = Image.open(buffer)
    if transparent:
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


# --- in a notebook ---------------------------------------------------------


def show_image(
    image: ImageLike, alt: str, caption: str = "", format: str = "PNG"
) -> None:
    """Display one picture in a notebook, with alt text and caption."""
    from IPython.display import HTML, display  # a report needs no notebook

    display(HTML(image_to_html(image, alt, caption, format)))


def show_grid(
    images: Images,
    caption: str = "",
    columns: int | None = None,
    alt: str | None = None,
    side: int = 128,
) -> None:
    """Display pictures in a grid, small ones enlarged, with a caption.

    The alt text is the caption unless another is given. Taught in
    notebooks/00_start_here.ipynb.
    """
    images = as_images(images)
    text = alt or caption or "pictures"
    count = "1 picture" if len(images) == 1 else f"{len(images)} pictures"
    show_image(
        make_grid(images, columns=columns, side=side),
        alt=f"{text} ({count})",
        caption=caption,
        format="JPEG",
    )


def show_figure(
    figure: Figure, alt: str, caption: str = "", colors: int = 256
) -> None:
    """Display a matplotlib figure in a notebook, with alt text.

    It is on white, since a saved page cannot know the reader's theme. Few
    `colors` keep the page small: 16 are enough for lines and text, 64 for a
    figure with pictures in it.
    """
    image = rasterize_figure(figure, dpi=110).quantize(colors)
    show_image(image, alt=alt, caption=caption)
