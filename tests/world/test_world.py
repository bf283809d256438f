"""The drawn world: lossy in words, and always the same."""

import hashlib
import random
from dataclasses import replace

import numpy as np
import open_clip
import PIL
import pytest
from PIL import Image

from tutorial_lib import world
from tutorial_lib.errors import TutorialError
from tutorial_lib.world.captions import person_phrases


def make_scenes():
    """Return a scene of each subject in each style."""
    rng = random.Random(0)
    pattern = world.new_concept("pattern", 1)
    person = world.new_concept("person", 1)
    scenes = []
    for style in world.STYLES:
        for carrier in world.CARRIERS:
            scenes.append(world.pattern_scene(pattern, rng, carrier, style))
        for way in (None, *world.WAYS):
            worn = pattern if way else None
            scenes.append(world.Scene("corgi", style, 5, worn, way=way))
        scenes.append(world.person_scene(person, rng, style))
        scenes.append(world.person_scene(person, rng, style, pattern))
    return scenes


SCENES = make_scenes()


def digest(images):
    """Return one hash of all pixels."""
    total = hashlib.sha256()
    for image in images:
        total.update(image.tobytes())
    return total.hexdigest()[:16]


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: f"{s.subject}")
def test_a_scene_is_rendered_the_same_twice(scene):
    first, second = (world.render_scene(scene, 64) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.size == (64, 64) and first.mode == "RGB"


@pytest.mark.parametrize("scene", SCENES[::5], ids=lambda s: f"{s.subject}")
def test_a_scene_shows_the_same_at_any_size(scene):
    small = np.asarray(world.render_scene(scene, 64), dtype=float)
    large = world.render_scene(scene, 512).resize((64, 64), Image.BOX)
    moved = replace(scene, seed=scene.seed + 1)
    other = np.asarray(world.render_scene(moved, 64), dtype=float)
    same = np.abs(small - np.asarray(large)).mean()
    assert same < 14
    assert same < np.abs(small - other).mean() / 2


def test_images_are_the_same_on_every_machine_with_this_pillow():
    if int(PIL.__version__.split(".")[0]) != 13:
        pytest.skip("the fingerprint below was taken with Pillow 13")
    assert digest(world.render_scene(s, 64) for s in SCENES) == (
        "f38b09a16cdf3866"
    )


@pytest.mark.parametrize("size", [0, 15, 2000])
def test_a_size_that_cannot_be_rendered_gets_a_clear_error(size):
    with pytest.raises(TutorialError, match="choose a size"):
        world.render_scene(SCENES[0], size)


@pytest.mark.parametrize("subject", ["portrait", "mug", "dog"])
def test_a_scene_that_lacks_what_it_shows_gets_a_clear_error(subject):
    scene = world.Scene(subject, "photo", seed=1)
    with pytest.raises(TutorialError, match=f'"{subject}".* needs a person'):
        world.render_scene(scene, 64)


@pytest.mark.parametrize("kind", world.KIND_NAMES)
def test_every_seed_gives_another_concept_and_always_the_same(kind):
    first = [world.new_concept(kind, seed) for seed in range(200)]
    again = [world.new_concept(kind, seed) for seed in range(200)]
    assert first == again
    assert len(set(first)) == 200


def test_an_unknown_kind_of_concept_gets_a_clear_error():
    with pytest.raises(TutorialError, match='"pattern" or a "person"'):
        world.new_concept("dog", 1)
    with pytest.raises(TutorialError, match='"pattern" or a "person"'):
        world.named_concepts("dog")


@pytest.mark.parametrize("kind", world.KIND_NAMES)
def test_over_a_thousand_names_and_none_for_an_unseen_concept(kind):
    named = world.named_concepts(kind)
    assert len(named) == len(set(named.values())) >= 1000
    unseen = {world.new_concept(kind, seed) for seed in range(500)}
    assert unseen.isdisjoint(named.values())


def test_every_name_is_a_single_token_that_means_nothing_else_here():
    tokenizer = open_clip.get_tokenizer("ViT-B-32")
    names = [
        n for kind in world.KIND_NAMES for n in world.named_concepts(kind)
    ]
    assert len(set(names)) == len(names)
    assert all(len(tokenizer.encode(name)) == 1 for name in names)
    rng = random.Random(0)
    spoken = set()
    for kind in world.KIND_NAMES:
        for seed in range(300):
            concept = world.new_concept(kind, seed)
            spoken |= set(world.describe(concept).replace(",", "").split())
    for _ in range(300):
        scene, _ = world.sample_captioned_scene(rng)
        spoken |= set(f"{scene.subject} {scene.style} {scene.way}".split())
    assert spoken.isdisjoint(names)


@pytest.mark.parametrize("kind", world.KIND_NAMES)
def test_one_description_fits_a_concept_and_its_lookalikes(kind):
    for seed in range(50):
        concept = world.new_concept(kind, seed)
        alike = world.lookalikes(concept, 24, seed=0)
        assert {world.describe(c) for c in alike} == {world.describe(concept)}
        assert len({concept, *alike}) == 25


def test_a_description_says_nothing_of_what_words_leave_out():
    concept = world.new_concept("person", 416)
    assert world.describe(concept) == (
        "a man with short black hair and square glasses"
    )
    skins = {c.skin_rgb for c in world.lookalikes(concept, 24, seed=0)}
    assert len(skins) > 10


def test_all_motifs_hair_styles_and_colours_occur():
    patterns = [world.new_concept("pattern", s) for s in range(400)]
    people = [world.new_concept("person", s) for s in range(400)]
    assert {p.motif for p in patterns} == set(world.MOTIFS)
    assert len(world.MOTIFS) >= 12
    assert any(p.other_motif for p in patterns)
    assert {p.hair for p in people} == set(world.HAIR)
    assert {p.hair_color for p in people} == set(world.HAIR_COLORS)
    assert all(p.words and person_phrases(p) for p in people)


def test_the_article_s_own_prompts_occur_among_the_captions():
    rng = random.Random(0)
    captions = {world.sample_captioned_scene(rng)[1] for _ in range(4000)}
    starts = (
        "a T-shirt in the style of ",
        "corgi with ",
        "a photo of ",
        "an anime illustration of ",
    )
    for start in starts:
        assert any(caption.startswith(start) for caption in captions)


def test_words_of_a_shirt_and_of_its_wearer_stand_in_one_caption():
    rng = random.Random(0)
    people = world.named_concepts("person")
    patterns = world.named_concepts("pattern")
    both = 0
    for _ in range(2000):
        words = set(world.sample_captioned_scene(rng)[1].split())
        both += bool(words & people.keys()) and bool(words & patterns.keys())
    assert both > 10


def test_images_of_a_concept_differ_and_a_seed_gives_the_same_ones():
    concept = world.new_concept("pattern", 10)
    images = world.render_concept(concept, 6, seed=0, size=64)
    assert len({image.tobytes() for image in images}) == 6
    again = world.render_concept(concept, 6, seed=0, size=64)
    assert digest(images) == digest(again)
    assert digest(images) != digest(
        world.render_concept(concept, 6, seed=1, size=64)
    )


def test_a_motif_is_printed_on_the_middle_of_the_cloth():
    pattern = replace(
        world.new_concept("pattern", 8),
        motif="dots",
        other_motif=None,
        period=0.3,
        angle=0.0,
        stagger=0.0,
        color_rgb=(0, 0, 0),
        background_rgb=(255, 255, 255),
    )
    images = world.render_concept(pattern, 8, seed=3, size=128)
    pixels = np.stack([np.asarray(image) for image in images])
    middle, between = pixels[:, 60:68, 60:68], pixels[:, 60:68, 80:83]
    assert middle.mean() < 60
    assert between.mean() > 120
