"""The embedding table: its figures, and the rows nearest to one."""

import torch

from tutorial_lib.figures import embeddings
from tutorial_lib.generation import find_nearest_rows

PROMPTS = {"a cat": [("a</w>", 320), ("cat</w>", 2368)], "X": [("X", 49408)]}


def test_each_token_stands_in_a_box_over_its_id():
    figure = embeddings.plot_tokens(PROMPTS, marked=(49408,))
    texts = figure.axes[0].texts
    written = [text.get_text() for text in texts]
    assert written == [
        "a cat",
        "a</w>",
        "320",
        "cat</w>",
        "2368",
        "X",
        "X",
        "49408",
    ]
    boxes = [text.get_bbox_patch() for text in texts]
    widths = {box.get_linewidth() for box in boxes if box}
    assert len(widths) == 2  # the marked one differs by more than colour


def test_strips_have_labels_and_an_even_scale_of_colours():
    figure = embeddings.plot_strips({"a": [0.1, -0.4], "b": [0.2, 0]})
    axis, bar = figure.axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["a", "b"]
    assert axis.images[0].get_clim() == (-0.4, 0.4)
    assert bar.get_ylabel() == "value"


def test_histograms_name_their_groups_and_how_large_they_are():
    groups = {"read": [0.4, 0.5], "never read": [0.2, 0.3, 0.2]}
    axis = embeddings.plot_histograms(groups, "norm").axes[0]
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert names == ["read (2)", "never read (3)"]
    assert {patch.get_hatch() for patch in axis.patches} == {None, "////"}


def test_the_nearest_row_is_that_of_the_same_direction():
    rows = torch.randn(30, 8)
    nearest = find_nearest_rows(rows, 5 * rows[4:5], count=3)
    assert nearest.indices[0] == 4
    assert abs(nearest.values[0] - 1) < 1e-5
    assert (nearest.values.diff() <= 0).all()
