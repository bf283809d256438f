"""Figures of a learning run."""

import numpy as np
import pytest

from tutorial_lib.figures import (
    plot_drift,
    plot_gains,
    plot_panels,
    plot_settings,
    plot_with_levels,
)

CURVES = {"own": ([0, 10], [0.1, 0.8]), "held out": ([0, 10], [0.4, 0.7])}


def list_texts(axis):
    """Return all texts that were written on an axis."""
    return [text.get_text() for text in axis.texts]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_two_curves_differ_by_more_than_colour_and_share_a_scale(theme):
    figure = plot_panels({"one": CURVES, "three": CURVES}, theme=theme)
    left, right = figure.axes
    styles = [line.get_linestyle() for line in left.lines]
    assert styles == ["-", "--"]
    names = [text.get_text() for text in left.get_legend().get_texts()]
    assert names == ["own", "held out"]
    assert left.get_ylim() == right.get_ylim()


def test_a_level_is_named_with_its_height_and_lies_inside():
    levels = {"median word": 0.28, "limit": 2.8}
    figure = plot_with_levels(([0, 10], [0.5, 2.0]), levels)
    axis = figure.axes[0]
    assert list_texts(axis) == ["median word: 0.28", "limit: 2.80"]
    assert axis.get_ylim()[1] > 2.8


def test_settings_have_intervals_on_one_scale_and_a_band_to_compare_with():
    share = {"value": 0.4, "low": 0.2, "high": 0.7}
    panels = {"pictures": {"1": share, "6": share}, "vectors": {"1": share}}
    level = ("plain description", {"value": 0.1, "low": 0.0, "high": 0.2})
    figure = plot_settings(panels, level=level)
    assert [axis.get_title() for axis in figure.axes] == list(panels)
    for axis in figure.axes:
        (whiskers,) = axis.containers
        tops = [path[1][1] for path in whiskers[2][0].get_segments()]
        assert tops == pytest.approx([0.7] * len(tops))
        (band,) = axis.patches
        assert (band.get_y(), band.get_height()) == pytest.approx((0, 0.2))
    assert len({axis.get_ylim() for axis in figure.axes}) == 1
    assert "plain description" in figure.get_supxlabel()


def test_a_cosine_below_zero_lies_inside_and_the_axis_says_what_it_is():
    share = {"value": 0.4, "low": -0.1, "high": 0.7}
    level = ("plain description", {"value": -0.1, "low": -0.3, "high": 0.2})
    figure = plot_settings({"steps": {"1": share}}, level, y_label="cosine")
    (axis,) = figure.axes
    assert axis.get_ylim()[0] < -0.3
    assert axis.get_ylabel() == "cosine"


def test_drift_is_a_line_of_medians_in_a_band_beside_levels():
    distances = np.array([[0.1, 0.2, 0.3], [0.01, 0.02, 0.05]])
    figure = plot_drift([1, 6], distances, {"another person": 0.4})
    (axis,) = figure.axes
    counts, medians = axis.lines[0].get_data()
    assert list(counts) == [1, 6] and list(medians) == [0.2, 0.02]
    (band,) = axis.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(0.01, rel=0.06)
    assert heights.max() == pytest.approx(0.3, rel=0.06)
    assert axis.get_yscale() == "log"
    assert list_texts(axis) == ["another person: 0.40"]
    assert axis.get_ylim()[0] < 0.01 and axis.get_ylim()[1] > 0.4


def test_a_gain_is_filled_only_where_its_interval_leaves_zero_out():
    rows = {
        "1 to 6": {"value": 0.2, "low": 0.1, "high": 0.3},
        "6 to 20": {"value": 0.1, "low": -0.4, "high": 0.3},
        "vectors": {"value": -0.2, "low": -0.3, "high": -0.1},
    }
    figure = plot_gains({"people": rows, "patterns": rows}, x_label="cosine")
    for axis in figure.axes:
        _, *marks = axis.lines  # the first is the line at 0
        filled = [mark.get_markerfacecolor() != "white" for mark in marks]
        assert filled == [True, False, True]
        assert axis.get_xlim() == pytest.approx((-0.44, 0.44))
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == list(rows)
    assert figure.get_supxlabel() == "cosine"
