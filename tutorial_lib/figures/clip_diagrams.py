"""Diagrams of what text becomes: CLIP, and the embedding table."""

import itertools
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike
from PIL import Image

from tutorial_lib.figures.plots import THEMES
from tutorial_lib.figures.sheet import (
    TEXT_SIZE,
    add_arrow,
    add_box,
    add_line,
    add_note,
    add_picture,
    add_vector,
    quote,
    start_sheet,
)

SIDE = 0.86  # units, of a cell in CLIP's table
TABLE_LEFT, TABLE_TOP = 6.9, 3.4
ROW = 0.42  # units, the height of a row of the embedding table


def sketch_clip(
    texts: Sequence[str],
    images: Sequence[Image.Image],
    similarities: ArrayLike,
    theme: str = "light",
) -> Figure:
    """Sketch CLIP: two encoders, and the cosines that its training looks at.

    `similarities` is a table with a row for each image and a column for each
    text, three of each; the i-th text belongs to the i-th image. Source:
    Radford et al. (2021), Learning Transferable Visual Models From Natural
    Language Supervision, figure 1.
    """
    figure, axis = start_sheet(height=5.9)
    table = np.asarray(similarities)
    for i, (text, image) in enumerate(zip(texts, images, strict=True)):
        y = TABLE_TOP - (i + 0.5) * SIDE
        add_picture(axis, image, (0.9, y - 0.37, 0.74, 0.74))
        add_arrow(axis, (1.75, y), (2.35, y), theme)
        add_arrow(axis, (4.05, y), (4.5, y), theme)
        add_vector(axis, (4.6, y - 0.12, 1.5, 0.24), theme)
        add_arrow(axis, (6.2, y), (TABLE_LEFT - 0.1, y), theme)
        x, line = TABLE_LEFT + (i + 0.5) * SIDE, 5.25 - 0.5 * i
        place = (0.2, line - 0.21, 3.4, 0.42)
        add_box(axis, place, textwrap.fill(quote(text), 42), theme)
        add_arrow(axis, (3.6, line), (4.2, line), theme)
        add_vector(axis, (x - 0.12, 4.0, 0.24, 1.5), theme, upright=True)
        add_arrow(axis, (x, 3.9), (x, TABLE_TOP + 0.1), theme)
    add_box(axis, (4.2, 4.0, 1.6, 1.5), "text\nencoder", theme, size=TEXT_SIZE)
    bottom = TABLE_TOP - 3 * SIDE
    place = (2.35, bottom, 1.7, 3 * SIDE)
    add_box(axis, place, "picture\nencoder", theme, size=TEXT_SIZE)
    add_arrow(axis, (5.8, 4.75), (6.9, 4.75), theme)
    _add_cosines(axis, table, theme)
    add_note(axis, (8.2, 5.72), "a vector for each text", theme)
    add_note(axis, (5.35, 0.52), "a vector for\neach picture", theme)
    add_note(axis, (1.27, 0.52), "pictures", theme)
    add_note(axis, (1.9, 5.72), "texts", theme)
    below = (
        "cosine similarity; training turns the\nthick ones up, all others down"
    )
    add_note(axis, (8.19, 0.47), below, theme)
    return figure


def _add_cosines(axis: Axes, table: np.ndarray, theme: str) -> None:
    """Add the table of cosines; pairs that belong together are thick."""
    colors = THEMES[theme]
    order = [(i, j) for i in range(3) for j in range(3) if i != j]
    for i, j in [*order, (0, 0), (1, 1), (2, 2)]:  # the thick ones on top
        corner = (TABLE_LEFT + j * SIDE, TABLE_TOP - (i + 1) * SIDE)
        axis.add_patch(
            Rectangle(
                corner,
                SIDE,
                SIDE,
                facecolor="none",
                edgecolor=colors["accent" if i == j else "second"],
                linewidth=2.4 if i == j else 0.8,
            )
        )
        middle = (corner[0] + SIDE / 2, corner[1] + SIDE / 2)
        number = f"{table[i, j]:.2f}"
        add_note(axis, middle, number, theme, size=TEXT_SIZE)


def sketch_embedding_table(
    prompt: str,
    tokens: Sequence[tuple[str, int]],
    vocabulary_size: int,
    width: int,
    theme: str = "light",
) -> Figure:
    """Sketch how a prompt's tokens pick rows of the embedding table.

    `tokens` are (token, id) pairs, at most six; ids from `vocabulary_size`
    on are the learned word's. Its rows stand below the table and are all that
    learning changes; `width` is the number of entries of a row.
    """
    figure, axis = start_sheet(height=5.6)
    rows = _place_rows([token_id for _, token_id in tokens], vocabulary_size)
    y_of = {row: y for row, y in rows if row is not None}
    step = 3.6 / max(len(tokens) - 1, 1)
    for i, (token, token_id) in enumerate(tokens):
        y, changes = 4.4 - i * step, token_id >= vocabulary_size
        add_box(axis, (0.2, y - 0.2, 1.2, 0.4), token, theme, changes)
        number = f"{token_id:,}"
        color = "accent" if changes else "ink"
        add_note(axis, (1.9, y), number, theme, color=color)
        add_arrow(axis, (2.35, y), (3.75, y_of[token_id]), theme)
    for row, y in rows:
        if row is None:
            add_note(axis, (5.3, y), "⋮", theme)
            continue
        changes = row >= vocabulary_size
        add_vector(axis, (3.85, y - 0.14, 2.9, 0.28), theme, changes, cells=9)
        color = "accent" if changes else "ink"
        add_note(axis, (6.88, y), f"{row:,}", theme, color=color, ha="left")
    add_note(axis, (5.3, 0.27), "the only row that learning changes", theme)
    border = [(7.55, 0.45), (7.7, 0.45), (7.7, 4.8), (7.55, 4.8)]
    add_line(axis, border, theme)
    add_arrow(axis, (7.7, 2.6), (8.3, 2.6), theme)
    text = "text encoder\n(frozen)"
    add_box(axis, (8.3, 1.3, 1.55, 2.6), text, theme, size=TEXT_SIZE)
    add_note(axis, (8.7, 4.3), "in the order\nof the prompt", theme)
    heading = f"{quote(prompt)}: tokens and ids"
    add_note(axis, (1.6, 5.25), heading, theme)
    title = f"{vocabulary_size:,} frozen rows of {width} numbers, and X"
    add_note(axis, (5.85, 5.25), title, theme)
    return figure


def _place_rows(
    token_ids: Sequence[int], vocabulary_size: int
) -> list[tuple[int | None, float]]:
    """Return the rows to show with their heights; None is left out rows."""
    ends = {0, vocabulary_size - 1}
    known = sorted(ends | {i for i in token_ids if i < vocabulary_size})
    rows: list[int | None] = [known[0]]
    for before, row in itertools.pairwise(known):
        rows += [row] if row == before + 1 else [None, row]
    learned = sorted({i for i in token_ids if i >= vocabulary_size})
    num = len(rows) + len(learned)
    step = 3.9 / num
    places = [(row, 4.6 - i * step) for i, row in enumerate(rows)]
    for i, row in enumerate(learned):
        places.append((row, 4.6 - (len(rows) + i) * step - 0.25))
    return places
