"""A prompt generated again and again while its word was learned."""

from types import SimpleNamespace

import pytest
import torch

from tutorial_lib.generation import over_steps
from tutorial_lib.words import History, LearnedWord


@pytest.fixture
def shown(monkeypatch):
    """Return what is generated: the vectors' first number, and the seed."""
    calls = []

    def generate(models, prompt, words, seed, progress):
        calls.append((words[0].vectors[0, 0].item(), seed))
        return ["image"]

    monkeypatch.setattr(over_steps, "generate", generate)
    return calls


@pytest.fixture
def word():
    """Return a word that was evaluated at every twentieth step.

    The vectors of step 10 are kept, too.
    """
    history = History()
    for step in range(0, 101, 10):
        evaluation = 1.0 if step % 20 == 0 else None
        vectors = None
        if evaluation or step == 10:
            vectors = torch.full((1, 4), float(step))
        history.append(
            {
                "step": step,
                "recipe": "denoising",
                "vectors": vectors,
                "evaluation": evaluation,
            }
        )
    return LearnedWord("X", torch.zeros(1, 4), history=history)


def test_the_frames_go_from_the_first_to_the_last_snapshot(shown, word):
    images, labels = over_steps.generate_over_steps(
        SimpleNamespace(), word, "A photo of X", frames=3
    )
    assert len(images) == 3
    assert shown == [(0, 0), (40, 0), (100, 0)]
    assert labels == ["step 0", "step 40", "step 100"]


def test_steps_that_are_asked_for_are_shown_if_they_were_kept(shown, word):
    _, labels = over_steps.generate_over_steps(
        SimpleNamespace(), word, "A photo of X", steps=(0, 5, 10, 100, 300)
    )
    assert shown == [(0, 0), (10, 0), (100, 0)]
    assert labels == ["step 0", "step 10", "step 100"]
