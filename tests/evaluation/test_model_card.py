"""The card of measures of the tiny models counts what it says."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from tutorial_lib.evaluation import card_tables, model_card
from tutorial_lib.evaluation.captioned_images import CaptionedImages


def test_readings_are_counted_where_there_is_a_truth(monkeypatch):
    judges = SimpleNamespace(
        attributes=SimpleNamespace(
            labels={"object": [], "hair": [], "motif": []}
        )
    )
    readings = [
        {"object": "mug", "hair": "long", "motif": "stars"},
        {"object": "bag", "hair": "bob", "motif": "stars"},
    ]
    truth = [
        {"object": "mug", "motif": "stars"},
        {"object": "mug", "hair": "bob", "motif": "dots", "way": "rug"},
    ]
    monkeypatch.setattr(model_card, "read_attributes", lambda *_: readings)
    shares = model_card.measure_reading(judges, ["", ""], truth)
    values = {name: share["value"] for name, share in shares.items()}
    assert values == {
        "object": 0.5,
        "hair": 1.0,
        "motif": 1.0,
        "motif on a corgi": 0.0,
    }
    assert shares["object"]["low"] == 0 and shares["object"]["high"] == 1


@pytest.mark.parametrize(
    "caption, style, named",
    [
        ("a photo of a corgi", "photo", True),
        ("a corgi", "photo", False),
        ("an illustration of tokyo", "anime illustration", True),
        ("a watercolour of mary", "photo", False),
    ],
)
def test_a_caption_that_names_its_style_is_told_from_others(
    caption, style, named
):
    assert model_card.names_style(caption, style) is named


def test_numbers_are_rounded_however_deep_they_lie():
    assert model_card.round_all({"a": {"b": 0.12345}, "c": 2.0}) == {
        "a": {"b": 0.123},
        "c": 2.0,
    }


def test_captions_to_generate_from_name_their_style_and_the_way():
    sampled = model_card.sample_captions(40, 16)
    assert sampled.pixels.shape == (40, 16, 16, 3) and sampled.pixels.any()
    assert len(set(sampled.captions)) > 30
    for caption, label in zip(sampled.captions, sampled.labels, strict=True):
        assert model_card.names_style(caption, label["style"])
        assert "way" not in label
    assert model_card.sample_captions(2, 16).captions == sampled.captions[:2]


def test_a_batch_of_images_lies_between_minus_one_and_one():
    pixels = np.zeros((3, 8, 8, 3), np.uint8)
    pixels[1, :, :, 2] = 255
    images = CaptionedImages(pixels, [""] * 3, [{}] * 3)
    batch = images.batch(torch.tensor([1, 0]), "cpu")
    assert batch.shape == (2, 3, 8, 8) and batch.dtype == torch.float32
    assert batch[:, :, 0, 0].tolist() == [[-1, -1, 1], [-1, -1, -1]]


def test_the_sheet_shows_each_image_below_what_it_should_show(tmp_path):
    count = model_card.SHEET_ROWS * model_card.SHEET_COLUMNS
    black = CaptionedImages(
        np.zeros((count, 8, 8, 3), np.uint8), [""] * count, [{}] * count
    )
    red = [Image.new("RGB", (8, 8), "red")] * count
    model_card.save_sheet(black, red, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    rows = [sheet[50 + 132 * i, 50].tolist() for i in range(4)]
    assert rows == [[0, 0, 0], [255, 0, 0]] * 2


def make_card(value: float) -> dict:
    """Make a card on which every share is the same."""
    share = {"value": value, "low": value - 0.02, "high": value + 0.02}
    card = {}
    for _, keys, _ in card_tables.MEASURES:
        *outer, last = keys.split()
        inner = card
        for key in outer:
            inner = inner.setdefault(key, {})
        inner[last] = share
    card["clip_zero_shot"] = {"motif": share}
    for source in card_tables.SOURCES:
        card[f"judges_read_{source}"] = {"hair_color": share}
    return card


def test_each_share_stands_with_its_interval_and_its_aim():
    text = card_tables.format_tables(make_card(0.5))
    assert text.count("50 % (48 to 52)") == len(card_tables.MEASURES) + 3
    assert "| 0.5 dB (0.5 to 0.5) | 30 dB |" in text
    assert f"| hair color {3 * '| 50 % (48 to 52) '}| 90 % |" in text


def test_a_page_is_filled_between_its_marks_again_and_again(tmp_path):
    page = tmp_path / "README.md"
    card_tables.fill_page(page, make_card(0.5))
    assert not page.exists()
    page.write_text("no place", encoding="utf-8")
    card_tables.fill_page(page, make_card(0.5))
    assert page.read_text(encoding="utf-8") == "no place"
    page.write_text(f"a {card_tables.BEGIN} old {card_tables.END} z")
    for value in (0.5, 0.6):
        card_tables.fill_page(page, make_card(value))
    text = page.read_text(encoding="utf-8")
    assert text.startswith("a ") and text.endswith(" z")
    assert card_tables.format_tables(make_card(0.6)) in text
    assert "50 %" not in text and "old" not in text


def make_evaluation(kind: str) -> dict:
    """Make the evaluation of a word that is the same in every row."""
    share = {"value": 0.9, "low": 0.8, "high": 1.0, "worst": 0.7}
    off = {"motif right": share, "period": share, "color": share}
    return {
        "kind": kind,
        "seeds": [101, 102],
        "share_of_drawn": share,
        "cosine": dict.fromkeys(("x", "drawn", "description"), share),
        "off": dict.fromkeys(("x", "drawn", "description"), off),
    }


def test_the_tables_say_how_near_learned_words_come():
    evaluations = {"person": make_evaluation("person")}
    text = card_tables.format_tables(make_card(0.5), evaluations)
    assert text.startswith(card_tables.format_tables(make_card(0.5)))
    lines = text.splitlines()
    start = lines.index(
        "| X of 2 unseen people | X | drawn | plain description | aim |"
    )
    near = "0.90 (0.80 to 1.00), worst 0.70"
    right, period, color = (
        " | ".join([cell] * 3)
        for cell in (
            "90 % (80 to 100)",
            "0.9 % (0.8 to 1.0)",
            "0.9 (0.8 to 1.0)",
        )
    )
    assert lines[start + 2 :] == [
        "| first of 100, as a share of the drawn | 90 % (80 to 100) "
        "| | | 97 % |",
        "| cosine with the truth, as a share of the drawn "
        f"| {near} | | {near} | 0.98, worst 0.95 |",
        f"| motif right | {right} | |",
        f"| period | {period} | |",
        f"| color | {color} | |",
    ]


def test_an_evaluation_of_before_has_no_table(tmp_path):
    assert card_tables.load_evaluations(tmp_path) == {}
    (tmp_path / "person.json").write_text('{"kind": "person"}')
    stored = card_tables.load_evaluations(tmp_path)
    assert stored == {"person": {"kind": "person"}}
    text = card_tables.format_tables(make_card(0.5), stored)
    assert text == card_tables.format_tables(make_card(0.5))
