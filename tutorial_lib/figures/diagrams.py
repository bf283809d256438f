"""The diagram of the similarity method, on a sheet of 10 x 6 units."""

from matplotlib.figure import Figure
from PIL import Image

from tutorial_lib.figures.grids import make_grid
from tutorial_lib.figures.plots import start_figure
from tutorial_lib.figures.sheet import add_arrow, add_box, add_note

SHEET_X, SHEET_Y = (-0.1, 10.1), (-0.1, 6.1)  # units, with a small margin

# Where the arrows of the similarity method begin and end.
SIMILARITY_ARROWS = (
    ((2.7, 5.1), (3.5, 5.1)),
    ((5.8, 5.1), (6.6, 5.1)),
    ((2.4, 0.9), (3.5, 0.9)),
    ((5.8, 0.9), (6.6, 0.9)),
    ((8.1, 5.1), (8.95, 3.5)),
    ((8.1, 0.9), (8.95, 2.5)),
    ((1.35, 3.5), (1.35, 4.6)),
)


def sketch_similarity_method(
    sentence: str,
    images: list[Image.Image],
    num_images: int,
    width: int,
    theme: str = "light",
) -> Figure:
    """Sketch the article's steps 1 to 3: from a text to CLIP, and back to X.

    `sentence` is the provisional text, `images` four examples of the
    `num_images`, `width` the number of entries of X's vector.
    """
    figure, (axis,) = start_figure(columns=1, theme=theme)
    axis.set_axis_off()
    add_box(axis, (0, 4.6, 2.7, 1), f"“{sentence}”", theme)
    add_box(axis, (3.5, 4.6, 2.3, 1), "CLIP for texts\n(frozen)", theme)
    add_box(axis, (3.5, 0.4, 2.3, 1), "CLIP for pictures\n(frozen)", theme)
    add_box(axis, (6.6, 4.6, 1.5, 1), "a vector", theme)
    add_box(axis, (6.6, 0.4, 1.5, 1), f"{num_images}\nvectors", theme)
    add_box(axis, (7.9, 2.5, 2.1, 1), "cosine\nsimilarity", theme)
    add_box(axis, (0, 2.5, 2.7, 1), f"X: {width} numbers", theme, changes=True)
    examples = make_grid(images, columns=2)
    axis.imshow(examples, extent=(0.45, 2.25, 0, 1.8), aspect="auto")
    axis.set(xlim=SHEET_X, ylim=SHEET_Y)  # last: imshow sets limits too
    for start, end in SIMILARITY_ARROWS:
        add_arrow(axis, start, end, theme)
    add_arrow(axis, (7.9, 3), (2.7, 3), theme, is_backward=True)
    add_note(axis, (3.1, 5.9), "① the text becomes a vector", theme)
    add_note(axis, (5.3, 3.35), "② back-propagation rewrites X", theme)
    add_note(axis, (5.3, 2.6), "③ again, until it is similar", theme)
    return figure
