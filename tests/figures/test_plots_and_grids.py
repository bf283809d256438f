"""Figures: grids, strips and plots that need no notebook."""

import base64
import io
import re

import pytest
from PIL import Image

from tutorial_lib.figures import (
    ROW_LABELS,
    film_strip,
    image_to_data_uri,
    make_grid,
    plot_curves,
    plot_rows,
    rasterize_figure,
    show_figure,
    show_grid,
)

SHARE = {"value": 0.5, "low": 0.3, "high": 0.7}
ROWS = {name: SHARE for name in ROW_LABELS}


def paint(num):
    """Make a few small pictures."""
    return [Image.new("RGB", (16, 16), (40 * i, 90, 200)) for i in range(num)]


@pytest.mark.parametrize(
    "num, columns, size",
    [
        (3, None, (92, 28)),
        (8, None, (124, 60)),
        (20, None, (156, 124)),
        (5, 2, (60, 92)),
    ],
)
def test_a_grid_holds_all_pictures_in_rows(num, columns, size):
    grid = make_grid(paint(num), columns=columns, side=28)
    assert grid.size == size


def test_a_grid_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no pictures"):
        make_grid([])


def test_a_shown_grid_has_alt_text_that_cannot_break_the_page(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    show_grid(paint(2), caption='"X" <b>')
    assert 'alt="&quot;X&quot; &lt;b&gt; (2 pictures)"' in shown[0].data


def test_a_shown_figure_has_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    figure = plot_curves({"loss": ([0, 1], [2.0, 1.0])})
    show_figure(figure, alt="the loss falls")
    assert 'alt="the loss falls"' in shown[0].data


def test_a_figure_of_few_colours_is_smaller_and_of_the_same_size(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    figure = plot_curves({"loss": ([0, 1], [2.0, 1.0])})
    images = []
    for colors in (256, 16):
        show_figure(figure, alt="the loss falls", colors=colors)
        code = re.search('base64,([^"]+)', shown[-1].data)[1]
        images.append(Image.open(io.BytesIO(base64.b64decode(code))))
    assert len(shown[1].data) < len(shown[0].data)
    assert images[0].size == images[1].size
    assert len(images[1].getcolors()) <= 16


def test_a_data_uri_holds_the_same_image():
    image = paint(2)[1]
    code = image_to_data_uri(image)
    data = base64.b64decode(code.split(",")[1])
    assert Image.open(io.BytesIO(data)).tobytes() == image.tobytes()


def test_a_figure_is_on_white_unless_it_is_to_be_transparent():
    figure = plot_curves({"loss": ([0, 1], [2.0, 1.0])})
    assert rasterize_figure(figure).getpixel((0, 0)) == (255, 255, 255)
    clear = rasterize_figure(figure, transparent=True)
    assert clear.mode == "RGBA" and clear.getpixel((0, 0))[3] == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_dot_plot_names_every_row_and_writes_every_value(theme):
    figure = plot_rows({"identity": ROWS, "prompt": ROWS}, theme)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == list(ROW_LABELS.values())
    for axis in figure.axes:
        assert [text.get_text() for text in axis.texts] == ["50%"] * 5
    assert tuple(figure.get_size_inches()) == (5, 3)


def test_x_differs_from_the_reference_rows_by_more_than_colour():
    figure = plot_rows({"identity": ROWS})
    marks = {line.get_marker() for line in figure.axes[0].lines}
    assert marks == {"D", "o"}


def test_a_film_strip_has_a_label_under_each_frame():
    strip = film_strip(paint(3), ["0", "10", "20"], side=28)
    assert strip.size == (92, 28 + 24)
    labels = strip.crop((0, 28, 92, 52)).convert("L")
    assert labels.getextrema()[0] < 90  # dark letters
    with pytest.raises(ValueError, match="2 labels"):
        film_strip(paint(3), ["0", "10"])


def test_a_film_strip_in_rows_has_each_label_under_its_frame():
    strip = film_strip(paint(3), ["0", "10", "20"], side=28, columns=2)
    assert strip.size == (60, 2 * (28 + 24))
    for i, color in enumerate([(0, 90, 200), (40, 90, 200), (80, 90, 200)]):
        left, top = i % 2 * 32, i // 2 * 52
        assert strip.getpixel((left + 14, top + 14)) == color
        label = strip.crop((left, top + 28, left + 28, top + 52))
        assert label.convert("L").getextrema()[0] < 90  # dark letters
    rest = strip.crop((32, 52, 60, 104))  # behind the last frame
    assert rest.getextrema() == ((255, 255),) * 3


def test_no_picture_of_a_grid_or_a_strip_is_resampled_at_its_own_size():
    noise = [Image.effect_noise((128, 128), 90).convert("RGB")] * 3
    grid = make_grid(noise)
    assert grid.crop((132, 0, 260, 128)).tobytes() == noise[1].tobytes()
    strip = film_strip(noise, ["0", "10", "20"])
    assert strip.crop((0, 0, *grid.size)).tobytes() == grid.tobytes()
