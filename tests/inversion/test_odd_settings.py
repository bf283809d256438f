"""Settings of learning: taken where they are plain, else named."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from mini_models import learn

from tutorial_lib.errors import TutorialError, WordError
from tutorial_lib.inversion import (
    TextualInversionTrainer,
    TrainingConfig,
    learn_word,
)
from tutorial_lib.models import load_models

NAN = float("nan")
REFUSED = [
    ("steps", -5),
    ("steps", "10"),
    ("steps", 2.5),
    ("steps", True),
    ("lr", 0),
    ("lr", NAN),
    ("lr", -1),
    ("lr", "1e-3"),
    ("lr", float("inf")),
    ("recipe", None),
    ("recipe", ["both"]),
    ("kind", 3),
    ("templates", []),
    ("templates", [None]),
    ("templates", b"a {}"),
    ("templates", {"a": "{}"}),
    ("initializer", ""),
    ("initializer", "  "),
    ("initializer", 3),
    ("num_vectors", 0),
    ("num_vectors", -1),
    ("num_vectors", 1.5),
    ("num_vectors", "2"),
    ("num_vectors", None),
    ("batch_size", 0),
    ("batch_size", 1.5),
    ("seed", -1),
    ("seed", 2**32),
    ("seed", None),
    ("max_norm", 0),
    ("max_norm", None),
    ("patience", 0),
    ("min_delta", -1),
    ("evaluate_every", 0),
    ("autocast", "yes"),
    ("micro_batch_size", 0),
    ("micro_batch_size", 1.5),
    ("gradient_checkpointing", "yes"),
    ("cuda_graph", 1),
    ("compile", None),
    ("callbacks", 3),
    ("callbacks", [3]),
    ("callbacks", "print"),
    ("config", {"steps": 3}),
]


@pytest.mark.parametrize(
    ("name", "value"), REFUSED, ids=[name for name, _ in REFUSED]
)
def test_a_setting_of_no_use_is_refused_by_its_name(
    models, images, name, value
):
    with pytest.raises(TutorialError, match=f"`{name}.*; (give|say|name) "):
        learn_word(models, images, **{name: value})
    if name not in ("callbacks", "config"):
        with pytest.raises(WordError, match=f"`{name}"):
            TrainingConfig(**{name: value})
        with pytest.raises(WordError, match=f"`{name}"):
            replace(TrainingConfig(), **{name: value})


def test_models_are_what_load_models_returns(images):
    for models in (None, "tiny", object()):
        with pytest.raises(TutorialError, match="`models` cannot be .*; give"):
            learn_word(models, images)
        with pytest.raises(TutorialError, match="`models` cannot be"):
            TextualInversionTrainer(models, images)


def test_numbers_of_numpy_learn_the_same_and_fit_a_checkpoint(
    models, images, tmp_path
):
    usual = {
        "recipe": "similarity",
        "steps": 3,
        "num_vectors": 2,
        "seed": 4,
        "lr": 0.02,
        "templates": ("a photo of {}",),
    }
    word = learn(models, images, checkpoint=tmp_path / "x", **usual)
    theirs = {
        "recipe": np.str_("similarity"),
        "steps": np.int64(3),
        "num_vectors": torch.tensor(2),
        "seed": np.uint32(4),
        "lr": np.float64(0.02),
        "templates": "a photo of {}",
    }
    again = learn(models, images, checkpoint=tmp_path / "x", **theirs)
    other = learn(models, images, **theirs, callbacks=None)
    for learned in (again, other):
        assert torch.equal(learned.vectors, word.vectors)
    json.dumps(vars(TrainingConfig(**theirs)))


@pytest.mark.parametrize(
    "name, meant",
    [("learning_rate", "lr"), ("step", "steps"), ("max_train_steps", "steps")],
)
def test_a_setting_by_another_programs_name_is_told_ours(models, name, meant):
    with pytest.raises(WordError, match=f'perhaps "{meant}" is meant'):
        learn(models, [], **{name: 3})


def test_one_callback_needs_no_list(models, images):
    heard = []
    learn(models, images, recipe="similarity", steps=3, callbacks=heard.append)
    assert [entry["step"] for entry in heard] == [0, 1, 2, 3]


# --- how many vectors there is room for


@pytest.fixture(scope="module")
def tiny():
    """Return the tiny models."""
    return load_models("tiny", device="cpu")


def begin(models, images, **settings):
    """Make a trainer, and learn nothing yet."""
    return TextualInversionTrainer(
        models, images, TrainingConfig(**settings), progress=False
    )


@pytest.mark.parametrize("num_vectors", [20, 33, 75, 76, 1000])
def test_too_many_vectors_are_told_how_many_there_may_be(
    tiny, images, num_vectors
):
    length = tiny.clip.context_length
    template = "a photo of a T-shirt in the style of {}"
    settings = {"num_vectors": num_vectors, "templates": [template]}
    with pytest.raises(
        WordError, match="at most [0-9]+ vectors here"
    ) as error:
        begin(tiny, images, **settings)
    most = length - 2 - len(tiny.clip_tokenizer.encode(template[:-2]))
    assert f"`num_vectors` cannot be {num_vectors}: " in str(error.value)
    assert f"at most {most} vectors here" in str(error.value)
    assert template not in str(error.value)
    word = begin(tiny, images, **{**settings, "num_vectors": most}).word
    assert word.num_vectors == most
    with pytest.raises(WordError, match=f"at most {most} vectors here"):
        begin(tiny, images, **{**settings, "num_vectors": most + 1})


def test_as_many_vectors_as_there_is_room_for_are_learned(models, images):
    for templates, most in {
        "{}": 22,
        "{} and {}": 10,
        ("{}", "a photo of {}"): 19,
        "{} on a mug": 22,  # what is behind the word may be cut off
        "Xの写真と{}": None,
    }.items():
        with pytest.raises(WordError, match="at most") as error:
            begin(models, images, templates=templates, num_vectors=23)
        given = int(str(error.value).split("at most ")[1].split()[0])
        assert most in (given, None)
        settings = {"templates": templates, "recipe": "both", "steps": 1}
        word = learn(models, images, num_vectors=given, **settings)
        assert word.num_vectors == given


def test_a_template_without_room_for_the_word_is_named(models, images):
    template = "a very " + "long " * 30 + "template of {}"
    with pytest.raises(WordError, match="is so long that .X. falls off") as e:
        begin(models, images, templates=["a {}", template])
    assert f'The template "{template}"' in str(e.value)
