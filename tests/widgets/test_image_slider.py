"""The slider through pictures: whole without a kernel, and without scripts."""

import base64
import io
import json
from html.parser import HTMLParser

import pytest
from PIL import Image

from tutorial_lib.errors import ImageError
from tutorial_lib.figures import film_strip
from tutorial_lib.widgets import image_slider
from tutorial_lib.widgets.image_slider import make_slider, show_slider

LABELS = ["scale 1", 'scale "3" <b>', "scale 9"]


class Tags(HTMLParser):
    """The tags of a page with their attributes, in order."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))


def paint(num=3):
    """Make a few small pictures."""
    return [Image.new("RGB", (16, 16), (20 * i, 90, 200)) for i in range(num)]


def read_image(page):
    """Return the attributes of the only picture of a page."""
    [image] = [attrs for tag, attrs in Tags(page).tags if tag == "img"]
    return image


def read_strip(image):
    """Return the picture that stands in the attributes of an image."""
    code = image["src"].removeprefix("data:image/jpeg;base64,")
    return Image.open(io.BytesIO(base64.b64decode(code)))


def test_without_scripts_the_film_strip_is_there_with_words_for_it():
    page = make_slider(paint(), LABELS, alt='"Three" blues', caption="<i>")
    assert "<script" not in page and "<input" not in page
    assert [tag for tag, _ in Tags(page).tags] == [
        "figure",
        "img",
        "figcaption",
    ]
    image = read_image(page)
    assert image["alt"] == '"Three" blues'
    shown = read_strip(image)
    assert shown.size == film_strip(paint(), LABELS, side=128).size
    assert image["width"] == str(shown.width)


@pytest.mark.parametrize("num, columns", [(3, 3), (6, 6), (7, 4), (8, 4)])
def test_the_slider_knows_where_each_frame_of_the_strip_begins(num, columns):
    labels = [f"share {i}" for i in range(num)]
    page = make_slider(paint(num), labels, alt="blues", start=1, side=40)
    image = read_image(page)
    settings = json.loads(image["data-slider"])
    assert settings["labels"] == labels and settings["start"] == 1
    assert settings["columns"] == columns
    strip = read_strip(image)
    for i, painted in enumerate(paint(num)):
        row, column = divmod(i, columns)
        middle = (
            column * settings["column_step"] + settings["side"] // 2,
            row * settings["row_step"] + settings["side"] // 2,
        )
        seen, true = strip.getpixel(middle), painted.getpixel((0, 0))
        assert max(abs(a - b) for a, b in zip(seen, true, strict=True)) <= 8


@pytest.mark.parametrize("num", [7, 8, 13])
def test_a_long_film_goes_over_rows_that_fit_the_page_unscaled(num):
    labels = [f"share {i}" for i in range(num)]
    image = read_image(make_slider(paint(num), labels, alt="blues"))
    assert int(image["width"]) <= 6 * 132
    assert read_strip(image).width == int(image["width"])


@pytest.mark.parametrize("side, zoom", [(40, 6), (128, 2), (260, 1)])
def test_a_frame_is_enlarged_by_a_whole_number(side, zoom):
    page = make_slider(paint(), LABELS, alt="blues", side=side)
    settings = json.loads(read_image(page)["data-slider"])
    assert (settings["side"], settings["zoom"]) == (side, zoom)


def test_the_script_needs_no_kernel_and_stays_in_its_tag():
    image = read_image(make_slider(paint(), LABELS, alt="blues"))
    assert image["onload"] == image_slider.SCRIPT.strip()
    for word in ("Jupyter", "kernel", "require", "import", "fetch", "http"):
        assert word not in image["onload"]
    page = make_slider(paint(), LABELS, alt="blues")
    assert page.count(">") == 5  # the tags' own: all others are escaped


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(ImageError, match="2 labels"):
        make_slider(paint(), LABELS[:2], alt="blues")
    with pytest.raises(ImageError, match="no pictures"):
        make_slider([], [], alt="nothing")
    with pytest.raises(ImageError, match="no frame 3"):
        make_slider(paint(), LABELS, alt="blues", start=3)


def test_a_shown_slider_is_one_html_output(monkeypatch):
    shown = []
    monkeypatch.setattr(image_slider, "display", shown.append)
    show_slider(paint(), LABELS, alt="blues", caption="three", start=2)
    assert [output.data for output in shown] == [
        make_slider(paint(), LABELS, alt="blues", caption="three", start=2)
    ]
