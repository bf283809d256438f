"""Two names in one prompt: which come out right, and where one looks."""

from types import SimpleNamespace

import pytest

from tutorial_lib.evaluation import pairs
from tutorial_lib.evaluation.judges import embed_with_judge, load_judges
from tutorial_lib.generation import decode_latents, encode_images
from tutorial_lib.world import new_concept, wearers


@pytest.fixture(scope="module")
def judges():
    """Return the shipped judges."""
    return load_judges()


def test_both_are_right_only_if_one_image_shows_both():
    shares = pairs.share_pairs(
        [(True, False), (False, True), (True, True), (False, False)], count=2
    )
    values = {name: share["value"] for name, share in shares.items()}
    assert values == {"person": 0.5, "pattern": 0.5, "both": 0.25}
    # Pairs, not images, are resampled: one pair has both, half the time.
    assert shares["both"]["low"] == 0 and shares["both"]["high"] == 0.5


def test_two_names_are_judged_by_a_judge_each(models, monkeypatch):
    judges = SimpleNamespace(of_kind=lambda kind: kind)
    monkeypatch.setattr(pairs, "NUM_PAIRS", 1)
    monkeypatch.setattr(
        pairs,
        "WearerGalleryBuilder",
        lambda judge, kind: SimpleNamespace(
            build=lambda concept: (kind, concept)
        ),
    )
    asked = []

    def identity(judge, images, gallery):
        sizes = {image.size for image in images}
        asked.append((judge, gallery[0], len(images), *sizes))
        return [judge == "person"] * len(images)

    monkeypatch.setattr(pairs, "identity", identity)
    rows = pairs.measure_pairs(models, judges, count=2)
    assert list(rows) == ["drawn", "decoded", "generated"]
    for shares in rows.values():
        values = {name: share["value"] for name, share in shares.items()}
        assert values == {"person": 1.0, "pattern": 0.0, "both": 0.0}
    head, shirt = ("person", "person", 2), ("pattern", "pattern", 2)
    assert [judged[:3] for judged in asked] == [head, shirt] * 3
    heads, shirts = asked[0][3], asked[1][3]
    assert heads[0] == shirts[0] and heads[1] > 2 * shirts[1]


def test_a_decoded_image_shows_what_was_rendered(models):
    names = [("a", new_concept("person", 1)), ("b", new_concept("pattern", 1))]
    rows = pairs.make_pair_images(models, *names, count=2)
    assert [len(images) for images in rows.values()] == [2, 2, 2]
    latents = encode_images(models, rows["drawn"])
    assert rows["decoded"] == decode_latents(models, latents)
    assert rows["decoded"] != rows["drawn"]


def test_wearers_share_one_concept_and_nothing_else(monkeypatch):
    monkeypatch.setattr(wearers, "render_scene", lambda scene, size: scene)
    person = new_concept("person", 1)
    scenes = pairs.render_wearers(person, 3, 64)
    assert {scene.person for scene in scenes} == {person}
    assert len({scene.pattern for scene in scenes}) == 3
    pattern = new_concept("pattern", 1)
    scenes = pairs.render_wearers(pattern, 3, 64)
    assert {scene.pattern for scene in scenes} == {pattern}
    assert len({scene.person for scene in scenes}) == 3
    assert {scene.style for scene in scenes} == {"photo"}


@pytest.mark.parametrize("kind", ["person", "pattern"])
def test_the_shipped_judges_tell_heads_and_shirts_apart(judges, kind):
    judge = judges.of_kind(kind)
    builder = pairs.WearerGalleryBuilder(judge, kind, images_each=6)
    concepts = [new_concept(kind, seed) for seed in range(4)]
    references = [builder.embed(concept) for concept in concepts]
    assert all(r.norm().item() == pytest.approx(1) for r in references)
    for number, concept in enumerate(concepts):
        # Other wearers than those of the references, who are the first six.
        photos = pairs.render_wearers(concept, 9, judge.trunk.size)[6:]
        vectors = embed_with_judge(judge, pairs.cut_part(photos, kind))
        nearest = [
            max(range(4), key=lambda i: float(vector @ references[i]))
            for vector in vectors
        ]
        assert nearest.count(number) >= 2
