"""Figures: grids, film strips, curves, heat maps, diagrams.

A figure computes nothing: it is handed images or numbers and shows them.
"""

from tutorial_lib.figures.attention import plot_attention
from tutorial_lib.figures.clip_diagrams import (
    sketch_clip,
    sketch_embedding_table,
)
from tutorial_lib.figures.diffusion import (
    channels_to_images,
    plot_errors,
    plot_shares,
)
from tutorial_lib.figures.display import (
    image_to_data_uri,
    image_to_html,
    rasterize_figure,
    show_figure,
    show_grid,
    show_image,
)
from tutorial_lib.figures.embeddings import (
    plot_histograms,
    plot_strips,
    plot_tokens,
)
from tutorial_lib.figures.grids import (
    GRID_GAP,
    LABEL_HEIGHT,
    count_columns,
    film_strip,
    make_grid,
    resize_to_square,
)
from tutorial_lib.figures.learning import (
    plot_drift,
    plot_gains,
    plot_panels,
    plot_settings,
    plot_with_levels,
)
from tutorial_lib.figures.method_diagrams import (
    sketch_article_method,
    sketch_paper_method,
)
from tutorial_lib.figures.plots import (
    ROW_LABELS,
    plot_curves,
    plot_heat_map,
    plot_rows,
)
from tutorial_lib.figures.series_map import sketch_series
from tutorial_lib.figures.similarity import plot_bars, plot_spread
from tutorial_lib.figures.unet_diagram import sketch_unet

__all__ = [
    "GRID_GAP",
    "LABEL_HEIGHT",
    "ROW_LABELS",
    "channels_to_images",
    "count_columns",
    "film_strip",
    "image_to_data_uri",
    "image_to_html",
    "make_grid",
    "plot_attention",
    "plot_bars",
    "plot_curves",
    "plot_drift",
    "plot_errors",
    "plot_gains",
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
    "resize_to_square",
    "show_figure",
    "show_grid",
    "show_image",
    "sketch_article_method",
    "sketch_clip",
    "sketch_embedding_table",
    "sketch_paper_method",
    "sketch_series",
    "sketch_unet",
]
