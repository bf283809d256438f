"""The same prompt from the same noise, as a word changed while it was learned."""

from dataclasses import replace

import numpy as np
from PIL import Image

from tutorial_lib.generation.generate import generate
from tutorial_lib.models import Models
from tutorial_lib.words import LearnedWord


def generate_over_steps(
    models: Models, word: LearnedWord, prompt: str, frames: int = 7
) -> tuple[list[Image.Image], list[str]]:
    """Draw a prompt, always from the same noise, as X changed.

    Returns pictures and labels, from the snapshots of the vectors kept in
    `word.history`, first and last included.
    """
    kept = {
        each["step"]: each["vectors"]
        for each in word.history
        if each["vectors"] is not None
    }
    steps = sorted(kept)
    places = np.linspace(0, len(steps) - 1, min(frames, len(steps)))
    images, labels = [], []
    for i in places.round().astype(int):
        then = replace(word, vectors=kept[steps[i]])
        images += generate(
            models, prompt, words=[then], seed=0, progress=False
        )
        labels.append(f"step {steps[i]}")
    return images, labels
