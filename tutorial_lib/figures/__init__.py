"""Figures: grids, film strips, curves, heat maps, diagrams.

A figure computes nothing: it is handed images or numbers and shows them.
"""

from tutorial_lib.figures.diagrams import sketch_similarity_method
from tutorial_lib.figures.diffusion import (
    plot_errors,
    plot_shares,
    render_channels,
)
from tutorial_lib.figures.display import (
    encode_image,
    flatten,
    rasterize_figure,
    show_figure,
    show_grid,
    show_image,
    write_image,
)
from tutorial_lib.figures.embeddings import (
    plot_histograms,
    plot_strips,
    plot_tokens,
)
from tutorial_lib.figures.grids import film_strip, make_grid
from tutorial_lib.figures.learning import (
    plot_panels,
    plot_settings,
    plot_with_levels,
)
from tutorial_lib.figures.plots import (
    ROW_LABELS,
    plot_curves,
    plot_heat_map,
    plot_rows,
)
from tutorial_lib.figures.similarity import plot_bars, plot_spread

__all__ = [
    "ROW_LABELS",
    "encode_image",
    "film_strip",
    "flatten",
    "make_grid",
    "plot_bars",
    "plot_curves",
    "plot_errors",
    "plot_heat_map",
    "plot_histograms",
    "plot_panels",
    "plot_rows",
    "plot_settings",
    "plot_shares",
    "plot_spread",
    "plot_strips",
    "plot_tokens",
    "plot_with_levels",
    "rasterize_figure",
    "render_channels",
    "show_figure",
    "show_grid",
    "show_image",
    "sketch_similarity_method",
    "write_image",
]
