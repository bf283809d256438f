"""Portraits: a person as photo, anime illustration or other style.

An anime illustration keeps the person (skin, hair, eyes, glasses, marks)
and changes the drawing: large eyes, a pointed chin, a tiny nose.
"""

import random

from PIL import Image

from tutorial_lib.world.canvas import Canvas, Points, mirror, smooth
from tutorial_lib.world.colors import RGB, blend
from tutorial_lib.world.face import INK, render_face, render_glasses
from tutorial_lib.world.hair import render_hair_before, render_hair_behind
from tutorial_lib.world.patterns import Pattern, paint_pattern
from tutorial_lib.world.people import Person


def render_portrait(
    canvas: Canvas,
    person: Person,
    pattern: Pattern | None,
    rng: random.Random,
) -> None:
    """Render head and shoulders; a pattern, if any, covers the shirt."""
    canvas.place(
        0.5 + rng.uniform(-0.04, 0.04),
        0.465 + rng.uniform(-0.025, 0.025),
        scale=rng.uniform(1.0, 1.12),
        angle=rng.gauss(0, 2.5),
    )
    anime = canvas.style == "anime illustration"
    render_hair_behind(canvas, person)
    _render_shirt(canvas, person, pattern, rng)
    _render_head(canvas, person, anime)
    if person.beard:
        _render_beard(canvas, person)
    render_face(canvas, person, anime)
    render_hair_before(canvas, person, anime)
    if person.glasses != "none":
        render_glasses(canvas, person, anime)


def _render_shirt(
    canvas: Canvas,
    person: Person,
    pattern: Pattern | None,
    rng: random.Random,
) -> None:
    """Render the shirt and the neck."""
    half = [
        (0.0, 0.33),
        (0.09, 0.335),
        (0.22, 0.375),
        (0.35, 0.42),
        (0.42, 0.50),
        (0.45, 0.70),
        (0.0, 0.70),
    ]
    cloth: RGB | Image.Image = person.shirt_rgb
    if pattern:
        cloth = paint_pattern(pattern, canvas, rng, (0.0, 0.47), 0.75)
    canvas.solid(cloth, smooth(mirror(half), rounds=1))
    neck = [
        (-0.085, 0.2),
        (0.085, 0.2),
        (0.09, 0.33),
        (0.0, 0.40),
        (-0.09, 0.33),
    ]
    canvas.polygon(neck, blend(person.skin_rgb, INK, 0.16))


def face_outline(person: Person, anime: bool) -> Points:
    """Return the face, with a pointed chin in an anime illustration."""
    w, h = person.face_width, person.face_height
    jaw = 0.80 if person.gender == "man" else 0.66
    chin = 0.22 if anime else 0.42 if person.gender == "man" else 0.34
    half = [
        (0.0, -h * 1.07),
        (0.55 * w, -h * 1.05),
        (0.93 * w, -0.80 * h),
        (w * 1.03, -0.3 * h),
        (w * 1.02, 0.1 * h),
        (w * 0.95, 0.42 * h),
        (w * jaw, 0.72 * h),
        (w * chin, h),
        (0.0, h * 1.02),
    ]
    return smooth(mirror(half))


def _render_head(canvas: Canvas, person: Person, anime: bool) -> None:
    """Render ears, head and cheeks."""
    w, skin = person.face_width, person.skin_rgb
    for side in (-1, 1):
        canvas.ellipse(side * w, 0.02, 0.042, 0.06, skin)
        canvas.ellipse(
            side * w, 0.02, 0.02, 0.034, blend(skin, INK, 0.18), ink=False
        )
    canvas.solid(skin, face_outline(person, anime))
    blush = blend(skin, (240, 110, 110), 0.28 if anime else 0.16)
    for side in (-1, 1):
        canvas.ellipse(side * w * 0.62, 0.095, 0.045, 0.026, blush, ink=False)


def _render_beard(canvas: Canvas, person: Person) -> None:
    """Render a full beard."""
    w, h = person.face_width, person.face_height
    half = [
        (0.0, 0.115),
        (0.09, 0.105),
        (w * 0.80, 0.03),
        (w * 1.0, 0.0),
        (w * 0.97, 0.4 * h),
        (w * 0.80, 0.80 * h),
        (w * 0.42, 1.10 * h),
        (0.0, 1.14 * h),
    ]
    canvas.solid(person.hair_rgb, smooth(mirror(half)), shadow=False)
