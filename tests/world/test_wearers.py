"""People in patterns: their heads and shirts, which judges learn from."""

import random

import numpy as np
import pytest
import torch
from PIL import Image

from tutorial_lib.evaluation.judges import stack_images
from tutorial_lib.training import dataset
from tutorial_lib.training.batches import open_shard
from tutorial_lib.world import KIND_NAMES, new_concept, wearers


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


@pytest.mark.parametrize("number", [0, 1])
def test_a_quarter_of_a_judge_s_images_are_heads_or_shirts(
    number,
    tmp_path,
    monkeypatch,
):
    kind = KIND_NAMES[number]
    others, cuts = set(), []

    def render_wearer(person, pattern, **_):
        """Count who is shown, and render nothing."""
        others.add(pattern if kind == "person" else person)
        cuts.append(person if kind == "person" else pattern)
        return Image.new("RGB", (64, 64), "red")

    monkeypatch.setattr(dataset, "render_wearer", render_wearer)
    monkeypatch.setattr(
        dataset, "render_scene", lambda *_: Image.new("RGB", (64, 64), "blue")
    )
    path = tmp_path / "0000.safetensors"
    dataset.render_judge_shard((path, number, 64))
    pixels = open_shard(path)["pixels"].numpy()
    reds = (pixels == (255, 0, 0)).all(axis=(1, 2, 3))
    _, labels = dataset.read_texts(path)
    assert len(cuts) == reds.sum() and 0.2 < reds.mean() < 0.3
    assert len(others) == len(cuts) > len(set(cuts)) > 100
    assert {label["kind"] for label in labels} == {kind}
    assert len({label["concept"] for label in labels}) == 200
    assert len({label["group"] for label in labels}) == 50


def test_a_judge_is_trained_on_shirts_cut_as_in_its_gallery(monkeypatch):
    monkeypatch.setattr(dataset, "CUT_SHARE", 1.0)
    cuts = []

    def cut_part(images, kind):
        """Cut, and keep what was cut out."""
        cuts.extend(wearers.cut_part(images, kind))
        return cuts

    monkeypatch.setattr(dataset, "cut_part", cut_part)
    pattern = new_concept("pattern", 3)
    part = dataset._render_for_judge(pattern, random.Random(2), 64)
    assert part.size == (64, 64) != cuts[0].size
    # The judge makes a square of a shirt's strip just as training did.
    assert torch.equal(stack_images([part], 64), stack_images(cuts, 64))
    # The shirt fills the lower edge: the pattern's colours are all it shows.
    edge = np.asarray(part)[-6:, 16:-16].reshape(-1, 3).astype(float)
    known = np.array(
        [
            pattern.color_rgb,
            pattern.background_rgb,
            pattern.second_rgb,
        ]
    )
    apart = np.abs(edge[:, None] - known).mean(2).min(1)
    assert np.median(apart) < 30
