"""The diagrams: their labels are there, apart, and inside their boxes."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from tutorial_lib.figures import (
    sketch_article_method,
    sketch_clip,
    sketch_embedding_table,
    sketch_paper_method,
    sketch_series,
    sketch_unet,
)
from tutorial_lib.figures.series_map import PLACES, TITLES
from tutorial_lib.settings import ROOT

PICTURES = [Image.new("RGB", (16, 16), c) for c in ("red", "green", "blue")]
PROMPT = "A T-shirt in the style of X"
ATTENTION = "CrossAttnDownBlock2D"
SHARES = {"<start>": 0.5, "a": 0.1, "X": 0.3, "<end>": 0, "<padding>": 0.1}
COSINES = [[0.9, 0.1, -0.05], [0.2, 0.8, 0], [0.1, 0, 0.7]]
TOKENS = [("a", 320), ("photo", 1125), ("of", 539), ("X", 49408)]
LONG = "a photo of a woman with long red hair, glasses and a beauty spot"


def draw_clip(theme):
    return sketch_clip([LONG, "a corgi", "$2"], PICTURES, COSINES, theme)


def draw_table(theme):
    return sketch_embedding_table("A photo of X", TOKENS, 49408, 192, theme)


def draw_longest_table(theme):
    tokens = [("t", 339), ("-", 268), ("shirt", 2523)]
    tokens += [(f"X {i + 1}", 49408 + i) for i in range(3)]
    return sketch_embedding_table("T-shirt X", tokens, 49408, 768, theme)


def draw_article(theme):
    sentence = "An illustration of X"
    given = (sentence, PICTURES, 20, 192, PROMPT, PICTURES)
    return sketch_article_method(*given, theme)


def draw_paper(theme):
    tokens = ["a", "photo", "of", "X"]
    given = ("A photo of X", tokens, *PICTURES[:2], 192)
    return sketch_paper_method(*given, theme)


def draw_tiny_unet(theme):
    types = ["DownBlock2D", ATTENTION, ATTENTION]
    return sketch_unet(16, types, SHARES, True, theme)


def draw_large_unet(theme):
    types = [ATTENTION, ATTENTION, ATTENTION, "DownBlock2D"]
    shares = {f"word {i}": 0.125 for i in range(8)}
    return sketch_unet(64, types, shares, False, theme)


LABELS = {
    draw_clip: [
        "text\nencoder",
        "picture\nencoder",
        "0.90",
        "-0.05",
        r"“\$2”",
    ],
    draw_table: ["photo", "1,125", "49,408", "49,408 frozen rows of 192"],
    draw_longest_table: ["X 3", "49,410", "of 768 numbers"],
    draw_article: ["①", "②", "③", "④", f"“{PROMPT}”", "X: 192 numbers"],
    draw_paper: ["photo", "$v_*$", r"\arg\min_v", "the 192 numbers of X"],
    draw_tiny_unet: ["16 x 16", "4 x 4\n+ attention", "pooled caption", "30%"],
    draw_large_unet: ["64 x 64\n+ attention", "8 x 8", "word 7", "12%"],
    sketch_series: list(TITLES.values()),
}
each_diagram = pytest.mark.parametrize(
    "draw", LABELS, ids=lambda draw: draw.__name__
)


def measure(figure):
    """Draw a figure; return its axis and the texts with their extents."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    [axis] = figure.axes
    return axis, [(t.get_text(), t.get_window_extent()) for t in axis.texts]


def intersects(one, other):
    """Return whether two extents share more than an edge."""
    return (
        min(one.x1, other.x1) - max(one.x0, other.x0) > 0.5
        and min(one.y1, other.y1) - max(one.y0, other.y0) > 0.5
    )


@each_diagram
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_diagram_has_its_labels_in_the_themes_colours(draw, theme):
    figure = draw(theme)
    [axis] = figure.axes
    texts = [text.get_text() for text in axis.texts]
    for label in LABELS[draw]:
        assert any(label in text for text in texts), label
    colors = {text.get_color() for text in axis.texts}
    inks = {"light": {"#1c2230", "#c2410c"}, "dark": {"#e9ecf3", "#ff9a5c"}}
    assert colors <= inks[theme]  # both are read easily on their ground


@each_diagram
def test_no_text_leaves_the_sheet_or_its_box(draw):
    axis, texts = measure(draw("light"))
    frame = axis.get_window_extent()
    boxes = [
        patch.get_window_extent()
        for patch in axis.patches
        if isinstance(patch, FancyBboxPatch)
    ]
    for text, extent in texts:
        assert frame.x0 <= extent.x0 and extent.x1 <= frame.x1, text
        assert frame.y0 <= extent.y0 and extent.y1 <= frame.y1, text
        for box in boxes:
            if intersects(extent, box):
                assert box.x0 <= extent.x0 and extent.x1 <= box.x1, text
                assert box.y0 <= extent.y0 and extent.y1 <= box.y1, text


@each_diagram
def test_no_text_lies_on_another_or_on_a_picture(draw):
    axis, texts = measure(draw("light"))
    for (one, extent), (other, another) in itertools.combinations(texts, 2):
        assert not intersects(extent, another), (one, other)
    for image in axis.images:
        area = image.get_window_extent()
        for text, extent in texts:
            assert not intersects(extent, area), text


@each_diagram
def test_no_arrow_or_line_goes_through_a_text(draw):
    axis, texts = measure(draw("light"))
    lines = [
        axis.transData.transform(patch._path_original.vertices)
        for patch in axis.patches
        if isinstance(patch, FancyArrowPatch)
    ]
    lines += [
        axis.transData.transform(line.get_xydata()) for line in axis.lines
    ]
    for line in lines:
        for start, end in itertools.pairwise(line):
            points = start + np.linspace(0, 1, 200)[:, None] * (end - start)
            for text, extent in texts:
                x, y = points.T
                across = (extent.x0 < x) & (x < extent.x1)
                along = (extent.y0 < y) & (y < extent.y1)
                assert not (across & along).any(), text


@each_diagram
def test_all_diagrams_are_drawn_in_one_hand(draw):
    figure = draw("light")
    assert figure.get_size_inches()[0] == 8
    [axis] = figure.axes
    assert {text.get_fontsize() for text in axis.texts} <= {8, 9, 11}
    height = figure.get_size_inches()[1]
    assert axis.get_xlim() == (0, 10)
    assert axis.get_ylim() == pytest.approx((0, height / 0.8))


def test_only_what_learning_changes_is_thick():
    for draw in (draw_table, draw_article, draw_paper):
        [axis] = draw("light").axes
        thick = [
            patch
            for patch in axis.patches
            if isinstance(patch, FancyBboxPatch) and patch.get_linewidth() > 2
        ]
        assert len(thick) == 1


def test_the_map_has_each_lesson_of_the_series():
    names = [path.name for path in Path(ROOT, "notebooks").glob("*.ipynb")]
    numbers = {re.match(r"\d\d", name).group() for name in names}
    assert set(TITLES) == set(PLACES) == numbers
