"""Images of one prompt from the same noise, while its word was learned."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from tutorial_lib.arguments import read_whole_number
from tutorial_lib.generation.sampling import generate
from tutorial_lib.models import Models
from tutorial_lib.words import LearnedWord


def generate_over_steps(
    models: Models,
    word: LearnedWord,
    prompt: str,
    frames: int = 7,
    steps: Sequence[int] | None = None,
) -> tuple[list[Image.Image], list[str]]:
    """Generate a prompt, always from the same noise, as the word changed.

    Returns the images and their labels, for those of `steps` whose vectors
    are kept in `word.history`. Without `steps` it takes `frames` of all that
    were evaluated, evenly spread, first and last included. Taught in
    notebooks/05_textual_inversion.ipynb.
    """
    frames = read_whole_number(frames, "frames", 1)
    vectors_at = {
        entry["step"]: (entry["vectors"], entry.get("vectors_2"))
        for entry in word.history
        if entry["vectors"] is not None
    }
    steps_evaluated, _ = word.history.curve("evaluation")
    evaluated = sorted(set(steps_evaluated))
    places = np.linspace(0, len(evaluated) - 1, min(frames, len(evaluated)))
    shown = [evaluated[i] for i in places.round().astype(int)]
    if steps is not None:
        shown = [step for step in steps if step in vectors_at]
    images, labels = [], []
    for step in shown:
        vectors, vectors_2 = vectors_at[step]
        earlier_word = replace(word, vectors=vectors, vectors_2=vectors_2)
        images += generate(
            models, prompt, words=[earlier_word], seed=0, progress=False
        )
        labels.append(f"step {step}")
    return images, labels
