"""People who wear patterns: draw them, cut out the head or the shirt."""

import random

from PIL import Image

from tutorial_lib.world.scenes import person_scene, render_scene

# Left, top, right and bottom in shares of the picture: head, shirt.
PARTS = {"person": (0.1, 0.0, 0.9, 0.8), "pattern": (0.1, 0.7, 0.9, 1.0)}


def render_wearer(
    person,
    pattern,
    rng: random.Random,
    size: int,
    style: str | None = "photo",
) -> Image.Image:
    """Draw one picture of a person in a pattern, `size` pixels wide.

    `style` None stands for one at random.
    """
    scene = person_scene(person, rng, style=style, pattern=pattern)
    return render_scene(scene, size)


def cut_part(images: list[Image.Image], kind: str) -> list[Image.Image]:
    """Cut out what shows a concept of this kind: the head or the shirt.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    return [
        image.crop(
            [
                round(share * side)
                for share, side in zip(
                    PARTS[kind], image.size * 2, strict=True
                )
            ]
        )
        for image in images
    ]
