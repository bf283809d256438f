"""Concepts for the judges: groups that are hard to tell apart, and loose ones.

A judge of patterns or of people has to see the least difference that an eye
sees; a reader of numbers has to know what lies beyond the world's ranges,
for generated images go there.
"""

import dataclasses
import random
from typing import Any

from tutorial_lib.world import (
    FACE_RANGES,
    Concept,
    Pattern,
    Person,
    lookalikes,
    visible_distance,
)

GROUP_SIZE = 8  # concepts that one description fits
NUM_LOOKALIKES = 3  # of them drawn at random; the others are neighbours
NEAREST = 0.6  # visible steps: judges learn to see more than an eye must
COLOR_SPREAD = 14.0  # bytes by which a neighbour's colour moves
MIN_CONTRAST = 70.0  # of loose colours on their ground, in bytes
PATTERN_COLORS = ("color_rgb", "second_rgb", "background_rgb")
PERSON_COLORS = ("skin_rgb", "hair_rgb", "eye_rgb", "shirt_rgb")

RGB = tuple[int, int, int]


def make_group(concept: Concept, rng: random.Random) -> list[Concept]:
    """Return a concept among others that the same description fits.

    Some are random lookalikes; the others are its neighbours, which differ
    from it in one thing or two, by no less than `NEAREST`.
    """
    group = [concept]
    group += lookalikes(concept, NUM_LOOKALIKES, rng.getrandbits(32))
    while len(group) < GROUP_SIZE:
        neighbour = change_little(rng.choice(group), rng)
        steps = min(visible_distance(neighbour, other) for other in group)
        if steps >= NEAREST:
            group.append(neighbour)
    return group


def change_little(concept: Concept, rng: random.Random) -> Concept:
    """Change one thing or two of a concept that its description leaves out."""
    for _ in range(rng.choice((1, 1, 2))):
        if isinstance(concept, Pattern):
            changes = _change_pattern(concept, rng)
        else:
            changes = _change_person(concept, rng)
        concept = dataclasses.replace(concept, **changes)
    return concept


def _change_pattern(pattern: Pattern, rng: random.Random) -> dict[str, Any]:
    """Change period, angle, offset of the rows or one colour of a pattern."""
    name = rng.choice(
        ("period", "period", "angle", "stagger", *PATTERN_COLORS)
    )
    if name == "period":
        factor = 1 + rng.uniform(0.06, 0.25)
        period = pattern.period * rng.choice((factor, 1 / factor))
        return {name: min(0.56, max(0.28, period))}
    if name == "angle":
        return {name: rng.choice((0.0, 45.0, 90.0))}
    if name == "stagger":
        return {name: 0.5 - pattern.stagger}
    return {name: move_color(getattr(pattern, name), rng)}


def _change_person(person: Person, rng: random.Random) -> dict[str, Any]:
    """Change one number of a face, or one colour of a person."""
    name = rng.choice((*FACE_RANGES, *PERSON_COLORS))
    if name in FACE_RANGES:
        return {name: rng.uniform(*FACE_RANGES[name])}
    return {name: move_color(getattr(person, name), rng)}


def move_color(color: RGB, rng: random.Random) -> RGB:
    """Move the channels of a colour, at random."""
    red, green, blue = (
        round(min(255, max(0, channel + rng.gauss(0, COLOR_SPREAD))))
        for channel in color
    )
    return red, green, blue


# --- beyond the world's ranges ---------------------------------------------


def loosen(concept: Concept, rng: random.Random) -> tuple[Concept, set[str]]:
    """Move a concept out of the world's ranges.

    Returns it with the names of the labels that fit no longer.
    """
    if isinstance(concept, Pattern):
        return _loosen_pattern(concept, rng)
    changes: dict[str, Any] = {}
    for name, (low, high) in FACE_RANGES.items():
        margin = 0.25 * (high - low)
        changes[name] = rng.uniform(low - margin, high + margin)
    # A list: a set's order, and with it the colours, would be by chance.
    loose = [name for name in PERSON_COLORS if rng.random() < 0.3]
    changes |= {name: sample_color(rng) for name in loose}
    labels = {"hair_rgb": "hair_color", "eye_rgb": "eye_color"}
    return (
        dataclasses.replace(concept, **changes),
        {label for name, label in labels.items() if name in loose},
    )


def _loosen_pattern(
    pattern: Pattern, rng: random.Random
) -> tuple[Pattern, set[str]]:
    """Give a pattern any period, angle and offset, and some any colours."""
    ground = pattern.background_rgb
    misfits = set()
    if rng.random() < 0.3:
        ground = sample_color(rng)
        misfits.add("background")
    prints = [pattern.color_rgb, pattern.second_rgb]
    for index in range(2):
        while rng.random() < 0.3 or _differ(prints[index], ground) < (
            MIN_CONTRAST
        ):
            prints[index] = sample_color(rng)
            misfits |= {"color"} if index == 0 else set()
    loose = dataclasses.replace(
        pattern,
        period=rng.uniform(0.26, 0.60),
        angle=rng.uniform(-30, 120) if rng.random() < 0.7 else pattern.angle,
        stagger=rng.random() if rng.random() < 0.5 else pattern.stagger,
        color_rgb=prints[0],
        second_rgb=prints[1],
        background_rgb=ground,
    )
    return loose, misfits


def sample_color(rng: random.Random) -> RGB:
    """Sample any colour."""
    return rng.randrange(256), rng.randrange(256), rng.randrange(256)


def _differ(color: RGB, other: RGB) -> float:
    """Return the distance of two colours in bytes."""
    pairs = zip(color, other, strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5
