"""Plots: curves, rows of shares, heat maps."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import ArrayLike
from PIL import Image

from tutorial_lib.figures.grids import resize_to_square

THEMES = {
    "light": {
        "ink": "#1c2230",
        "faint": "#8b93a5",
        "line": "#e3e6ec",
        "accent": "#c2410c",
        "second": "#1d5fa8",
    },
    "dark": {
        "ink": "#e9ecf3",
        "faint": "#98a1b5",
        "line": "#333a49",
        "accent": "#ff9a5c",
        "second": "#7db8f5",
    },
}
ROW_LABELS = {
    "drawn": "drawn (ceiling)",
    "x": "X, learned",
    "named": "a trained name",
    "description": "plain description",
    "initializer": "initializer word",
}

# The x values of a curve, and its y values.
Curve = tuple[Sequence[float], Sequence[float]]
# A share with its interval: "value", "low", "high".
Share = Mapping[str, float]


def start_figure(columns: int, theme: str) -> tuple[Figure, list[Axes]]:
    """Return an empty 5 x 3 inch figure and its quiet axes.

    It does not belong to pyplot, so it needs no closing and is shown only
    where it is handed over.
    """
    colors = THEMES[theme]
    layout = ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08)
    figure = Figure(figsize=(5, 3), layout=layout)
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.set_facecolor("none")
        axis.spines[["top", "right"]].set_visible(False)
        axis.spines[["left", "bottom"]].set_color(colors["line"])
        axis.tick_params(colors=colors["faint"], labelsize=8)
        axis.grid(color=colors["line"], linewidth=0.6)
        axis.set_axisbelow(True)
        for text in (axis.title, axis.xaxis.label, axis.yaxis.label):
            text.set_color(colors["ink"])
            text.set_fontsize(9)
    return figure, list(axes)


def plot_curves(
    curves: Mapping[str, Curve],
    theme: str = "light",
    x_label: str = "step",
    y_limits: tuple[float, float] | None = None,
) -> Figure:
    """Plot each curve in a panel of its own, with its last value written.

    `curves` maps a title to (steps, values). Each panel has a scale of its
    own unless `y_limits` are given.
    """
    colors = THEMES[theme]
    figure, axes = start_figure(columns=len(curves), theme=theme)
    for axis, (title, (steps, values)) in zip(
        axes, curves.items(), strict=True
    ):
        axis.plot(steps, values, color=colors["accent"], linewidth=1.4)
        axis.plot(steps[-1:], values[-1:], "o", color=colors["accent"])
        axis.annotate(
            f"{values[-1]:.3g}",
            (steps[-1], values[-1]),
            textcoords="offset points",
            xytext=(-4, 6),
            ha="right",
            fontsize=8,
            color=colors["ink"],
        )
        axis.margins(y=0.15)
        if y_limits:
            axis.set_ylim(*y_limits)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel(x_label)
    return figure


def plot_rows(
    panels: Mapping[str, Mapping[str, Share]], theme: str = "light"
) -> Figure:
    """Plot shares with their intervals as dots, one panel for each measure.

    `panels` maps a title ("identity") to rows, and each row ("x",
    "drawn" ...) to its "value", "low" and "high", as in results.json. X
    has a filled diamond, the reference rows open circles.
    """
    figure, axes = start_figure(columns=len(panels), theme=theme)
    names = [row for row in ROW_LABELS if row in next(iter(panels.values()))]
    for axis, (title, rows) in zip(axes, panels.items(), strict=True):
        for place, name in enumerate(names):
            _mark_share(axis, place, rows[name], name == "x", theme=theme)
        axis.set(xlim=(-0.04, 1.04), ylim=(len(names) - 0.5, -0.5))
        axis.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
        axis.grid(axis="y", visible=False)
        axis.set_title(title, fontsize=9)
        axis.set_yticks(range(len(names)), [])
        axis.tick_params(axis="y", length=0)
    axes[0].set_yticks(
        range(len(names)),
        [ROW_LABELS[name] for name in names],
        color=THEMES[theme]["ink"],
    )
    return figure


def _mark_share(
    axis: Axes, place: int, share: Share, is_x: bool, theme: str
) -> None:
    """Mark one share on its line: whisker, dot and the number beside it."""
    mark_interval(axis, place, share, is_x, theme)
    axis.text(
        1.06,
        place,
        f"{share['value']:.0%}",
        va="center",
        fontsize=8,
        color=THEMES[theme]["ink"],
        clip_on=False,
    )


def mark_interval(
    axis: Axes, place: int, share: Share, is_filled: bool, theme: str
) -> None:
    """Mark a value and its interval: a filled diamond or an open circle."""
    color = THEMES[theme]["accent" if is_filled else "second"]
    axis.hlines(place, share["low"], share["high"], color=color, linewidth=2)
    axis.plot(
        share["value"],
        place,
        "D" if is_filled else "o",
        color=color,
        markersize=6,
        markerfacecolor=color if is_filled else "white",
    )


def plot_heat_map(
    values: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str | Image.Image],
    theme: str = "light",
) -> Figure:
    """Plot a table of numbers as shaded cells, with each number inside.

    `values` is a table: an array, a tensor on the CPU, or a list of rows. The
    columns are headed by texts or by small pictures.
    """
    values = np.asarray(values)
    figure, (axis,) = start_figure(columns=1, theme=theme)
    norm = Normalize(values.min(), values.max())
    axis.imshow(values, cmap="Blues", norm=norm, aspect="auto")
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            is_dark = norm(float(value)) > 0.6
            axis.text(
                j,
                i,
                f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if is_dark else THEMES["light"]["ink"],
            )
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0, labelsize=7, labelcolor=THEMES[theme]["ink"])
    axis.set_yticks(range(len(rows)), [wrap_label(row) for row in rows])
    _label_columns(axis, columns)
    return figure


def wrap_label(text: str, width: int = 27) -> str:
    """Break a long label into lines; a dollar sign stays one."""
    return textwrap.fill(text, width=width).replace("$", r"\$")


def _label_columns(axis: Axes, columns: Sequence[str | Image.Image]) -> None:
    """Head the columns of a table with their texts or pictures."""
    axis.xaxis.tick_top()
    texts = [
        wrap_label(column, width=12) if isinstance(column, str) else ""
        for column in columns
    ]
    axis.set_xticks(range(len(columns)), texts)
    for i, column in enumerate(columns):
        if isinstance(column, str):
            continue
        pixels = np.asarray(resize_to_square(column, 128))
        box = AnnotationBbox(
            OffsetImage(pixels, zoom=28 / 128),
            (i, -0.5),
            xybox=(0, 18),
            boxcoords="offset points",
            frameon=False,
            annotation_clip=False,
        )
        axis.add_artist(box)
