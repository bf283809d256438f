"""One point of a sweep: what is changed, what is held, what is drawn."""

import pytest

from tutorial_lib.evaluation import sweep_points
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.settings import PROFILES


def test_more_images_begin_with_the_same_ones():
    few = render_training_images("person", 3, 32, count=2).images
    many = render_training_images("person", 3, 32, count=5).images
    assert [p.tobytes() for p in many[:2]] == [p.tobytes() for p in few]


def test_one_setting_changes_and_the_others_are_as_usual(models, monkeypatch):
    asked = []

    def learn_word(models, concept, **options):
        asked.append((len(concept.images), options))

    monkeypatch.setattr(sweep_points, "learn_word", learn_word)
    changes = {
        "usual": 0,
        "pictures": 2,
        "vectors": 4,
        "learning rate": 10,
        "steps": 10,
    }
    for setting, value in changes.items():
        sweep_points.learn_with(models, "person", 1, setting, value)
    lr = models.profile.similarity_lr
    usual = {
        "word": "X",
        "recipe": "similarity",
        "seed": 0,
        "checkpoint": None,
        "progress": False,
        "keep_stopped": False,
    }
    assert asked == [
        (6, usual),
        (2, usual),
        (6, usual | {"num_vectors": 4}),
        (6, usual | {"lr": 10 * lr}),
        (6, usual | {"steps": 10}),
    ]


@pytest.mark.parametrize("recipe", ["similarity", "both"])
def test_the_usual_steps_are_those_of_the_tiny_profile(recipe):
    profile = PROFILES["tiny"]
    steps = {
        "similarity": profile.similarity_steps,
        "both": profile.denoising_steps,
    }
    assert sweep_points.USUAL_STEPS[recipe] == steps[recipe]


def test_both_has_the_rate_of_its_last_recipe_and_a_seed_of_its_own(
    models, monkeypatch, tmp_path
):
    asked = []

    def learn_word(models, concept, **options):
        asked.append((len(concept.images), options))

    monkeypatch.setattr(sweep_points, "learn_word", learn_word)
    for setting, value, learning_seed in (
        ("usual", 0, 0),
        ("usual", 0, 1),
        ("steps", 20, 0),
        ("learning rate", 10, 0),
    ):
        sweep_points.learn_with(
            models,
            "pattern",
            7,
            setting,
            value,
            recipe="both",
            learning_seed=learning_seed,
            checkpoints=tmp_path,
        )
    assert [count for count, _ in asked] == [20, 20, 20, 20]
    rates = [options.get("lr") for _, options in asked]
    assert rates == [None, None, None, 10 * models.profile.denoising_lr]
    assert [options["seed"] for _, options in asked] == [0, 1, 0, 0]
    steps = [options.get("steps") for _, options in asked]
    assert steps == [None, None, 20, None]
    names = [options["checkpoint"].name for _, options in asked]
    assert names == [
        "pattern-7-both.pt",  # as `evaluate` names it
        "pattern-7-both-usual-0-1.pt",
        "pattern-7-both-steps-20-0.pt",
        "pattern-7-both-learning-rate-10-0.pt",
    ]
