"""How many vectors of a word the templates can hold."""

import torch

from tutorial_lib.errors import WordError
from tutorial_lib.inversion.templates import fill_templates
from tutorial_lib.models import Models
from tutorial_lib.words import (
    LearnedWord,
    check_num_vectors,
    count_most_vectors,
)


def check_capacity(
    models: Models, templates: tuple[str, ...], name: str, num_vectors: int
) -> None:
    """Raise WordError if the word's vectors fall off a template's end.

    The text encoder reads a fixed number of tokens, 77 of every Stable
    Diffusion. The template that can hold the fewest decides.
    """
    word = LearnedWord(name, torch.zeros(1, 1))
    tokenizer = models.pipeline.tokenizer
    capacity = {
        template: min(
            count_most_vectors(
                models.clip_tokenizer, text, word, models.clip.context_length
            ),
            count_most_vectors(
                tokenizer, text, word, tokenizer.model_max_length
            ),
        )
        for template, text in zip(
            templates, fill_templates(templates, name), strict=True
        )
    }
    longest = min(capacity, key=lambda template: capacity[template])
    if capacity[longest] < 1:
        raise WordError(
            f'The template "{longest}" is so long that "{name}" falls off '
            "its end; shorten it, or let the gap {} come earlier."
        )
    check_num_vectors(num_vectors, capacity[longest])
