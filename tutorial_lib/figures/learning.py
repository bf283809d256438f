"""Figures of a learning run: curves side by side, and curves beside levels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tutorial_lib.figures.plots import (
    THEMES,
    Curve,
    Share,
    mark_interval,
    start_figure,
)


def plot_panels(
    panels: Mapping[str, Mapping[str, Curve]],
    theme: str = "light",
    x_label: str = "step",
    y_label: str = "similarity",
) -> Figure:
    """Plot panels of two curves each, on one scale, with a legend.

    `panels` maps a title to curves, and each curve's name to (steps,
    values). The first curve is solid, the second dashed with open circles.
    """
    colors = THEMES[theme]
    figure, axes = start_figure(columns=len(panels), theme=theme)
    styles: tuple[dict[str, Any], ...] = (
        {"color": colors["accent"]},
        {
            "color": colors["second"],
            "linestyle": "--",
            "marker": "o",
            "markersize": 4,
            "markerfacecolor": "white",
            "markevery": 3,
        },
    )
    for axis, (title, curves) in zip(axes, panels.items(), strict=True):
        for (name, curve), style in zip(curves.items(), styles, strict=True):
            axis.plot(*curve, linewidth=1.4, label=name, **style)
        axis.set_ylim(*_find_y_limits(panels))
        axis.set_title(title, fontsize=9)
        axis.set_xlabel(x_label)
        axis.legend(
            fontsize=8,
            frameon=False,
            loc="lower right",
            labelcolor=colors["ink"],
        )
    axes[0].set_ylabel(y_label)
    return figure


def _find_y_limits(
    panels: Mapping[str, Mapping[str, Curve]], margin: float = 0.05
) -> tuple[float, float]:
    """Return the lowest and the highest value of all curves, with a margin."""
    values = [
        value
        for curves in panels.values()
        for _, values in curves.values()
        for value in values
    ]
    return min(values) - margin, max(values) + margin


def plot_with_levels(
    curve: Curve,
    levels: Mapping[str, float],
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
        _mark_level(axis, height, name, theme)
    axis.set(xlabel=x_label, ylabel=y_label)
    return figure


def plot_drift(
    counts: Sequence[int],
    distances: ArrayLike,
    levels: Mapping[str, float],
    theme: str = "light",
    x_label: str = "pictures",
    y_label: str = "distance of the means",
) -> Figure:
    """Plot how far means of a few lie from that of the others, over how many.

    A row of `distances` holds those of one count. The line is their median,
    the band holds 95 % of them; `levels` are distances to compare with,
    dotted lines with names. The upward scale is logarithmic.
    """
    colors = THEMES[theme]
    figure, (axis,) = start_figure(columns=1, theme=theme)
    rows = np.asarray(distances)
    low, middle, high = np.percentile(rows, [2.5, 50, 97.5], axis=1)
    axis.fill_between(counts, low, high, color=colors["accent"], alpha=0.2)
    axis.plot(
        counts, middle, "D-", color=colors["accent"], markersize=4, lw=1.4
    )
    axis.set_yscale("log")
    for name, height in levels.items():
        _mark_level(axis, height, name, theme)
    axis.set(xlabel=x_label, ylabel=y_label)
    return figure


def _mark_level(axis: Axes, height: float, name: str, theme: str) -> None:
    """Add a dotted line across, with its name beside its right end."""
    colors = THEMES[theme]
    axis.axhline(height, color=colors["second"], linestyle=":", linewidth=1.4)
    axis.annotate(
        f"{name}: {height:.2f}",
        (1, height),
        xycoords=("axes fraction", "data"),
        va="center",
        textcoords="offset points",
        xytext=(4, 0),
        fontsize=8,
        color=colors["ink"],
    )


def plot_settings(
    panels: Mapping[str, Mapping[str, Share]],
    level: tuple[str, Share],
    theme: str = "light",
    y_label: str = "share of pictures",
) -> Figure:
    """Plot shares with intervals over the values of several settings.

    `panels` maps a setting to its values (as text) and each of them to a
    share: `value`, `low`, `high`. All panels share one scale, from 0 or the
    lowest end to 1; the `level` (name, share) to compare with is a band
    across all of them.
    """
    figure, axes = start_figure(columns=len(panels), theme=theme)
    name, band = level
    shares = [share for panel in panels.values() for share in panel.values()]
    bottom = min(0, *(share["low"] for share in [band, *shares]))
    for axis, (setting, panel) in zip(axes, panels.items(), strict=True):
        _plot_setting(axis, panel, band, theme)
        axis.set_ylim(bottom - 0.03, 1.03)
        axis.set_title(setting, fontsize=9)
        if axis is not axes[0]:
            axis.tick_params(labelleft=False)
    axes[0].set_ylabel(y_label)
    color = THEMES[theme]["ink"]
    figure.supxlabel(f"band: {name}", fontsize=8, color=color)
    return figure


def _plot_setting(
    axis: Axes, shares: Mapping[str, Share], band: Share, theme: str
) -> None:
    """Plot the shares over the values of one setting, on their band."""
    colors = THEMES[theme]
    axis.axhspan(
        band["low"],
        band["high"],
        color=colors["second"],
        alpha=0.25,
        linewidth=0,
    )
    axis.axhline(band["value"], color=colors["second"], linestyle=":")
    axis.errorbar(
        list(shares),
        [share["value"] for share in shares.values()],
        yerr=[
            [share["value"] - share["low"] for share in shares.values()],
            [share["high"] - share["value"] for share in shares.values()],
        ],
        color=colors["accent"],
        marker="D",
        markersize=4,
        linewidth=1.4,
        capsize=3,
    )
    axis.margins(x=0.15)
    axis.tick_params(axis="x", labelrotation=50)


def plot_gains(
    panels: Mapping[str, Mapping[str, Share]],
    x_label: str = "gain",
    theme: str = "light",
) -> Figure:
    """Plot differences with their intervals, on both sides of 0.

    `panels` maps a title to rows, the same in all, and each row's name to
    its `value`, `low` and `high`. A difference whose interval leaves 0
    out has a filled diamond, any other an open circle.
    """
    figure, axes = start_figure(columns=len(panels), theme=theme)
    ends = [
        abs(gain[end])
        for gains in panels.values()
        for gain in gains.values()
        for end in ("low", "high")
    ]
    reach = 1.1 * max(ends)
    for axis, (title, gains) in zip(axes, panels.items(), strict=True):
        axis.axvline(0, color=THEMES[theme]["faint"], linewidth=1)
        for place, gain in enumerate(gains.values()):
            is_clear = gain["low"] > 0 or gain["high"] < 0
            mark_interval(axis, place, gain, is_clear, theme)
        axis.set(xlim=(-reach, reach), ylim=(len(gains) - 0.5, -0.5))
        axis.set_yticks(range(len(gains)), [])
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="y", visible=False)
        axis.set_title(title, fontsize=9)
    axes[0].set_yticks(
        range(len(gains)), list(gains), color=THEMES[theme]["ink"]
    )
    color = THEMES[theme]["ink"]
    figure.supxlabel(x_label, fontsize=8, color=color)
    return figure
