"""Scenes: which thing, in which style, with which pattern and person."""

import random
from dataclasses import dataclass

from PIL import Image

from tutorial_lib.world.canvas import Canvas
from tutorial_lib.world.carriers import (
    CARRIER_WEIGHTS,
    CARRIERS,
    render_carrier,
)
from tutorial_lib.world.colors import COLORS, sample_shade
from tutorial_lib.world.corgi import WAYS, render_corgi
from tutorial_lib.world.patterns import Pattern
from tutorial_lib.world.people import Person
from tutorial_lib.world.portrait import render_portrait
from tutorial_lib.world.styles import (
    STYLE_WEIGHTS,
    STYLES,
    finish,
    paint_backdrop,
)

SMALLEST, LARGEST = 16, 1024


@dataclass(frozen=True)
class Scene:
    """Everything a picture shows; the seed sets place, light and grain.

    `subject` is a carrier, "corgi" or "portrait"; `way` says how a corgi
    has its pattern (scarf, coat, rug, wall).
    """

    subject: str
    style: str
    seed: int
    pattern: Pattern | None = None
    person: Person | None = None
    way: str | None = None


def render_scene(scene: Scene, size: int) -> Image.Image:
    """Draw a scene as an RGB picture of `size` x `size` pixels.

    The same scene is the same picture at any size, 16 to 1,024 pixels.
    Raises ValueError for a size outside.
    """
    if not SMALLEST <= size <= LARGEST:
        raise ValueError(
            f"A picture of {size} pixels cannot be drawn; choose a size "
            f"from {SMALLEST} to {LARGEST}."
        )
    rng = random.Random(scene.seed)
    canvas = Canvas(max(256, 2 * size), scene.style, rng)
    paint_backdrop(canvas, rng, sample_shade(rng.choice(list(COLORS)), rng))
    if scene.subject == "portrait":
        render_portrait(canvas, scene.person, scene.pattern, rng)
    elif scene.subject == "corgi":
        render_corgi(canvas, scene.pattern, scene.way, rng)
    else:
        render_carrier(canvas, scene.subject, scene.pattern, rng)
    return finish(canvas, size, rng)


def sample_style(rng: random.Random) -> str:
    """Choose a style, photo and anime illustration most often."""
    return rng.choices(STYLES, STYLE_WEIGHTS)[0]


def sample_carrier(rng: random.Random) -> str:
    """Choose a thing that carries a pattern, the T-shirt most often."""
    return rng.choices(CARRIERS, CARRIER_WEIGHTS)[0]


def pattern_scene(
    pattern: Pattern,
    rng: random.Random,
    subject: str | None = None,
    style: str | None = None,
) -> Scene:
    """Put a pattern on a thing, or with a corgi in one of four ways."""
    subject = subject or sample_carrier(rng)
    return Scene(
        subject=subject,
        style=style or sample_style(rng),
        seed=rng.getrandbits(32),
        pattern=pattern,
        way=rng.choice(WAYS) if subject == "corgi" else None,
    )


def person_scene(
    person: Person,
    rng: random.Random,
    style: str | None = None,
    pattern: Pattern | None = None,
) -> Scene:
    """Make a portrait, with a patterned shirt if a pattern is given."""
    return Scene(
        subject="portrait",
        style=style or sample_style(rng),
        seed=rng.getrandbits(32),
        person=person,
        pattern=pattern,
    )
