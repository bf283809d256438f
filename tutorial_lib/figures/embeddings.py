"""Figures of tokens and of rows of the table of embeddings.

As in `figures`, a figure computes nothing and shows what it is handed.
"""

import textwrap

from matplotlib.figure import Figure

from tutorial_lib.figures.plots import THEMES, start_figure

TOKEN_COLUMNS = 9  # letters in a line of a token's box


def plot_tokens(
    prompts: dict[str, list[tuple[str, int]]],
    marked: tuple[int, ...] = (),
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
    for place, (title, pairs) in enumerate(prompts.items()):
        axis.text(-0.45, place - 0.38, title, fontsize=9, color=colors["ink"])
        for i, (token, number) in enumerate(pairs):
            is_marked = number in marked
            color = colors["accent" if is_marked else "second"]
            text = textwrap.fill(token.replace("_", " "), TOKEN_COLUMNS)
            axis.text(
                i, place, text, ha="center", va="center", fontsize=8,
                color=colors["ink"],
                bbox={
                    "boxstyle": "round,pad=0.4",
                    "facecolor": "none",
                    "edgecolor": color,
                    "linewidth": 2.4 if is_marked else 1,
                },
            )  # fmt: skip
            axis.text(
                i, place + 0.34, f"{number}", ha="center", fontsize=7,
                color=color,
            )  # fmt: skip
    most = max(map(len, prompts.values()))
    axis.set(xlim=(-0.5, most - 0.5), ylim=(len(prompts) - 0.4, -0.6))
    return figure


def plot_strips(rows: dict[str, list[float]], theme: str = "light") -> Figure:
    """Plot rows of numbers as coloured strips, one below the other.

    `rows` maps a label to its numbers, all equally many. The colours
    run from the lowest number over white at 0 to the highest, on a scale
    that is even on both sides.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    values = list(rows.values())
    limit = max(abs(value) for row in values for value in row)
    image = axis.imshow(
        values, aspect="auto", interpolation="nearest",
        cmap="PuOr", vmin=-limit, vmax=limit,
    )  # fmt: skip
    axis.grid(visible=False)
    axis.set_yticks(range(len(rows)), list(rows), color=colors["ink"])
    axis.tick_params(length=0)
    axis.hlines(
        [i + 0.5 for i in range(len(rows) - 1)], -0.5, len(values[0]) - 0.5,
        color="white", linewidth=3,
    )  # fmt: skip
    axis.set_xlabel(f"the {len(values[0])} numbers of a row")
    bar = figure.colorbar(image, ax=axis, label="value")
    bar.ax.tick_params(labelsize=8, colors=colors["faint"])
    bar.ax.yaxis.label.set(color=colors["ink"], fontsize=9)
    bar.outline.set_visible(False)
    return figure


def plot_histograms(
    groups: dict[str, list[float]], x_label: str, theme: str = "light"
) -> Figure:
    """Plot how the values of some groups are spread, each with area 1.

    `groups` maps a group's name to its values. The first group is filled
    and solid, the second hatched and dashed.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    looks = (
        {"color": colors["accent"], "alpha": 0.75},
        {
            "edgecolor": colors["second"], "linestyle": "--",
            "facecolor": "none", "hatch": "////",
        },
    )  # fmt: skip
    for (name, values), look in zip(groups.items(), looks, strict=True):
        axis.hist(
            values, bins=40, density=True, histtype="stepfilled",
            label=f"{name} ({len(values):,})", **look,
        )  # fmt: skip
    axis.set_yticks([])
    axis.set_ylabel("how many, as a share")
    axis.set_xlabel(x_label)
    axis.legend(fontsize=8, frameon=False, labelcolor=colors["ink"])
    return figure
