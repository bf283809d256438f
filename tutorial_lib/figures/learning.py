"""Figures of a learning run: curves side by side, and curves beside levels.

As in `figures`, a figure computes nothing and shows what it is handed.
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tutorial_lib.figures.plots import THEMES, start_figure


def plot_panels(
    panels: dict[str, dict[str, tuple[list, list]]],
    theme: str = "light",
    x_label: str = "step",
    y_label: str = "similarity",
) -> Figure:
    """Plot panels of two curves each, on one scale, named at their ends.

    `panels` maps a title to curves, and each curve's name to (steps,
    values). The first curve is solid, the second dashed with open circles.
    """
    colors = THEMES[theme]
    figure, axes = start_figure(columns=len(panels), theme=theme)
    looks = (
        {"color": colors["accent"]},
        {
            "color": colors["second"], "linestyle": "--", "marker": "o",
            "markersize": 4, "markerfacecolor": "white", "markevery": 3,
        },
    )  # fmt: skip
    drawn = [v for c in panels.values() for _, vs in c.values() for v in vs]
    for axis, (title, curves) in zip(axes, panels.items(), strict=True):
        for (name, curve), look in zip(curves.items(), looks, strict=True):
            axis.plot(*curve, linewidth=1.4, label=name, **look)
        axis.set_ylim(min(drawn) - 0.05, max(drawn) + 0.05)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel(x_label)
        axis.legend(
            fontsize=8, frameon=False, loc="lower right",
            labelcolor=colors["ink"],
        )  # fmt: skip
    axes[0].set_ylabel(y_label)
    return figure


def plot_with_levels(
    curve: tuple[list, list],
    levels: dict[str, float],
    theme: str = "light",
    x_label: str = "step",
    y_label: str = "",
) -> Figure:
    """Plot a curve, (steps, values), beside levels: dotted lines with names.

    `levels` maps a level's name to its height.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    steps, values = curve
    axis.plot(steps, values, color=colors["accent"], linewidth=1.8)
    axis.set_ylim(0, 1.15 * max(*values, *levels.values()))
    for name, height in levels.items():
        mark_level(axis, height, name, theme)
    axis.set(xlabel=x_label, ylabel=y_label)
    return figure


def mark_level(axis: Axes, height: float, name: str, theme: str) -> None:
    """Draw a dotted line across, with its name beside its right end."""
    colors = THEMES[theme]
    axis.axhline(height, color=colors["second"], linestyle=":", linewidth=1.4)
    axis.annotate(
        f"{name}: {height:.2f}", (1, height),
        xycoords=("axes fraction", "data"), va="center",
        textcoords="offset points", xytext=(4, 0), fontsize=8,
        color=colors["ink"],
    )  # fmt: skip


def plot_settings(
    panels: dict[str, dict[str, dict[str, float]]],
    level: tuple[str, dict[str, float]],
    theme: str = "light",
) -> Figure:
    """Plot shares with intervals over the values of several settings.

    `panels` maps a setting to its values (as text) and each of them to a
    dict of `value`, `low`, `high`. All panels share one scale; the `level`
    (name, dict) to compare with is a band across all of them.
    """
    colors = THEMES[theme]
    figure, axes = start_figure(columns=len(panels), theme=theme)
    name, base = level
    for axis, (setting, rates) in zip(axes, panels.items(), strict=True):
        shares = [rate["value"] for rate in rates.values()]
        below = [rate["value"] - rate["low"] for rate in rates.values()]
        above = [rate["high"] - rate["value"] for rate in rates.values()]
        axis.axhspan(
            base["low"], base["high"], color=colors["second"], alpha=0.25,
            linewidth=0,
        )  # fmt: skip
        axis.axhline(base["value"], color=colors["second"], linestyle=":")
        axis.errorbar(
            list(rates), shares, yerr=[below, above], color=colors["accent"],
            marker="D", markersize=4, linewidth=1.4, capsize=3,
        )  # fmt: skip
        axis.set_ylim(-0.03, 1.03)
        axis.margins(x=0.15)
        axis.tick_params(axis="x", labelrotation=50)
        axis.set_title(setting, fontsize=9)
        if axis is not axes[0]:
            axis.tick_params(labelleft=False)
    axes[0].set_ylabel("share of pictures")
    figure.supxlabel(f"band: {name}", fontsize=8, color=colors["ink"])
    return figure
