"""Figures of attention: where a network looks in a picture for a token."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import ArrayLike
from PIL import Image

from tutorial_lib.errors import ImageError
from tutorial_lib.figures.plots import THEMES, wrap_label

PANEL = 1.15  # inches, of a picture
BLEND = 0.6  # how much of a panel is the heat map, the rest is the picture


def plot_attention(
    images: Sequence[Image.Image],
    maps: Mapping[str, ArrayLike],
    columns: Sequence[str],
    theme: str = "light",
) -> Figure:
    """Plot heat maps over pictures, a row for each token.

    `maps` maps a token to its map in each column, shares of 1 of shape
    (columns, height, width); `images` has the picture of each column, which
    may be the same, and `columns` their titles: pictures, steps or layers.
    Each row has a scale of its own, written beside it. Raises ImageError
    unless each column has a picture and a title.
    """
    num_maps = len(np.asarray(next(iter(maps.values()))))
    if not len(images) == len(columns) == num_maps:
        raise ImageError(
            f"{len(images)} pictures, {len(columns)} titles and {num_maps} "
            "maps do not belong together; give as many of each."
        )
    figure, axes = _start_panels(len(maps) + 1, len(columns))
    axes[0, -1].set_axis_off()  # pictures have no scale
    color = THEMES[theme]["ink"]
    for axis, image, title in zip(axes[0], images, columns, strict=False):
        axis.imshow(image)
        axis.set_title(title, fontsize=8, color=color)
    _label_row(axes[0, 0], "picture", theme)
    for row, (token, table) in zip(axes[1:], maps.items(), strict=True):
        _plot_token(figure, row, token, np.asarray(table), images, theme)
    return figure


def _start_panels(rows: int, columns: int) -> tuple[Figure, np.ndarray]:
    """Return an empty figure and its axes; the last column is for scales."""
    figure = Figure(
        figsize=(1.7 + PANEL * columns, 0.3 + PANEL * rows),
        layout=ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03),
    )
    axes = figure.subplots(
        rows, columns + 1, squeeze=False, width_ratios=[1] * columns + [0.07]
    )
    for axis in axes[:, :-1].flat:
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
    return figure, axes


def _plot_token(
    figure: Figure,
    axes: np.ndarray,
    token: str,
    maps: np.ndarray,
    images: Sequence[Image.Image],
    theme: str,
) -> None:
    """Plot the maps of one token, with their scale at the end of the row."""
    limits: dict[str, Any] = {"vmin": maps.min(), "vmax": maps.max()}
    for axis, image, heat in zip(axes, images, maps, strict=False):
        extent = (0, image.width, image.height, 0)
        axis.imshow(image.convert("L"), cmap="gray", vmin=0, vmax=255)
        drawn = axis.imshow(
            heat, cmap="inferno", alpha=BLEND, extent=extent, **limits
        )
    _label_row(axes[0], token, theme)
    colors = THEMES[theme]
    bar = figure.colorbar(drawn, cax=axes[-1])
    bar.set_ticks(list(limits.values()))
    bar.set_ticklabels([f"{limit:.1%}" for limit in limits.values()])
    bar.ax.tick_params(labelsize=8, colors=colors["ink"], length=0)
    bar.outline.set_visible(False)


def _label_row(axis: Any, label: str, theme: str) -> None:
    """Write what a row shows on its left."""
    axis.set_ylabel(
        wrap_label(label, width=12),
        rotation=0,
        ha="right",
        va="center",
        fontsize=9,
        color=THEMES[theme]["ink"],
    )
