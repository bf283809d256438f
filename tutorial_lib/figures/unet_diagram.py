"""The diagram of the U-Net, and of one of its cross-attention layers."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tutorial_lib.figures.plots import THEMES
from tutorial_lib.figures.sheet import (
    TEXT_SIZE,
    add_arrow,
    add_box,
    add_line,
    add_note,
    start_sheet,
)

TOP, DEPTH = 4.35, 2.85  # units: of the finest blocks, and down to the middle
WIDE, HIGH = 1.45, 0.5  # units, of a block
LEFT, RIGHT = 0.65, 4.3  # units, where the finest blocks begin
MIDDLE = (LEFT + RIGHT + WIDE) / 2
INDENT = 0.28  # units that each coarser level moves inwards
BUSES = (0.3, 6.1)  # units, where the prompt goes up beside the blocks
GRID, CELL = (7.0, 4.35), 0.24  # units, of the layer's cells


def sketch_unet(
    sample_size: int,
    down_block_types: Sequence[str],
    shares: Mapping[str, float],
    has_pooled_caption: bool = False,
    theme: str = "light",
) -> Figure:
    """Sketch a U-Net, and beside it what one cell of it does with a prompt.

    `sample_size` and `down_block_types` are its config's; on the way up are
    the same blocks. `shares` are one cell's attention to each token of a
    prompt, at most eight. Source: Rombach et al. (2022), figure 3.
    """
    figure, axis = start_sheet(height=6.3)
    reads = ["CrossAttn" in name for name in down_block_types]
    step = DEPTH / len(reads)
    for i, has_attention in enumerate(reads):
        text = f"{sample_size // 2**i} x {sample_size // 2**i}"
        if has_attention:
            text += "\n+ attention"
        _add_level(axis, TOP - i * step, INDENT * i, text, theme)
        if i:
            _add_steps(axis, TOP - i * step, step, INDENT * i, theme)
        if has_attention:
            _feed_level(axis, TOP - i * step, INDENT * i, theme)
    _add_middle(axis, step, len(reads) - 1, sample_size, theme)
    first = TOP - step * reads.index(True) + HIGH / 2
    _add_prompt(axis, first, theme)
    added = "timestep + pooled caption" if has_pooled_caption else "timestep"
    place = (1.85, 5.5, 2.7, 0.6)
    add_box(axis, place, f"{added}\n(added in every block)", theme)
    for x, name in ((0.85, "noisy\nlatents"), (5.55, "predicted\nnoise")):
        add_note(axis, (x, 5.75), name, theme)
    add_arrow(axis, (0.85, 5.45), (0.85, TOP + HIGH), theme)
    add_arrow(axis, (5.55, TOP + HIGH), (5.55, 5.45), theme)
    _add_layer(axis, shares, theme)
    return figure


def _add_level(
    axis: Axes, y: float, indent: float, text: str, theme: str
) -> None:
    """Add a level's block on the way down, its twin, and their connection."""
    add_box(axis, (LEFT + indent, y, WIDE, HIGH), text, theme)
    add_box(axis, (RIGHT - indent, y, WIDE, HIGH), text, theme)
    y += HIGH / 2
    add_arrow(axis, (LEFT + indent + WIDE, y), (RIGHT - indent, y), theme)


def _add_steps(
    axis: Axes, y: float, step: float, indent: float, theme: str
) -> None:
    """Add the arrows that lead down to a level and up from it."""
    x = LEFT + indent + 0.2
    add_arrow(axis, (x, y + step), (x, y + HIGH), theme)
    x = RIGHT - indent + WIDE - 0.2
    add_arrow(axis, (x, y + HIGH), (x, y + step), theme)


def _feed_level(axis: Axes, y: float, indent: float, theme: str) -> None:
    """Let the prompt in, from the left and from the right."""
    y += HIGH / 2
    add_arrow(axis, (BUSES[0], y), (LEFT + indent, y), theme)
    add_arrow(axis, (BUSES[1], y), (RIGHT - indent + WIDE, y), theme)


def _add_middle(
    axis: Axes, step: float, last: int, sample_size: int, theme: str
) -> None:
    """Add the block at the bottom, with the way down to it and up again."""
    y, above = TOP - DEPTH, TOP - DEPTH + step
    side = sample_size // 2**last
    place = (MIDDLE - WIDE / 2, y, WIDE, HIGH)
    add_box(axis, place, f"{side} x {side}\n+ attention", theme)
    x = LEFT + INDENT * last + 0.6
    y += HIGH / 2
    corner = (x, y)
    add_arrow(
        axis, (x, above), (MIDDLE - WIDE / 2, y), theme, through=[corner]
    )
    x = RIGHT - INDENT * last + WIDE - 0.6
    start = (MIDDLE + WIDE / 2, y)
    add_arrow(axis, start, (x, above), theme, through=[(x, y)])


def _add_prompt(axis: Axes, first: float, theme: str) -> None:
    """Add the encoded prompt, and the lines by which it goes to the blocks."""
    text = "the prompt: a vector for each token"
    add_box(axis, (1.3, 0.3, 3.8, 0.5), text, theme)
    for start, bus in zip((1.3, 5.1), BUSES, strict=True):
        add_line(
            axis, [(start, 0.55), (bus, 0.55), (bus, first)], theme, "ink"
        )
    add_arrow(axis, (MIDDLE, 0.8), (MIDDLE, TOP - DEPTH), theme)


def _add_layer(axis: Axes, shares: Mapping[str, float], theme: str) -> None:
    """Add what happens in one cross-attention layer, for one cell."""
    colors = THEMES[theme]
    add_line(axis, [(6.5, 0.3), (6.5, 6.0)], theme)
    title = "in a cross-attention layer"
    add_note(axis, (8.2, 5.85), title, theme, size=TEXT_SIZE)
    for i in range(16):
        corner = (GRID[0] + i % 4 * CELL, GRID[1] + i // 4 * CELL)
        cell = Rectangle(corner, CELL, CELL, fill=i == 6, lw=0.8)
        cell.set_color(colors["second"])
        axis.add_patch(cell)
    add_note(axis, (8.95, 4.83), "each cell asks,\neach token answers:",
             theme)  # fmt: skip
    step, most = min(0.36, 2.6 / len(shares)), max(shares.values())
    for i, (token, share) in enumerate(shares.items()):
        y = 3.75 - i * step
        text = token.replace("$", r"\$")
        axis.text(7.85, y, text, ha="right", va="center", fontsize=8,
                  color=colors["ink"])  # fmt: skip
        long = 1.2 * share / most
        bar = Rectangle((7.95, y - 0.1), long, 0.2, color=colors["second"])
        axis.add_patch(bar)
        place = (8.05 + long, y)
        add_note(axis, place, f"{share:.0%}", theme, ha="left")
    end = 3.75 - (len(shares) - 1) * step - 0.25
    add_arrow(axis, (8.2, end), (8.2, end - 0.3), theme)
    text = "the tokens' values, mixed\nin these shares, go into the cell"
    add_note(axis, (8.2, end - 0.55), text, theme)
