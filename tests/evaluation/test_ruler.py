"""The ruler is measured itself: by pairs, and by what is drawn and decoded."""

import random
from types import SimpleNamespace

import pytest
import torch
from PIL import Image, ImageStat

from tutorial_lib import world
from tutorial_lib.evaluation import load_judges, ordering, ruler
from tutorial_lib.evaluation.deviations import Deviation
from tutorial_lib.kinds import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_a_pair_is_nearer_by_construction(kind):
    rng = random.Random(0)
    for seed in range(8):
        concept = world.new_concept(kind, seed)
        near, far = ordering.change_twice(concept, rng)
        steps = [world.visible_distance(concept, o) for o in (near, far)]
        assert 0.9 < steps[0] < 1.6 and 2.7 <= steps[1] < 4
        changed = {
            name
            for name, value in vars(concept).items()
            if getattr(far, name) != value or getattr(near, name) != value
        }
        assert len(changed) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_hard_negatives_differ_in_one_thing_that_can_be_seen(kind):
    concept = world.new_concept(kind, 3)
    others = ordering.make_hard_negatives(concept, seed=1)
    changed = []
    for other in others:
        assert 2.7 <= world.visible_distance(concept, other) < 4
        ours, theirs = vars(concept), vars(other)
        changed += [name for name in ours if ours[name] != theirs[name]]
    assert len(set(changed)) == len(changed) == len(others) >= 3
    assert others == ordering.make_hard_negatives(concept, seed=1)
    assert others != ordering.make_hard_negatives(concept, seed=2)


def test_a_pair_shows_one_scene_softly():
    concept = world.new_concept("pattern", 1)
    near, far = ordering.render_pair(concept, 64, random.Random(2))
    assert near.size == far.size == (64, 64) and near != far
    # The corners show the backdrop alone, which is the same in both.
    assert near.getpixel((1, 1)) == far.getpixel((1, 1))
    sharp = Image.effect_noise((64, 64), 90).convert("RGB")
    soft = ordering.soften(sharp)
    spread = [ImageStat.Stat(image).stddev[0] for image in (sharp, soft)]
    assert spread[1] < 0.6 * spread[0]


def test_the_order_is_told_by_the_cosine_with_the_truth(monkeypatch):
    cosines = iter([[0.9, 0.5], [0.4, 0.6]])
    judge = SimpleNamespace(trunk=SimpleNamespace(size=64))
    judges = SimpleNamespace(of_kind=lambda _: judge)
    monkeypatch.setattr(ordering, "PAIR_SEEDS", [1, 2])
    monkeypatch.setattr(ordering, "render_pair", lambda *_: ["", ""])
    monkeypatch.setattr(ordering, "embed_concept", lambda *_: torch.ones(1))
    monkeypatch.setattr(
        ordering,
        "embed_with_judge",
        lambda *_: torch.tensor(next(cosines))[:, None],
    )
    share = ordering.measure_order(judges, "pattern", pairs_each=1)
    assert share["value"] == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_judges_put_pairs_in_the_right_order(kind):
    assert ordering.measure_order(load_judges(), kind)["value"] >= 0.95


def test_identity_is_measured_on_drawn_and_on_decoded_images(monkeypatch):
    concepts = {"new": [1, 2], "named": [3]}
    monkeypatch.setattr(ruler, "list_ruled", lambda _: concepts)
    monkeypatch.setattr(
        ruler,
        "render_ruled",
        lambda _models, concept, carrier: {
            "drawn": [concept, carrier],
            "decoded": [concept, carrier],
        },
    )
    monkeypatch.setattr(
        ruler, "GalleryBuilder", lambda *_: SimpleNamespace(build=lambda c: c)
    )
    monkeypatch.setattr(
        ruler,
        "identity",
        lambda _, images, gallery: [images[1] is None, gallery == 1],
    )
    judges = SimpleNamespace(of_kind=lambda _: None)
    shares = ruler.measure_identity(None, judges, "pattern")
    for source in ruler.SOURCES:
        values = {k: share["value"] for k, share in shares[source].items()}
        assert values == {"new": 0.75, "new_on_a_corgi": 0.25, "named": 0.5}
    shares = ruler.measure_identity(None, judges, "person")
    assert set(shares["drawn"]) == {"new", "named"}


def test_the_reader_s_error_is_absolute_and_by_attribute():
    by_number = {
        0: [Deviation({"motif": 1.0}, {"period": -4.0, "color": 2.0})],
        1: [Deviation({"motif": 0.0}, {"period": 2.0, "color": 4.0})] * 3,
    }
    shares = ruler.average(by_number)
    values = {name: share["value"] for name, share in shares.items()}
    assert values == {"motif right": 0.25, "period": 2.5, "color": 3.5}
    assert shares["period"]["low"] == 2 and shares["period"]["high"] == 4
