"""The same seed gives the same bits, on any number of threads."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from mini_models import learn

from tutorial_lib.generation import generate

# Many texts in a batch: the gradient of picking from few embeddings is then
# large enough that torch would compute it in parallel.
SETTINGS = {"recipe": "denoising", "batch_size": 96, "steps": 3}


@contextmanager
def use_threads(count):
    """Let torch compute with so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def only_deterministic_algorithms():
    """Let torch raise an error where it has no deterministic algorithm."""
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("threads", [1, 2])
def test_learning_twice_gives_the_same_bits(models, images, threads):
    with use_threads(threads):
        words = [learn(models, images, **SETTINGS) for _ in range(2)]
    for word in words[1:]:
        assert torch.equal(word.vectors, words[0].vectors)
        for entry, first in zip(word.history, words[0].history, strict=True):
            assert entry["loss"] == first["loss"]


def test_learning_and_generating_use_deterministic_algorithms(models, images):
    with use_threads(2), only_deterministic_algorithms():
        word = learn(models, images, recipe="both", steps=3)
        first, second = (
            generate(models, "a photo of X", words=[word], progress=False)[0]
            for _ in range(2)
        )
    assert np.array_equal(np.asarray(first), np.asarray(second))
