"""Evaluation: the rows, what they are drawn from, and their sums."""

import json
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from tutorial_lib import world
from tutorial_lib.evaluation import evaluation
from tutorial_lib.words.learned_word import LearnedWord

MODELS = SimpleNamespace(profile=SimpleNamespace(size=32))
NOTHING = Image.new("RGB", (32, 32), "grey")


class Maker:
    """Makes line-ups that only remember their concept."""

    def __init__(self, judge, kind):
        self.kind = kind

    def make(self, concept):
        """Return the concept itself."""
        return concept


@pytest.fixture
def drawn(monkeypatch):
    """Replace models and judges; return the list of prompts drawn.

    The learned word shows the true concept, nothing else does, and every
    second picture obeys its prompt.
    """
    prompts = []

    def draw(models, prompt, words, seed, progress, count=1):
        prompts.append((prompt, tuple(words), count, seed))
        return ["true" if words else NOTHING] * count

    def identity(judge, images, gallery):
        return [each is not NOTHING for each in images]

    def prompt_score(judge, images, asked):
        return [i % 2 == 0 for i in range(len(images))]

    for name, fake in {
        "draw": draw,
        "identity": identity,
        "prompt_score": prompt_score,
        "LineupMaker": Maker,
    }.items():
        monkeypatch.setattr(evaluation, name, fake)
    return prompts


def evaluate(kind, num=1, **options):
    """Evaluate fake words for a few concepts."""
    subjects = [
        evaluation.Subject(
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
def test_the_summary_has_every_row_of_both_measures(drawn, kind):
    summary = evaluate(kind, num=2).summarize()
    assert list(summary) == [
        "kind", "seeds", "recipe", "identity", "prompt", "lead",
        "seconds_per_word",
    ]  # fmt: skip
    for measure in ("identity", "prompt"):
        rows = summary[measure]
        assert list(rows) == list(evaluation.ROWS)
        for row in rows.values():
            assert set(row) == {"value", "low", "high"}
            assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1
    assert summary["identity"]["x"]["value"] == 1
    assert summary["identity"]["words"]["value"] == 0
    assert summary["lead"]["words"]["value"] == 1
    assert summary["lead"]["words"]["low"] < 1
    assert summary["seeds"] == [1, 2]
    assert json.loads(json.dumps(summary)) == summary


def test_a_row_of_other_concepts_cannot_be_paired_with_x(drawn):
    with pytest.raises(ValueError, match="'named' shows other concepts"):
        evaluate("person", num=2).lead("named")


def test_the_rows_use_the_articles_prompts(drawn):
    evaluate("pattern")
    truth = world.new_concept("pattern", 1)
    prompts = [prompt for prompt, *_ in drawn]
    assert prompts[:2] == ["A T-shirt in the style of X", "Corgi with X"]
    assert f"Corgi with {world.describe(truth)}" in prompts
    assert "A T-shirt in the style of thing" in prompts
    drawn.clear()
    evaluate("person")
    assert drawn[0][0] == "A photo of X"
    assert drawn[1][0] == "An anime illustration of X"


def test_all_rows_of_a_concept_start_from_the_same_noise(drawn):
    evaluate("pattern", num=2)
    assert len({seed for *_, seed in drawn}) == 2


def test_names_are_really_named_and_share_the_rows_pictures(drawn):
    found = evaluate("person", count=12, num_names=3)
    named = [each for each in found.judged if each.row == "named"]
    assert {each.cluster for each in named} <= set(
        world.named_concepts("person")
    )
    assert len({each.cluster for each in named}) == 3
    assert sum(len(each.images) for each in named) == 12


def test_a_corgis_pattern_does_not_count_for_identity(drawn):
    found = evaluate("pattern", count=8)
    t_shirt, corgi = evaluation.PROMPTS["pattern"]
    for each in found.judged:
        if each.row == "x" and each.prompt is corgi:
            each.identity = [False] * len(each.identity)
    assert found.rate("identity", "x")["value"] == 1
    assert found.rate("identity", "x", prompt=corgi)["value"] == 0
    assert len(found.images("x", t_shirt)) == 6
    assert len(found.images("x", corgi)) == 2


def test_the_drawn_row_shows_the_truth_in_the_style_asked_for(drawn):
    found = evaluate("person", count=4)
    images = [each for each in found.judged if each.row == "drawn"]
    assert [len(each.images) for each in images] == [2, 2]
    assert images[0].images[0].size == (32, 32)


@pytest.mark.parametrize("kind, num", [("pattern", 20), ("person", 6)])
def test_an_unseen_concept_is_learned_from_as_many_as_in_the_article(
    kind, num
):
    concept = evaluation.draw_training_images(kind, seed=4, size=32)
    assert len(concept.images) == num and concept.kind == kind


def test_a_film_goes_from_the_first_to_the_last_snapshot(drawn):
    word = LearnedWord(word="X", vectors=torch.zeros(1, 4))
    for step in range(0, 101, 10):
        vectors = torch.full((1, 4), float(step)) if step % 20 == 0 else None
        word.history.append({"step": step, "vectors": vectors})
    images, labels = evaluation.draw_film(
        MODELS, word, "A photo of X", frames=3
    )
    assert len(images) == 3
    shown = [words[0].vectors[0, 0].item() for _, words, *_ in drawn]
    assert shown == [0, 40, 100]
