"""A prompt generated again and again while its word was learned."""

from types import SimpleNamespace

import torch

from tutorial_lib.generation import over_steps
from tutorial_lib.words import History, LearnedWord


def test_the_frames_go_from_the_first_to_the_last_snapshot(monkeypatch):
    shown = []

    def generate(models, prompt, words, seed, progress):
        shown.append((words[0].vectors[0, 0].item(), seed))
        return ["image"]

    monkeypatch.setattr(over_steps, "generate", generate)
    history = History()
    for step in range(0, 101, 10):
        vectors = torch.full((1, 4), float(step)) if step % 20 == 0 else None
        history.append({"step": step, "vectors": vectors})
    word = LearnedWord("X", torch.zeros(1, 4), history=history)
    images, labels = over_steps.generate_over_steps(
        SimpleNamespace(), word, "A photo of X", frames=3
    )
    assert len(images) == 3
    assert shown == [(0, 0), (40, 0), (100, 0)]
    assert labels == ["step 0", "step 40", "step 100"]
