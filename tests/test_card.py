"""The card of measures of the tiny models counts what it says."""

from types import SimpleNamespace

import pytest

from tutorial_lib.tiny import card


def test_readings_are_counted_where_there_is_a_truth(monkeypatch):
    judges = SimpleNamespace(
        attributes=SimpleNamespace(
            labels={"object": [], "hair": [], "way": []}
        )
    )
    seen = [
        {"object": "mug", "hair": "long", "way": "rug"},
        {"object": "bag", "hair": "bob", "way": "rug"},
    ]
    truth = [{"object": "mug"}, {"object": "mug", "hair": "bob"}]
    monkeypatch.setattr(card, "read_attributes", lambda *_: seen)
    found = card.measure_reading(judges, ["", ""], truth)
    assert found == {"object": 0.5, "hair": 1.0}


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
    assert card.names_style(caption, style) is named


def test_numbers_are_rounded_however_deep_they_lie():
    assert card.round_all({"a": {"b": 0.12345}, "c": 2.0}) == {
        "a": {"b": 0.123}, "c": 2.0,
    }
