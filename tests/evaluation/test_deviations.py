"""How far off images are, in numbers and in words."""

from dataclasses import replace

import pytest
import torch
from PIL import Image
from red_and_blue import make_pattern

from tutorial_lib import world
from tutorial_lib.errors import JudgeError
from tutorial_lib.evaluation import deviations
from tutorial_lib.evaluation.deviations import (
    describe_deviation,
    measure_deviations,
    measure_mean_deviation,
)
from tutorial_lib.evaluation.judge_networks import AttributeJudge
from tutorial_lib.evaluation.judges import Reading, read_images
from tutorial_lib.world.measures import (
    NUMBERS,
    measure_pattern,
    measure_person,
)

IMAGE = Image.new("RGB", (16, 16))
PATTERN = make_pattern("dots")
PERSON = replace(world.new_concept("person", 1), hair="long", mark="mole")


class Reader:
    """A judge that reads in an image whatever it is told."""

    numbers = dict.fromkeys(NUMBERS, (0.0, 1.0))


@pytest.fixture
def see(monkeypatch):
    """Return a function that measures what a concept that is seen is off."""

    def measure(seen, truth):
        numbers = dict.fromkeys(NUMBERS, 0.0)
        if isinstance(seen, world.Pattern):
            numbers |= measure_pattern(seen)
            labels = {
                "motif": seen.motif,
                "second_motif": seen.other_motif or "none",
            }
        else:
            numbers |= measure_person(seen)
            labels = world.attributes(seen)
        reading = Reading(labels, numbers)
        monkeypatch.setattr(deviations, "read_images", lambda *_: [reading])
        [deviation] = measure_deviations(Reader(), [IMAGE], truth)
        return deviation

    return measure


def test_the_truth_itself_is_not_off(see):
    deviation = see(PATTERN, PATTERN)
    assert deviation.right == {"motif": 1.0}
    assert deviation.off == pytest.approx(
        dict.fromkeys(deviation.off, 0), abs=1e-6
    )
    assert describe_deviation(deviation, PATTERN) == (
        "right motif, right colours"
    )
    deviation = see(PERSON, PERSON)
    assert set(deviation.right.values()) == {1.0}
    assert max(deviation.off.values()) < 1e-6
    assert describe_deviation(deviation, PERSON) == (
        "right features, right colours"
    )


def test_each_difference_has_its_unit(see):
    seen = replace(
        PATTERN, period=0.42, angle=20.0, color_rgb=(200, 45, 30), stagger=0.5
    )
    off = see(seen, replace(PATTERN, stagger=0.25)).off
    assert off["period"] == pytest.approx(5)
    assert off["angle"] == pytest.approx(20)
    assert off["offset"] == pytest.approx(0.25)
    assert off["second"] == off["background"] == 0
    assert off["color"] == pytest.approx(
        world.color_difference(
            world.to_lab((200, 45, 30)), world.to_lab((200, 30, 30))
        )
    )


def test_a_sentence_says_what_an_eye_may_see(see):
    seen = replace(PATTERN, period=0.42, color_rgb=(207, 55, 42))
    deviation = see(seen, PATTERN)
    assert describe_deviation(deviation, PATTERN) == (
        "right motif, period 5 % too long, red off by 4"
    )
    seen = replace(PATTERN, motif="stars", period=0.36, angle=30.0)
    truth = replace(PATTERN, motif="stars")
    assert describe_deviation(see(seen, truth), PATTERN) == (
        "right motif, period 10 % too short, turned by 30 degrees, "
        "right colours"
    )
    wrong = see(replace(PATTERN, motif="rings"), PATTERN)
    assert describe_deviation(wrong, PATTERN).startswith("wrong motif")


def test_two_motifs_may_stand_in_any_order_with_their_colours_or_not(see):
    swapped = replace(
        PATTERN, color_rgb=PATTERN.second_rgb, second_rgb=PATTERN.color_rgb
    )
    assert see(swapped, PATTERN).off["color"] == 0
    mixed = replace(PATTERN, other_motif="stars")
    other = replace(mixed, motif="stars", other_motif="dots")
    assert see(other, mixed).right["motif"] == 1
    assert see(replace(swapped, other_motif="stars"), mixed).off["color"] > 9
    assert see(PATTERN, mixed).right["motif"] == 0


def test_a_person_is_off_in_features_face_and_colours(see):
    seen = replace(
        PERSON,
        mark="none",
        glasses="round" if PERSON.glasses == "none" else "none",
        face_width=PERSON.face_width + 0.06,
        skin_rgb=(10, 20, 30),
    )
    deviation = see(seen, PERSON)
    assert deviation.off["face"] == pytest.approx(100 / 9)
    text = describe_deviation(deviation, PERSON)
    assert text.startswith("wrong glasses and mark, face off by 11 % of its")
    assert "skin off by" in text and "hair" not in text


def test_readings_of_several_images_are_averaged(monkeypatch):
    seen = [
        replace(PATTERN, period=0.4 * 1.05, color_rgb=(210, 40, 20)),
        replace(PATTERN, period=0.4 / 1.05, color_rgb=(190, 20, 40)),
        replace(PATTERN, motif="stars"),
    ]
    first, second = seen[1].color_rgb, seen[1].second_rgb
    seen[1] = replace(seen[1], color_rgb=second, second_rgb=first)
    empty = dict.fromkeys(NUMBERS, 0.0)
    labels = [{"motif": s.motif, "second_motif": "none"} for s in seen]
    numbers = [empty | measure_pattern(s) for s in seen]
    readings = [Reading(*pair) for pair in zip(labels, numbers, strict=True)]
    monkeypatch.setattr(deviations, "read_images", lambda *_: readings)
    single = measure_deviations(Reader(), [IMAGE] * 3, PATTERN)
    together = measure_mean_deviation(Reader(), [IMAGE] * 3, PATTERN)
    assert together.right["motif"] == pytest.approx(2 / 3)
    assert [d.off["period"] for d in single] == pytest.approx(
        [5, -100 * (1 - 1 / 1.05), 0]
    )
    assert together.off["period"] == pytest.approx(0, abs=1e-6)
    assert together.off["color"] < 1 < single[0].off["color"]
    monkeypatch.setattr(deviations, "read_images", lambda *_: [])
    with pytest.raises(JudgeError, match="no image"):
        measure_mean_deviation(Reader(), [], PATTERN)


def test_what_is_read_in_drawn_images_counts_as_the_truth(monkeypatch):
    usual = replace(
        PATTERN, period=0.44, motif="rings", background_rgb=(240, 230, 230)
    )
    longer = replace(usual, period=0.44 * 1.1)
    rows = iter([usual, longer])  # the drawn images, then the others

    def read(_judge, images):
        seen = next(rows)
        labels = {"motif": seen.motif, "second_motif": "none"}
        numbers = dict.fromkeys(NUMBERS, 0.0) | measure_pattern(seen)
        return [Reading(labels, numbers)] * len(images)

    monkeypatch.setattr(deviations, "read_images", read)
    drawn, images = [IMAGE] * 3, [IMAGE] * 2
    deviation = measure_mean_deviation(Reader(), images, PATTERN, drawn)
    assert deviation.right == {"motif": 1}
    assert deviation.off["period"] == pytest.approx(10)
    assert deviation.off["background"] == pytest.approx(0, abs=1e-6)


def test_a_judge_that_reads_labels_only_is_refused():
    judge = AttributeJudge(16, {"motif": ["dots", "stars"]})
    with pytest.raises(JudgeError, match="reads no numbers"):
        measure_deviations(judge, [IMAGE], PATTERN)


def test_numbers_are_read_in_their_own_units():
    scales = {"log_period": [-0.9, 0.1], "nose": [0.03, 0.01]}
    judge = AttributeJudge(
        16, {"motif": ["dots", "stars"]}, pooling="all", numbers=scales
    )
    torch.nn.init.zeros_(judge.number_head.weight)
    judge.number_head.bias.data = torch.tensor([1.0, -2.0])
    readings = read_images(judge, [IMAGE] * 3, batch_size=2)
    assert len(readings) == 3
    assert readings[2].numbers == pytest.approx(
        {"log_period": -0.8, "nose": 0.01}
    )
    assert readings[2].labels["motif"] in ("dots", "stars")
    assert read_images(judge, []) == []
