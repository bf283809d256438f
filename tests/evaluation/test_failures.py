"""The words that fail are what the usual recipe gives, and belong together."""

import json

import pytest
import torch

from tutorial_lib.evaluation import (
    load_failures,
    render_training_images,
)
from tutorial_lib.generation import embed_images, embed_texts
from tutorial_lib.inversion import learn_word
from tutorial_lib.models import fingerprint_models, load_models
from tutorial_lib.settings import DATA
from tutorial_lib.world import kind_of, new_concept

FOLDER = DATA / "failures"


@pytest.fixture(scope="module")
def tiny():
    """Return the tiny models of the repository."""
    return load_models("tiny", device="cpu")


@pytest.fixture(scope="module")
def failures(tiny):
    """Return the words that fail, by their names."""
    return load_failures(tiny)


def test_they_belong_to_the_shipped_models_and_no_file_is_left_over(
    tiny, failures
):
    stored = json.loads((FOLDER / "failures.json").read_text())
    assert stored["models"] == fingerprint_models(tiny)
    assert list(failures) == list(stored["words"])
    files = {name.replace(" ", "-") for name in failures}
    assert {f.stem for f in FOLDER.glob("*.safetensors")} == files


def test_for_other_models_there_are_none(models):
    assert load_failures(models) == {}


def test_each_says_how_it_was_learned_and_from_what(tiny, failures):
    for failure in failures.values():
        word, kind = failure.word, kind_of(failure.truth)
        assert failure.truth == new_concept(kind, failure.seed)
        assert failure.name == f"{kind} {failure.seed}"
        concept = render_training_images(kind, failure.seed, 16)
        assert word.num_images == len(concept.images)
        assert word.recipe == failure.settings["recipe"]
        assert word.vectors.shape == (1, tiny.profile.embedding_width)


def test_each_is_most_like_its_own_training_images(tiny, failures):
    means = torch.stack(
        [
            embed_images(
                tiny,
                render_training_images(
                    kind_of(failure.truth),
                    failure.seed,
                    tiny.profile.size,
                    count=6,
                ),
            ).mean(0)
            for failure in failures.values()
        ]
    )
    texts = torch.cat(
        [
            embed_texts(
                tiny,
                ["a T-shirt in the style of X"],
                words=[failure.word],
            )
            for failure in failures.values()
        ]
    )
    nearest = (texts @ means.T).argmax(1).tolist()
    assert nearest == list(range(len(failures)))


@pytest.mark.slow
def test_learned_again_each_is_the_same_word(tiny, failures):
    for failure in failures.values():
        concept = render_training_images(
            kind_of(failure.truth), failure.seed, tiny.profile.size
        )
        word = learn_word(tiny, concept, progress=False, **failure.settings)
        assert abs(word.steps - failure.word.steps) <= 20
        cosine = torch.cosine_similarity(
            word.vectors, failure.word.vectors
        ).item()
        assert cosine > 0.95
