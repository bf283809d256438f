"""Figures of tokens and of rows of the embedding table."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tutorial_lib.figures.plots import THEMES, start_figure

TOKEN_COLUMNS = 9  # letters in a line of a token's box


def plot_tokens(
    prompts: Mapping[str, Sequence[tuple[str, int]]],
    marked: Sequence[int] = (),
    theme: str = "light",
) -> Figure:
    """Plot prompts cut into tokens, one row of boxes for each.

    `prompts` maps a prompt, or another title, to (token, id) pairs; the
    id stands below the box. Tokens with an id in `marked` have a thick
    border.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    axis.set_axis_off()
    for row, (title, pairs) in enumerate(prompts.items()):
        axis.text(-0.45, row - 0.38, title, fontsize=9, color=colors["ink"])
        for column, (token, token_id) in enumerate(pairs):
            place = (column, row)
            _add_token(axis, place, token, token_id, token_id in marked, theme)
    columns = max(map(len, prompts.values()))
    axis.set(xlim=(-0.5, columns - 0.5), ylim=(len(prompts) - 0.4, -0.6))
    return figure


def _add_token(
    axis: Axes,
    place: tuple[int, int],
    token: str,
    token_id: int,
    is_marked: bool,
    theme: str,
) -> None:
    """Add the box of one token, with its id below."""
    colors = THEMES[theme]
    column, row = place
    color = colors["accent" if is_marked else "second"]
    axis.text(
        column,
        row,
        textwrap.fill(token.replace("_", " "), TOKEN_COLUMNS),
        ha="center",
        va="center",
        fontsize=8,
        color=colors["ink"],
        bbox={
            "boxstyle": "round,pad=0.4",
            "facecolor": "none",
            "edgecolor": color,
            "linewidth": 2.4 if is_marked else 1,
        },
    )
    axis.text(
        column, row + 0.34, f"{token_id}", ha="center", fontsize=7, color=color
    )


def plot_strips(
    rows: Mapping[str, Sequence[float]], theme: str = "light"
) -> Figure:
    """Plot rows of numbers as coloured strips, one below the other.

    `rows` maps a label to its numbers, and all have the same length. The
    colours run from the lowest number over white at 0 to the highest, on a
    scale that is even on both sides.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    values = list(rows.values())
    limit = max(abs(value) for row in values for value in row)
    strips = axis.imshow(
        values,
        aspect="auto",
        interpolation="nearest",
        cmap="PuOr",
        vmin=-limit,
        vmax=limit,
    )
    axis.grid(visible=False)
    axis.set_yticks(range(len(rows)), list(rows), color=colors["ink"])
    axis.tick_params(length=0)
    axis.hlines(
        [i + 0.5 for i in range(len(rows) - 1)],
        -0.5,
        len(values[0]) - 0.5,
        color="white",
        linewidth=3,
    )
    axis.set_xlabel(f"the {len(values[0])} numbers of a row")
    bar = figure.colorbar(strips, ax=axis, label="value")
    bar.ax.tick_params(labelsize=8, colors=colors["faint"])
    bar.ax.yaxis.label.set(color=colors["ink"], fontsize=9)
    bar.outline.set_visible(False)
    return figure


def plot_histograms(
    groups: Mapping[str, Sequence[float]], x_label: str, theme: str = "light"
) -> Figure:
    """Plot how the values of two groups are spread, each with area 1.

    `groups` maps a group's name to its values. The first group is filled
    and solid, the second hatched and dashed.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    styles: tuple[dict[str, Any], ...] = (
        {"color": colors["accent"], "alpha": 0.75},
        {
            "edgecolor": colors["second"],
            "linestyle": "--",
            "facecolor": "none",
            "hatch": "////",
        },
    )
    for (name, values), style in zip(groups.items(), styles, strict=True):
        axis.hist(
            values,
            bins=40,
            density=True,
            histtype="stepfilled",
            label=f"{name} ({len(values):,})",
            **style,
        )
    axis.set_yticks([])
    axis.set_ylabel("how many, as a share")
    axis.set_xlabel(x_label)
    axis.legend(fontsize=8, frameon=False, labelcolor=colors["ink"])
    return figure
