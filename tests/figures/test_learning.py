"""Figures of a learning run."""

import pytest

from tutorial_lib.figures import (
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
