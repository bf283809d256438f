"""Images of one prompt from the same noise, while its word was learned."""

from dataclasses import replace

import numpy as np
from PIL import Image

from tutorial_lib.arguments import read_whole_number
from tutorial_lib.generation.sampling import generate
from tutorial_lib.models import Models
from tutorial_lib.words import LearnedWord


def generate_over_steps(
    models: Models, word: LearnedWord, prompt: str, frames: int = 7
) -> tuple[list[Image.Image], list[str]]:
    """Generate a prompt, always from the same noise, as the word changed.

    Returns the images and their labels, for `frames` of the steps whose
    vectors are kept in `word.history`, first and last included.
    """
    frames = read_whole_number(frames, "frames", 1)
    vectors_at = {
        entry["step"]: (entry["vectors"], entry.get("vectors_2"))
        for entry in word.history
        if entry["vectors"] is not None
    }
    steps = sorted(vectors_at)
    places = np.linspace(0, len(steps) - 1, min(frames, len(steps)))
    images, labels = [], []
    for i in places.round().astype(int):
        vectors, vectors_2 = vectors_at[steps[i]]
        earlier_word = replace(word, vectors=vectors, vectors_2=vectors_2)
        images += generate(
            models, prompt, words=[earlier_word], seed=0, progress=False
        )
        labels.append(f"step {steps[i]}")
    return images, labels
