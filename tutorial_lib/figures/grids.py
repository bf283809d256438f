"""Grids and film strips: several images laid out as one."""

import io

from matplotlib.figure import Figure
from PIL import Image

from tutorial_lib.errors import ImageError
from tutorial_lib.images import (
    ImageLike,
    Images,
    as_image,
    as_images,
    check_size,
)

GRID_GAP = 4  # pixels between the images of a grid or a strip
LABEL_HEIGHT = 24  # pixels below a frame of a strip, for its label
MAX_COLUMNS = 6  # so many pictures of 128 pixels fit a page unscaled


def resize_to_square(image: ImageLike, side: int) -> Image.Image:
    """Return the picture as a square RGB of `side` pixels (Lanczos)."""
    image = as_image(image)
    if image.size == (side, side):
        return image
    return image.resize((side, side), Image.Resampling.LANCZOS)


def count_columns(num: int) -> int:
    """Return how many columns spread pictures evenly over rows of six.

    There is at least one, also for no pictures.
    """
    rows = max(1, -(-num // MAX_COLUMNS))
    return max(1, -(-num // rows))


def make_grid(
    images: Images,
    columns: int | None = None,
    side: int = 128,
) -> Image.Image:
    """Lay pictures out in rows on white, each `side` pixels wide.

    Without `columns`, they are spread evenly over rows of at most six.
    Raises ImageError for an empty list.
    """
    images = as_images(images, allow_empty=True)
    if not images:
        raise ImageError("There are no pictures to show.")
    side, num = check_size(side, "side"), len(images)
    if columns is not None:
        columns = check_size(columns, "columns")
    columns = min(columns or count_columns(num), num)
    rows = -(-num // columns)
    step = side + GRID_GAP
    size = (columns * step - GRID_GAP, rows * step - GRID_GAP)
    grid = Image.new("RGB", size, "white")
    for i, image in enumerate(images):
        place = (i % columns * step, i // columns * step)
        grid.paste(resize_to_square(image, side), place)
    return grid


def film_strip(
    images: Images,
    labels: list[str],
    side: int = 128,
    columns: int | None = None,
) -> Image.Image:
    """Lay the frames of a film in rows, each with its label below.

    Without `columns` there is one row, however long. The labels are part of
    the picture, black on white. Raises ImageError unless there is one label
    for each picture, and for none.
    """
    images = as_images(images, allow_empty=True)
    if len(images) != len(labels):
        raise ImageError(
            f"{len(images)} pictures cannot carry {len(labels)} labels."
        )
    num = max(1, len(images))
    columns = num if columns is None else check_size(columns, "columns")
    columns = min(columns, num)
    rows = [
        draw_film_row(images[i : i + columns], labels[i : i + columns], side)
        for i in range(0, num, columns)
    ]
    width, height = rows[0].size
    strip = Image.new("RGB", (width, height * len(rows)), "white")
    for i, row in enumerate(rows):
        strip.paste(row, (0, i * height))
    return strip


def draw_film_row(
    images: list[Image.Image], labels: list[str], side: int
) -> Image.Image:
    """Lay some frames in one row, each with its label below."""
    frames = make_grid(images, columns=max(1, len(labels)), side=side)
    height = frames.height + LABEL_HEIGHT
    figure = Figure(figsize=(frames.width / 100, height / 100))
    top = (LABEL_HEIGHT - GRID_GAP) / height  # nearer to its own frame
    for i, label in enumerate(labels):
        middle = (i * (side + GRID_GAP) + side / 2) / frames.width
        figure.text(middle, top, label, ha="center", va="top", fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    buffer.seek(0)
    row = Image.open(buffer).convert("RGB")
    row.paste(frames)  # by matplotlib they would be resampled
    return row
