"""Galleries, and the scores that images get: identity and prompt."""

import pytest
import torch
from PIL import Image

from tutorial_lib import world
from tutorial_lib.errors import JudgeError
from tutorial_lib.evaluation import gallery
from tutorial_lib.evaluation.judge_networks import AttributeJudge
from tutorial_lib.evaluation.judges import stack_images
from tutorial_lib.evaluation.scores import identity, prompt_score, rank_truth

LABELS = {
    "object": ["T-shirt", "corgi"],
    "style": ["photo", "anime illustration"],
}


def paint(*colors):
    """Make a plain image of each colour."""
    return [Image.new("RGB", (64, 64), color) for color in colors]


class ColorJudge(torch.nn.Module):
    """A judge that knows images by their mean colour alone."""

    def __init__(self):
        super().__init__()
        self.trunk = torch.nn.Module()
        self.trunk.size = 64
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        """Return the mean colour as a unit vector."""
        return torch.nn.functional.normalize(x.mean((2, 3)), dim=-1)


def make_color_gallery(judge):
    """Make a gallery in which red is the truth among blue and green."""
    references = judge(stack_images(paint("red", "blue", "green"), 64))
    return gallery.Gallery(None, references)


# --- galleries


@pytest.fixture
def embedded(monkeypatch):
    """Return a list of the concepts that are embedded, as it grows."""
    concepts = []

    def remember(judge, concept, count, seed):
        concepts.append(concept)
        return torch.zeros(2)

    monkeypatch.setattr(gallery, "embed_concept", remember)
    return concepts


def test_a_gallery_holds_the_concept_first_then_99_others(embedded):
    concept = world.new_concept("pattern", 5)
    builder = gallery.GalleryBuilder(judge=None, kind="pattern")
    assert builder.build(concept).references.shape == (100, 2)
    distractors, (first, *lookalikes) = embedded[:75], embedded[75:]
    assert first == concept and len(lookalikes) == 24
    assert concept not in lookalikes + distractors
    descriptions = {world.describe(other) for other in lookalikes}
    assert descriptions == {world.describe(concept)}
    distances = [world.visible_distance(concept, o) for o in lookalikes]
    assert min(distances) >= 1  # an eye can tell each from the truth
    builder.build(world.new_concept("pattern", 6))
    assert len(embedded) == 75 + 2 * 25  # the distractors only once


def test_the_latest_gallery_is_kept_and_no_other(embedded):
    builder = gallery.GalleryBuilder(judge=None, kind="pattern")
    first = builder.build(world.new_concept("pattern", 5))
    again = builder.build(world.new_concept("pattern", 5))
    assert again is first and len(embedded) == 100
    other = builder.build(world.new_concept("pattern", 6))
    assert other.concept == world.new_concept("pattern", 6)
    assert builder.build(first.concept).concept == first.concept
    assert len(embedded) == 75 + 3 * 25


def test_lookalikes_may_be_nearer_than_an_eye_can_tell_if_asked(monkeypatch):
    asked = []

    def remember(concept, count, seed, min_distance):
        asked.append(min_distance)
        return [concept] * count

    monkeypatch.setattr(world, "lookalikes", remember)
    monkeypatch.setattr(
        gallery, "embed_concept", lambda *_, **__: torch.zeros(2)
    )
    concept = world.new_concept("pattern", 5)
    for options in ({}, {"min_distance": 0.0}):
        gallery.GalleryBuilder(None, "pattern", **options).build(concept)
    assert asked == [1.0, 0.0]


def test_references_show_every_carrier_and_every_style(monkeypatch):
    rendered = []

    def remember(concept, count, **options):
        rendered.append(options)
        return [None] * count

    monkeypatch.setattr(world, "render_concept", remember)
    pattern, person = (
        world.new_concept(kind, 1) for kind in ("pattern", "person")
    )
    assert len(gallery.render_references(pattern, 12, 0, 64)) == 12
    carriers = {options["carrier"] for options in rendered}
    assert carriers == set(world.CARRIERS)
    rendered.clear()
    gallery.render_references(person, 8, 0, 64)
    assert {options["style"] for options in rendered} == set(world.STYLES)


# --- scores


def test_identity_counts_only_images_nearest_to_the_true_concept():
    judge = ColorJudge()
    images = paint("red", "blue", (200, 10, 10), "green")
    hits = identity(judge, images, make_color_gallery(judge))
    assert hits == [True, False, True, False]


def test_the_rank_of_the_true_concept_counts_all_that_are_nearer():
    judge = ColorJudge()
    colors = make_color_gallery(judge)
    images = paint("red", (200, 10, 220), (90, 100, 110))
    assert rank_truth(judge, images, colors) == [1, 2, 3]
    assert rank_truth(judge, [], colors) == []


def test_the_prompt_score_wants_object_and_style_both():
    judge = AttributeJudge(64, LABELS)
    for name, best in {"object": 1, "style": 0}.items():
        head = judge.heads[f"of_{name}"]
        torch.nn.init.zeros_(head.weight)
        head.bias.data = torch.eye(2)[best]
    images = paint("red")
    asked = {"object": "corgi", "style": "photo"}
    assert prompt_score(judge, images, asked) == [True]
    asked = {"object": "corgi", "style": "anime illustration"}
    assert prompt_score(judge, images, asked) == [False]


def test_a_label_that_the_judge_does_not_know_is_refused():
    judge = AttributeJudge(64, LABELS)
    with pytest.raises(JudgeError, match="knows T-shirt, corgi"):
        prompt_score(judge, paint("red"), {"object": "cat"})
