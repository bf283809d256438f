"""Concepts: named ones that the tiny models know, and new ones."""

import functools
import random
from pathlib import Path

from PIL import Image

from tutorial_lib.errors import TutorialError
from tutorial_lib.world.measures import visible_distance
from tutorial_lib.world.patterns import Pattern, sample_pattern
from tutorial_lib.world.people import Person, sample_person
from tutorial_lib.world.scenes import pattern_scene, person_scene, render_scene

Concept = Pattern | Person

KIND_NAMES = ("pattern", "person")
NAMES = Path(__file__).parent / "names"
NAME_FILES = {"pattern": "patterns.txt", "person": "people.txt"}


def new_concept(kind: str, seed: int) -> Concept:
    """Return a concept that no training image shows.

    `kind` is "pattern" or "person"; every seed gives another concept.
    Raises TutorialError for another kind.
    """
    return sample_concept(kind, random.Random(f"new {kind} {seed}"))


def sample_concept(kind: str, rng: random.Random) -> Concept:
    """Sample a concept of a kind; raise TutorialError for another kind."""
    _check_kind(kind)
    return sample_pattern(rng) if kind == "pattern" else sample_person(rng)


def _check_kind(kind: str) -> None:
    """Raise TutorialError unless there is such a kind of concept."""
    if kind not in KIND_NAMES:
        raise TutorialError(
            f'A concept is a "pattern" or a "person", not "{kind}".'
        )


def kind_of(concept: Concept) -> str:
    """Return "pattern" or "person"."""
    return "pattern" if isinstance(concept, Pattern) else "person"


@functools.cache
def named_concepts(kind: str) -> dict[str, Concept]:
    """Return the concepts that have a name in this world, 1,024 a kind.

    Patterns are named after places, people have first names. Each name is
    a single token of CLIP's vocabulary. Raises TutorialError for another
    kind.
    """
    _check_kind(kind)
    names = (NAMES / NAME_FILES[kind]).read_text(encoding="utf-8").split()
    return {
        name: sample_concept(kind, random.Random(f"named {kind} {name}"))
        for name in names
    }


def lookalikes(
    concept: Concept, count: int, seed: int, least_distance: float = 0.0
) -> list[Concept]:
    """Return other concepts that the very same plain description fits.

    None is nearer to the concept than `least_distance`, in visible steps:
    of a step, an eye can just tell two concepts apart.
    """
    rng = random.Random(f"lookalikes {seed} {concept}")
    others: list[Concept] = []
    while len(others) < count:
        other: Concept = (
            sample_pattern(rng, concept.words)
            if isinstance(concept, Pattern)
            else sample_person(rng, concept.words)
        )
        if visible_distance(concept, other) >= least_distance:
            others.append(other)
    return others


def attributes(concept: Concept) -> dict[str, str]:
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
    concept: Concept,
    count: int,
    seed: int,
    size: int,
    style: str | None = "photo",
    carrier: str | None = "T-shirt",
) -> list[Image.Image]:
    """Render `count` images of a concept, each of another scene.

    A pattern is shown on a `carrier` (one of CARRIERS, "corgi", or None for
    any carrier), a person as a portrait. `style` None means any style.
    Images are RGB, of `size` x `size` pixels.
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
