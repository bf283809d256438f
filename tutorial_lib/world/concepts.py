"""Concepts: named ones that the tiny models know, and new ones."""

import functools
import random
from pathlib import Path

from PIL import Image

from tutorial_lib.world.patterns import Pattern, sample_pattern
from tutorial_lib.world.people import Person, sample_person
from tutorial_lib.world.scenes import pattern_scene, person_scene, render_scene

KIND_NAMES = ("pattern", "person")
NAMES = Path(__file__).parent / "names"


def new_concept(kind: str, seed: int) -> Pattern | Person:
    """Return a concept that no training picture used.

    `kind` is "pattern" or "person"; every seed gives another concept.
    Raises ValueError for another kind.
    """
    return sample_concept(kind, random.Random(f"new {kind} {seed}"))


def sample_concept(kind: str, rng: random.Random) -> Pattern | Person:
    """Draw a concept of a kind at random."""
    if kind not in KIND_NAMES:
        raise ValueError(
            f'A concept is a "pattern" or a "person", not "{kind}".'
        )
    sample = sample_pattern if kind == "pattern" else sample_person
    return sample(rng)


def kind_of(concept: Pattern | Person) -> str:
    """Return "pattern" or "person"."""
    return "pattern" if isinstance(concept, Pattern) else "person"


@functools.cache
def named_concepts(kind: str) -> dict[str, Pattern | Person]:
    """Return the concepts that have a name in this world, 1,024 a kind.

    Patterns are named after places, people have first names. Each name is
    a single token of CLIP's vocabulary.
    """
    file = {"pattern": "patterns.txt", "person": "people.txt"}[kind]
    names = (NAMES / file).read_text(encoding="utf-8").split()
    return {
        name: sample_concept(kind, random.Random(f"named {kind} {name}"))
        for name in names
    }


def lookalikes(
    concept: Pattern | Person,
    count: int,
    seed: int,
) -> list[Pattern | Person]:
    """Return other concepts that the very same plain description fits."""
    rng = random.Random(f"lookalikes {seed} {concept}")
    sample = {"pattern": sample_pattern, "person": sample_person}
    sample = sample[kind_of(concept)]
    return [sample(rng, words=told_words(concept)) for _ in range(count)]


def told_words(concept: Pattern | Person) -> tuple:
    """Return what a plain description tells of a concept."""
    if isinstance(concept, Pattern):
        return (
            concept.motif,
            concept.other_motif,
            concept.color,
            concept.background,
        )
    return (
        concept.gender,
        concept.hair,
        concept.hair_color,
        concept.glasses,
        concept.beard,
        concept.moustache,
    )


def attributes(concept: Pattern | Person) -> dict[str, str]:
    """Return the attributes of a concept that a judge can be asked for."""
    if isinstance(concept, Pattern):
        return {
            "motif": concept.motif,
            "color": concept.color,
            "background": concept.background,
        }
    face = "beard" if concept.beard else "none"
    return {
        "gender": concept.gender,
        "hair": concept.hair,
        "hair_color": concept.hair_color,
        "glasses": concept.glasses,
        "eye_color": concept.eye_color,
        "facial_hair": "moustache" if concept.moustache else face,
        "mark": concept.mark,
    }


def render_concept(
    concept: Pattern | Person,
    count: int,
    seed: int,
    size: int,
    style: str | None = "photo",
    carrier: str | None = "T-shirt",
) -> list[Image.Image]:
    """Draw pictures of a concept, each from another moment.

    A pattern is drawn on a `carrier` (a thing's name, "corgi", or None for
    any thing), a person as a portrait. `style` None means any style.
    Returns `count` RGB pictures of `size` x `size` pixels.
    """
    rng = random.Random(f"draw {seed} {concept}")
    images = []
    for _ in range(count):
        if isinstance(concept, Pattern):
            scene = pattern_scene(concept, rng, subject=carrier, style=style)
        else:
            scene = person_scene(concept, rng, style=style)
        images.append(render_scene(scene, size))
    return images
