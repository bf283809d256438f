"""Figures of similarities: a few as bars, many as the spread of a row."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tutorial_lib.figures.plots import THEMES, start_figure, wrap_label


def plot_bars(
    values: Mapping[str, float],
    highlight: str | None = None,
    theme: str = "light",
    x_label: str = "cosine similarity",
) -> Figure:
    """Plot a bar for each text, with its number at the end.

    `values` maps texts to numbers from -1 to 1; the bar of the text
    `highlight` is hatched and of another colour.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    for place, (name, value) in enumerate(values.items()):
        is_highlight = name == highlight
        axis.barh(
            place,
            value,
            height=0.6,
            edgecolor="white",
            color=colors["accent" if is_highlight else "second"],
            hatch="//" if is_highlight else None,
        )
        axis.text(
            max(value, 0) + 0.03,
            place,
            f"{value:.2f}",
            va="center",
            fontsize=8,
            color=colors["ink"],
        )
    axis.axvline(0, color=colors["faint"], linewidth=0.8)
    axis.set(xlim=(min(0, *values.values()) - 0.05, 1.1), xlabel=x_label)
    axis.grid(axis="y", visible=False)
    _label_rows(axis, list(values), theme=theme)
    return figure


def plot_spread(
    rows: Mapping[str, Sequence[float]],
    marks: Mapping[str, tuple[str, float]],
    theme: str = "light",
    x_label: str = "cosine similarity",
) -> Figure:
    """Plot many numbers in rows, each as a fine stroke.

    `rows` maps a row's name to its numbers, `marks` to the label and the
    place of a diamond in that row.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    for place, (name, values) in enumerate(rows.items()):
        axis.plot(
            values,
            [place] * len(values),
            "|",
            color=colors["second"],
            markersize=22,
            alpha=0.25 if len(values) > 100 else 0.8,
        )
        if name in marks:
            label, value = marks[name]
            axis.plot(value, place, "D", color=colors["accent"])
            axis.annotate(
                f"{label} {value:.2f}",
                (value, place),
                ha="center",
                textcoords="offset points",
                xytext=(0, 15),
                fontsize=8,
                color=colors["ink"],
            )
    axis.set_xlabel(x_label)
    axis.margins(x=0.12)
    axis.grid(axis="y", visible=False)
    _label_rows(axis, list(rows), theme=theme)
    return figure


def _label_rows(axis: Axes, names: list[str], theme: str) -> None:
    """Write the rows' names beside an axis, the first on top."""
    color = THEMES[theme]["ink"]
    axis.set_yticks(
        range(len(names)), [wrap_label(name) for name in names], color=color
    )
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(len(names) - 0.4, -0.6)
