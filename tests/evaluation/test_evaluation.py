"""Evaluation: the rows, what they are made with, and their sums."""

import json
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from tutorial_lib import world
from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation import (
    AttributeJudge,
    EmbeddingJudge,
    Gallery,
    Judges,
    evaluation,
    identity,
    measure_deviations,
    prompt_score,
    rows,
    ruler,
)
from tutorial_lib.evaluation.deviations import Deviation
from tutorial_lib.evaluation.gallery import render_references
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.kinds import KINDS
from tutorial_lib.words import LearnedWord
from tutorial_lib.world.measures import NUMBERS

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

    def measure_cosines(judge, images, gallery):
        near = [0.4 if image is NOTHING else 0.8 for image in images]
        return torch.tensor([[cosine, 0.6] for cosine in near])

    def compare_readings(readings, truth):
        off = [9.0 if image is NOTHING else -2.0 for image in readings]
        return [Deviation({"motif": 1.0}, {"period": value}) for value in off]

    doubles = {
        "measure_cosines": measure_cosines,
        "read_images": lambda judge, images: images,
        "score_readings": lambda judge, readings, asked: [
            i % 2 == 0 for i in range(len(readings))
        ],
        "learn_drawn_truth": lambda judge, concept: concept,
        "compare_readings": compare_readings,
        "GalleryBuilder": FakeBuilder,
    }
    for name, double in doubles.items():
        monkeypatch.setattr(evaluation, name, double)
    monkeypatch.setattr(rows, "generate", generate)
    return prompts


READER = SimpleNamespace(numbers=NUMBERS)


def evaluate(kind, num=1, reader=READER, **options):
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
        SimpleNamespace(of_kind=lambda kind: None, attributes=reader),
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
        "cosine",
        "seconds_per_word",
        "share_of_drawn",
        "off",
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
    evaluated = evaluate("person", num=2)
    with pytest.raises(TutorialError, match="'named' shows other concepts"):
        evaluated.lead("named")
    with pytest.raises(TutorialError, match="No drawn pictures .* 'named'"):
        evaluated.cosine("named")


@pytest.mark.parametrize("kind", ["pattern", "person"])
def test_the_summary_says_how_near_x_comes_to_drawn_images(generated, kind):
    summary = evaluate(kind, num=2).summarize()
    assert list(summary["cosine"]) == list(rows.OWN_ROWS)
    for row, share in {"x": 1, "drawn": 1, "description": 0.5}.items():
        cosine = summary["cosine"][row]
        assert cosine["value"] == pytest.approx(share)
        assert cosine["worst"] == pytest.approx(share)
    assert summary["share_of_drawn"]["value"] == 1
    assert summary["share_of_drawn"]["low"] < 1
    assert list(summary["off"]) == list(rows.OFF_ROWS)
    periods = {row: o["period"]["value"] for row, o in summary["off"].items()}
    assert periods == {"x": 2, "drawn": 2, "description": 9}
    assert summary["off"]["x"]["motif right"]["value"] == 1


def test_the_share_of_the_drawn_cosine_is_taken_concept_by_concept(generated):
    evaluated = evaluate("person", num=2)
    of_concept = {("x", "1"): 0.6, ("x", "2"): 0.9, ("drawn", "2"): 1.0}
    for judged in evaluated.judged:
        cosine = of_concept.get((judged.row, judged.cluster), 0.8)
        judged.cosines = [cosine] * len(judged.cosines)
    share = evaluated.cosine("x")  # 0.6 of 0.8, and 0.9 of 1
    assert share["value"] == pytest.approx((0.75 + 0.9) / 2)
    assert share["worst"] == pytest.approx(0.75)
    assert share["low"] == pytest.approx(0.75)
    assert share["high"] == pytest.approx(0.9)


def test_where_nothing_drawn_is_found_there_is_no_share_of_it(generated):
    evaluated = evaluate("person")
    for judged in evaluated.judged:
        judged.identity = [False] * len(judged.identity)
    assert evaluated.share_of_drawn() is None
    assert "share_of_drawn" not in evaluated.summarize()


def test_a_judge_that_reads_labels_only_says_not_how_far_off(generated):
    evaluated = evaluate("pattern", reader=SimpleNamespace(numbers={}))
    assert "off" not in evaluated.summarize()
    assert "cosine" in evaluated.summarize()


def test_only_images_that_show_x_s_concept_have_deviations(generated):
    judged = evaluate("pattern", count=8).judged
    having = {(j.row, j.prompt.text) for j in judged if j.deviations}
    t_shirt = KINDS["pattern"].prompts[0].text
    assert having == {(row, t_shirt) for row in rows.OWN_ROWS}
    for judgement in judged:
        assert len(judgement.cosines) == len(judgement.images)


def test_images_are_looked_at_once_but_judged_as_one_by_one(monkeypatch):
    torch.manual_seed(3)
    monkeypatch.setattr(ruler, "REFERENCES", 5)
    labels = {
        "object": ["T-shirt", "mug"],
        "motif": [*"ab"],
        "second_motif": ["none"],
    }
    numbers = {name: [0.0, 0.1] for name in NUMBERS}
    reader = AttributeJudge(16, labels, (8,), numbers=numbers)
    judge = EmbeddingJudge(16, 4, (8,))
    looked = []  # the networks, once for each image that they see
    for network in (judge, reader):
        network.trunk.register_forward_hook(
            lambda _, inputs, __, network=network: looked.extend(
                [network] * len(inputs[0])
            )
        )
    truth = world.new_concept("pattern", 1)
    row = rows.Row("x", "X", (), truth, "1")
    prompt = KINDS["pattern"].prompts[0]
    images = world.render_concept(truth, 3, seed=2, size=16)
    gallery = Gallery(truth, torch.randn(5, 4))
    drawn_truth = ruler.learn_drawn_truth(reader, truth)
    looked.clear()
    judged = evaluation.judge_images(
        Judges(judge, judge, reader), row, prompt, images, gallery, drawn_truth
    )
    assert looked == [judge] * 3 + [reader] * 3
    assert judged.identity == identity(judge, images, gallery)
    assert judged.asked == prompt_score(reader, images, prompt.asked)
    drawn = render_references(truth, 5, ruler.REFERENCE_SEED, 16)
    assert judged.deviations == measure_deviations(
        reader, images, truth, drawn
    )


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
