"""People in patterns: their heads and shirts, cut out."""

import random

from PIL import Image

from tutorial_lib.world import new_concept, wearers


def test_a_head_is_the_upper_part_and_a_shirt_the_lower():
    image = Image.new("RGB", (100, 100), "blue")
    image.paste("red", (0, 75, 100, 100))
    head, shirt = (
        wearers.cut_part([image], kind)[0] for kind in ("person", "pattern")
    )
    assert head.size == (80, 80) and shirt.size == (80, 30)
    assert head.getpixel((40, 70)) == (0, 0, 255)
    assert shirt.getpixel((40, 10)) == (255, 0, 0)


def test_a_wearer_is_shown_as_a_photo_or_in_any_style(monkeypatch):
    monkeypatch.setattr(wearers, "render_scene", lambda scene, size: scene)
    pair = [new_concept("person", 1), new_concept("pattern", 1)]
    rng = random.Random(1)
    photos = [wearers.render_wearer(*pair, rng, 64) for _ in range(9)]
    assert {scene.style for scene in photos} == {"photo"}
    mixed = [
        wearers.render_wearer(*pair, rng, 64, style=None) for _ in range(40)
    ]
    assert {scene.style for scene in mixed} >= {"photo", "anime illustration"}
    assert {(scene.person, scene.pattern) for scene in mixed} == {tuple(pair)}
