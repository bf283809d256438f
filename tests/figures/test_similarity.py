"""Figures of similarities: every number can be read, every row is named."""

import numpy as np
import pytest
import torch
from PIL import Image

from tutorial_lib.figures import (
    plot_bars,
    plot_heat_map,
    plot_spread,
    rasterize_figure,
)

TABLE = [[0.9, -0.1], [0.2, 0.75]]
TEXTS = ["a corgi", "a mug for $2 or $3"]


def read_texts(axis):
    """Return what is written inside an axis."""
    return [text.get_text() for text in axis.texts]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_heat_map_writes_every_number(theme):
    figure = plot_heat_map(TABLE, rows=TEXTS, columns=["1", "2"], theme=theme)
    assert read_texts(figure.axes[0]) == ["0.90", "-0.10", "0.20", "0.75"]
    assert tuple(figure.get_size_inches()) == (5, 3)


def test_a_heat_map_is_dark_only_behind_white_numbers():
    axis = plot_heat_map(TABLE, rows=TEXTS, columns=["1", "2"]).axes[0]
    colors = [text.get_color() for text in axis.texts]
    assert [color == "white" for color in colors] == [True, False, False, True]


def test_a_heat_maps_columns_may_be_pictures():
    images = [Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8))]
    figure = plot_heat_map(TABLE, rows=TEXTS, columns=images)
    assert len(figure.axes[0].artists) == 2
    assert rasterize_figure(figure, dpi=50).width == 250


def test_bars_have_numbers_and_the_highlight_is_hatched():
    figure = plot_bars({"a corgi": 0.8, "a mug": -0.2}, highlight="a mug")
    assert read_texts(figure.axes[0]) == ["0.80", "-0.20"]
    hatches = [bar.get_hatch() for bar in figure.axes[0].patches]
    assert hatches == [None, "//"]


def test_a_spread_shows_every_number_and_its_marks():
    rows = {"all names": [0.1, 0.2, 0.3], "one": [0.5]}
    figure = plot_spread(rows, marks={"all names": ("mary", 0.7)})
    axis = figure.axes[0]
    counts = [len(line.get_xdata()) for line in axis.lines]
    assert counts == [3, 1, 1]
    assert read_texts(axis) == ["mary 0.70"]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == list(rows)


@pytest.mark.parametrize("kind", [list, np.array, torch.tensor])
def test_a_heat_map_takes_any_table_and_writes_each_number(kind):
    values = kind([[0.1, 0.25], [0.5, 0.75]])
    figure = plot_heat_map(values, rows=["a", "b"], columns=["c", "d"])
    written = [text.get_text() for text in figure.axes[0].texts]
    assert written == ["0.10", "0.25", "0.50", "0.75"]
