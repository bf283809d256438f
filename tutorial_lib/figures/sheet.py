"""The sheet that diagrams are drawn on, and what stands on it.

All diagrams share one hand: a thin blue box is a frozen network or a thing, a
thick orange one is what learning changes, an arrow is data, a dashed orange
arrow is the gradient on its way back.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path
from PIL import Image

from tutorial_lib.figures.plots import THEMES

SHEET_WIDTH = 10.0  # units
INCHES = 0.8  # in a unit
TEXT_SIZE, NOTE_SIZE = 9, 8  # points

Place = tuple[float, float]
Frame = tuple[float, float, float, float]  # left, bottom, width, height


def start_sheet(height: float) -> tuple[Figure, Axes]:
    """Return an empty sheet, 10 units wide and `height` units high."""
    figure = Figure(figsize=(SHEET_WIDTH * INCHES, height * INCHES))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set_axis_off()
    axis.set(xlim=(0, SHEET_WIDTH), ylim=(0, height))
    return figure, axis


def add_box(
    axis: Axes,
    place: Frame,
    text: str,
    theme: str,
    changes: bool = False,
    size: float = NOTE_SIZE,
) -> None:
    """Add a box with a text; one that `changes` has a thick, coloured border.

    `place` is (left, bottom, width, height) on the sheet, `size` that of the
    text in points.
    """
    left, bottom, width, height = place
    colors = THEMES[theme]
    border = FancyBboxPatch(
        (left, bottom),
        width,
        height,
        boxstyle=f"round,pad=0,rounding_size={min(0.15, height / 4)}",
        edgecolor=colors["accent" if changes else "second"],
        facecolor="none",
        linewidth=2.4 if changes else 1,
    )
    axis.add_patch(border)
    middle = (left + width / 2, bottom + height / 2)
    add_note(axis, middle, text, theme, size=size)


def add_arrow(
    axis: Axes,
    start: Place,
    end: Place,
    theme: str,
    is_backward: bool = False,
    through: Sequence[Place] = (),
) -> None:
    """Add an arrow; a backward one is dashed and coloured.

    It goes in straight lines `through` the places between.
    """
    colors = THEMES[theme]
    arrow = FancyArrowPatch(
        path=Path([start, *through, end]),
        arrowstyle="-|>",
        mutation_scale=10,
        linewidth=1.8 if is_backward else 1,
        linestyle="--" if is_backward else "-",
        color=colors["accent" if is_backward else "ink"],
        joinstyle="round",
    )
    axis.add_patch(arrow)


def add_note(
    axis: Axes,
    place: Place,
    text: str,
    theme: str,
    size: float = NOTE_SIZE,
    color: str = "ink",
    ha: str = "center",
) -> None:
    """Add a text; its left end or, as usual, its centre is at a place.

    `color` is a name in THEMES. A dollar sign opens mathematics.
    """
    axis.text(
        *place,
        text,
        ha=ha,
        va="center",
        fontsize=size,
        color=THEMES[theme][color],
    )


def quote(text: str) -> str:
    """Return a prompt in quotation marks; a dollar sign stays one."""
    return "“" + text.replace("$", r"\$") + "”"


def add_vector(
    axis: Axes,
    place: Frame,
    theme: str,
    changes: bool = False,
    cells: int = 6,
    upright: bool = False,
) -> None:
    """Add a vector: a strip of cells, the last but one left open as "...".

    `place` is (left, bottom, width, height) on the sheet.
    """
    left, bottom, width, height = place
    color = THEMES[theme]["accent" if changes else "second"]
    wide, high = width / cells, height
    if upright:
        wide, high = width, height / cells
    for i in range(cells):
        if i == cells - 2:
            continue
        corner = (left + i * wide, bottom)
        if upright:
            corner = (left, bottom + height - (i + 1) * high)
        cell = Rectangle(
            corner, wide, high, fill=False, lw=2 if changes else 0.8
        )
        cell.set_edgecolor(color)
        axis.add_patch(cell)
    gap, middle = cells - 1.5, np.array([left, bottom + height / 2])
    dots = np.array([-1, 0, 1])[:, None] * [wide / 4, 0] + [gap * wide, 0]
    if upright:
        middle = np.array([left + width / 2, bottom + height])
        dots = np.array([-1, 0, 1])[:, None] * [0, high / 4] - [0, gap * high]
    axis.plot(*(middle + dots).T, ".", ms=2, color=color)


def add_picture(axis: Axes, image: Image.Image, place: Frame) -> None:
    """Add a picture; `place` is (left, bottom, width, height)."""
    left, bottom, width, height = place
    limits = axis.get_xlim(), axis.get_ylim()
    extent = (left, left + width, bottom, bottom + height)
    axis.imshow(
        image, extent=extent, aspect="auto", interpolation="antialiased"
    )
    axis.set(xlim=limits[0], ylim=limits[1])  # imshow sets them, too


def add_line(
    axis: Axes, points: Sequence[Place], theme: str, color: str = "faint"
) -> None:
    """Add a thin line through places: a connection, or a border."""
    xs, ys = zip(*points, strict=True)
    axis.plot(xs, ys, "-", color=THEMES[theme][color], linewidth=1)
