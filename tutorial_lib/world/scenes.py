"""Scenes: which thing, in which style, with which pattern and person."""

import random
from dataclasses import dataclass

from PIL import Image

from tutorial_lib.errors import TutorialError
from tutorial_lib.world.canvas import Canvas
from tutorial_lib.world.carriers import (
    CARRIERS,
    render_carrier,
    sample_carrier,
)
from tutorial_lib.world.colors import COLORS, sample_shade
from tutorial_lib.world.corgi import WAYS, render_corgi
from tutorial_lib.world.patterns import Pattern
from tutorial_lib.world.people import Person
from tutorial_lib.world.portrait import render_portrait
from tutorial_lib.world.styles import sample_style
from tutorial_lib.world.surfaces import apply_surface, paint_backdrop

MIN_SIZE, MAX_SIZE = 16, 1024


@dataclass(frozen=True)
class Scene:
    """Everything an image shows; the seed sets place, light and grain.

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
    """Render a scene as an RGB image of `size` x `size` pixels.

    The same scene shows the same at any size, 16 to 1,024 pixels. Raises
    TutorialError for a size outside, and for a portrait without a person or
    a carrier without a pattern.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise TutorialError(
            f"An image of {size} pixels cannot be rendered; choose a size "
            f"from {MIN_SIZE} to {MAX_SIZE}."
        )
    rng = random.Random(scene.seed)
    canvas = Canvas(max(256, 2 * size), scene.style, rng)
    paint_backdrop(canvas, rng, sample_shade(rng.choice(list(COLORS)), rng))
    _render_subject(canvas, scene, rng)
    return apply_surface(canvas, size, rng)


def _render_subject(canvas: Canvas, scene: Scene, rng: random.Random) -> None:
    """Render what a scene shows before its backdrop."""
    if scene.subject == "corgi":
        render_corgi(canvas, scene.pattern, scene.way, rng)
    elif scene.subject == "portrait" and scene.person:
        render_portrait(canvas, scene.person, scene.pattern, rng)
    elif scene.subject in CARRIERS and scene.pattern:
        render_carrier(canvas, scene.subject, scene.pattern, rng)
    else:
        raise TutorialError(
            f'A scene of "{scene.subject}" cannot be rendered; a "portrait" '
            f"needs a person, and {', '.join(CARRIERS)} need a pattern."
        )


def pattern_scene(
    pattern: Pattern,
    rng: random.Random,
    subject: str | None = None,
    style: str | None = None,
) -> Scene:
    """Put a pattern on a carrier, or with a corgi in one of four ways.

    `subject` and `style` None mean any carrier and any style.
    """
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
    """Make a portrait, with a patterned shirt if a pattern is given.

    `style` None means any style.
    """
    return Scene(
        subject="portrait",
        style=style or sample_style(rng),
        seed=rng.getrandbits(32),
        person=person,
        pattern=pattern,
    )
