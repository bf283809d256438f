"""How different colours and concepts look, in numbers."""

import random
from dataclasses import replace

import pytest
from red_and_blue import make_pattern

from tutorial_lib import world
from tutorial_lib.world import patterns
from tutorial_lib.world.measures import NUMBERS

# Sharma, Wu and Dalal (2005), table 1: two colours in CIELAB, CIEDE2000.
PUBLISHED = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1.0000
50 -1.1848 -84.8006 50 0 -82.7485 1.0000
50 -0.9009 -85.5211 50 0 -82.7485 1.0000
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0010 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1.0000
50 2.5 0 50 3.2972 0 1.0000
50 2.5 0 50 1.8634 0.5757 1.0000
50 2.5 0 50 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
""".strip().splitlines()


@pytest.mark.parametrize("line", PUBLISHED)
def test_colour_differences_are_the_published_ones(line):
    *numbers, expected = map(float, line.split())
    color, other = tuple(numbers[:3]), tuple(numbers[3:])
    for pair in ((color, other), (other, color)):
        difference = world.color_difference(*pair)
        assert difference == pytest.approx(expected, abs=1e-4)


def test_colours_turn_into_cielab():
    # Lindbloom's calculator, sRGB to CIELAB of D65.
    assert world.to_lab((255, 0, 0)) == pytest.approx(
        (53.24, 80.09, 67.20), abs=0.01
    )
    assert world.to_lab((255, 255, 255)) == pytest.approx(
        (100, 0, 0), abs=0.01
    )
    assert world.to_lab((0, 0, 0)) == pytest.approx((0, 0, 0), abs=0.01)


@pytest.mark.parametrize(
    "motif, stagger, angle, apart",
    [
        ("dots", 0.0, 90, 0),
        ("dots", 0.5, 90, 90),
        ("hearts", 0.0, 90, 90),
        ("hearts", 0.0, 180, 180),
        ("stripes", 0.0, 180, 0),
        ("stripes", 0.0, 90, 90),
        ("checks", 0.5, 90, 0),
        ("checks", 0.0, 60, 30),
        ("dots", 0.0, 350, 10),
    ],
)
def test_angles_that_look_the_same_are_the_same(motif, stagger, angle, apart):
    pattern = make_pattern(motif, stagger=stagger)
    assert world.angle_between(pattern, angle) == pytest.approx(apart)


def test_angles_that_look_the_same_are_drawn_the_same(monkeypatch):
    monkeypatch.setattr(patterns, "MAX_OFFSET", 0.0)
    rng = random.Random(0)
    for motif, angle in (("dots", 90.0), ("crosses", 90.0), ("rings", 180.0)):
        plain = make_pattern(motif, second_rgb=(200, 30, 30))
        scene = world.pattern_scene(plain, rng, "cushion", "photo")
        images = [
            world.render_scene(replace(scene, pattern=pattern), 64)
            for pattern in (
                plain,
                replace(plain, angle=angle),
                replace(plain, angle=angle / 3),
            )
        ]
        same, other = (
            sum(
                abs(a - b)
                for a, b in zip(
                    images[0].tobytes(), image.tobytes(), strict=True
                )
            )
            for image in images[1:]
        )
        assert same < 0.35 * other, motif


def test_either_colour_of_a_print_may_come_first():
    pattern = make_pattern("dots")
    swapped = replace(
        pattern,
        color_rgb=pattern.second_rgb,
        second_rgb=pattern.color_rgb,
    )
    assert world.visible_distance(pattern, swapped) == 0
    mixed = replace(pattern, other_motif="stars")
    swapped = replace(swapped, other_motif="stars")
    assert world.visible_distance(mixed, swapped) > 3


@pytest.mark.parametrize(
    "motif, change, visible",
    [
        ("dots", {"period": 0.42}, False),
        ("dots", {"period": 0.46}, True),
        ("dots", {"stagger": 0.5}, True),
        ("stripes", {"stagger": 0.5}, False),
        ("dots", {"color_rgb": (203, 32, 28)}, False),
        ("dots", {"color_rgb": (230, 80, 30)}, True),
        ("dots", {"background_rgb": (225, 225, 250)}, True),
    ],
)
def test_what_an_eye_can_tell_is_a_step_or_more(motif, change, visible):
    pattern = make_pattern(motif)
    other = replace(pattern, **change)
    assert (world.visible_distance(pattern, other) >= 1) is visible
    assert world.visible_distance(pattern, other) == pytest.approx(
        world.visible_distance(other, pattern)
    )


def test_people_are_apart_by_their_face_and_their_colours():
    person = replace(world.new_concept("person", 1), face_width=0.22)
    assert world.visible_distance(person, person) == 0
    wide = replace(person, face_width=0.26)
    assert world.visible_distance(person, wide) > 1
    mole = replace(person, mark="mole" if person.mark == "none" else "none")
    assert world.visible_distance(person, mole) == float("inf")


@pytest.mark.parametrize("kind", world.KIND_NAMES)
def test_lookalikes_keep_a_min_distance_where_it_is_asked_for(kind):
    for seed in range(12):
        concept = world.new_concept(kind, seed)
        near = world.lookalikes(concept, 24, 0)
        far = world.lookalikes(concept, 24, 0, min_distance=2.0)
        assert len(near) == len(far) == 24
        distances = [world.visible_distance(concept, other) for other in far]
        assert min(distances) >= 2
        kept = [o for o in near if world.visible_distance(concept, o) >= 2]
        assert far[: len(kept)] == kept  # the same ones, in the same order


@pytest.mark.parametrize("kind", world.KIND_NAMES)
def test_every_concept_has_lookalikes_that_an_eye_can_tell(kind):
    concepts = [world.new_concept(kind, seed) for seed in range(101, 141)]
    concepts += list(world.named_concepts(kind).values())[:40]
    for concept in concepts:
        others = world.lookalikes(concept, 24, 0, min_distance=1.0)
        assert len(others) == 24
        distances = [world.visible_distance(concept, o) for o in others]
        assert min(distances) >= 1


def test_an_image_s_numbers_are_those_that_it_shows():
    rng = random.Random(0)
    pattern, person = (world.new_concept(kind, 2) for kind in world.KIND_NAMES)
    print_numbers = world.measure_scene(world.pattern_scene(pattern, rng))
    plain = world.measure_scene(world.person_scene(person, rng, "photo"))
    worn = world.measure_scene(
        world.person_scene(person, rng, "photo", pattern)
    )
    anime = world.measure_scene(
        world.person_scene(person, rng, "anime illustration")
    )
    assert world.measure_scene(world.Scene("corgi", "photo", 1)) == {}
    assert set(print_numbers) | set(plain) <= set(NUMBERS)
    assert "log_period" in print_numbers and "log_period" not in worn
    assert set(plain) - set(worn) == {
        f"shirt_{axis}" for axis in world.COLOR_AXES
    }
    assert set(plain) - set(anime) == {"nose"}
