"""Evaluation: the rows, what they are made with, and their sums."""

import json
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from tutorial_lib import world
from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation import evaluation, rows
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.kinds import KINDS
from tutorial_lib.words import LearnedWord

MODELS = SimpleNamespace(profile=SimpleNamespace(size=32))
NOTHING = Image.new("RGB", (32, 32), "grey")


class FakeBuilder:
    """Builds galleries that only remember their concept."""

    def __init__(self, judge, kind):
        self.kind = kind

    def build(self, concept):
        """Return the concept itself."""
        return concept


@pytest.fixture
def generated(monkeypatch):
    """Replace models and judges; return the list of prompts generated.

    The learned word shows the true concept, nothing else does, and every
    second image obeys its prompt.
    """
    prompts = []

    def generate(models, prompt, words, seed, progress, count=1):
        prompts.append((prompt, tuple(words), count, seed))
        return ["true" if words else NOTHING] * count

    def identity(judge, images, gallery):
        return [image is not NOTHING for image in images]

    def prompt_score(judge, images, asked):
        return [i % 2 == 0 for i in range(len(images))]

    monkeypatch.setattr(rows, "generate", generate)
    monkeypatch.setattr(evaluation, "identity", identity)
    monkeypatch.setattr(evaluation, "prompt_score", prompt_score)
    monkeypatch.setattr(evaluation, "GalleryBuilder", FakeBuilder)
    return prompts


def evaluate(kind, num=1, **options):
    """Evaluate fake words for a few concepts."""
    subjects = [
        rows.Subject(
            truth=world.new_concept(kind, seed),
            word=LearnedWord(
                word="X", vectors=torch.zeros(1, 4), initializer="thing"
            ),
            seed=seed,
        )
        for seed in range(1, num + 1)
    ]
    return evaluation.evaluate_words(
        MODELS,
        SimpleNamespace(of_kind=lambda kind: None, attributes=None),
        kind,
        subjects,
        recipe="both",
        seconds_per_word=1.25,
        **options,
    )


@pytest.mark.parametrize("kind", ["pattern", "person"])
def test_the_summary_has_every_row_of_both_measures(generated, kind):
    summary = evaluate(kind, num=2).summarize()
    assert list(summary) == [
        "kind",
        "seeds",
        "recipe",
        "identity",
        "prompt",
        "lead",
        "seconds_per_word",
    ]
    for measure in ("identity", "prompt"):
        shares = summary[measure]
        assert list(shares) == list(rows.ROWS)
        for share in shares.values():
            assert set(share) == {"value", "low", "high"}
            assert 0 <= share["low"] <= share["value"] <= share["high"] <= 1
    assert summary["identity"]["x"]["value"] == 1
    assert summary["identity"]["description"]["value"] == 0
    assert list(summary["lead"]) == list(rows.BASELINES)
    assert summary["lead"]["description"]["value"] == 1
    assert summary["lead"]["description"]["low"] < 1
    assert summary["seeds"] == [1, 2]
    assert json.loads(json.dumps(summary)) == summary


def test_a_row_of_other_concepts_cannot_be_paired_with_x(generated):
    with pytest.raises(TutorialError, match="'named' shows other concepts"):
        evaluate("person", num=2).lead("named")


def test_the_rows_use_the_articles_prompts(generated):
    evaluate("pattern")
    truth = world.new_concept("pattern", 1)
    prompts = [prompt for prompt, *_ in generated]
    assert prompts[:2] == ["A T-shirt in the style of X", "Corgi with X"]
    assert f"Corgi with {world.describe(truth)}" in prompts
    assert "A T-shirt in the style of thing" in prompts
    generated.clear()
    evaluate("person")
    assert generated[0][0] == "A photo of X"
    assert generated[1][0] == "An anime illustration of X"


def test_all_rows_of_a_concept_start_from_the_same_noise(generated):
    evaluate("pattern", num=2)
    assert len({seed for *_, seed in generated}) == 2


def test_names_are_really_named_and_share_the_rows_images(generated):
    judged = evaluate("person", count=12, num_names=3).judged
    named = [judgement for judgement in judged if judgement.row == "named"]
    clusters = {judgement.cluster for judgement in named}
    assert clusters <= set(world.named_concepts("person"))
    assert len(clusters) == 3
    assert sum(len(judgement.images) for judgement in named) == 12


def test_a_corgis_pattern_does_not_count_for_identity(generated):
    evaluated = evaluate("pattern", count=8)
    t_shirt, corgi = KINDS["pattern"].prompts
    for judged in evaluated.judged:
        if judged.row == "x" and judged.prompt is corgi:
            judged.identity = [False] * len(judged.identity)
    assert evaluated.rate("identity", "x")["value"] == 1
    assert evaluated.rate("identity", "x", prompt=corgi)["value"] == 0
    assert len(evaluated.images("x", t_shirt)) == 6
    assert len(evaluated.images("x", corgi)) == 2


def test_the_drawn_row_shows_the_truth_in_the_style_asked_for(generated):
    judged = evaluate("person", count=4).judged
    drawn = [judgement for judgement in judged if judgement.row == "drawn"]
    assert [len(judgement.images) for judgement in drawn] == [2, 2]
    assert drawn[0].images[0].size == (32, 32)


@pytest.mark.parametrize("kind, num", [("pattern", 20), ("person", 6)])
def test_an_unseen_concept_is_learned_from_as_many_as_in_the_article(
    kind, num
):
    concept = render_training_images(kind, seed=4, size=32)
    assert len(concept.images) == num and concept.kind == kind
