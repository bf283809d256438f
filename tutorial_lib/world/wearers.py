"""People who wear patterns: rendering them, cutting out head or shirt."""

import random

from PIL import Image

from tutorial_lib.world.patterns import Pattern
from tutorial_lib.world.people import Person
from tutorial_lib.world.scenes import person_scene, render_scene

# Left, top, right and bottom in shares of the image: head, shirt.
PARTS = {"person": (0.1, 0.0, 0.9, 0.8), "pattern": (0.1, 0.7, 0.9, 1.0)}


def render_wearer(
    person: Person,
    pattern: Pattern,
    rng: random.Random,
    size: int,
    style: str | None = "photo",
) -> Image.Image:
    """Render a person who wears a pattern, `size` pixels wide.

    `style` None means any style.
    """
    scene = person_scene(person, rng, style=style, pattern=pattern)
    return render_scene(scene, size)


def cut_part(images: list[Image.Image], kind: str) -> list[Image.Image]:
    """Cut out what shows a concept of this kind: the head or the shirt.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    left, top, right, bottom = PARTS[kind]
    return [
        image.crop(
            (
                round(left * image.width),
                round(top * image.height),
                round(right * image.width),
                round(bottom * image.height),
            )
        )
        for image in images
    ]
