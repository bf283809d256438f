"""How many vectors of a word the templates have room for."""

import torch

from tutorial_lib.errors import WordError
from tutorial_lib.inversion.losses import fill_templates
from tutorial_lib.models import Models
from tutorial_lib.words import (
    LearnedWord,
    check_num_vectors,
    count_most_vectors,
)


def check_room(
    models: Models, templates: tuple[str, ...], name: str, num_vectors: int
) -> None:
    """Raise WordError if the word's vectors fall off a template's end.

    The text encoder reads a fixed number of tokens, 77 of every Stable
    Diffusion; the template with the least room for the word `name` decides.
    """
    word = LearnedWord(name, torch.zeros(1, 1))
    tokenizer = models.pipeline.tokenizer
    room = {
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
    longest = min(room, key=lambda template: room[template])
    if room[longest] < 1:
        raise WordError(
            f'The template "{longest}" is so long that "{name}" falls off '
            "its end; shorten it, or let the gap {} come earlier."
        )
    check_num_vectors(num_vectors, room[longest])
