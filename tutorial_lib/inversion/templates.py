"""Templates: sentences with a gap for the word that is learned."""

from collections.abc import Sequence

import torch

from tutorial_lib.arguments import read_texts
from tutorial_lib.errors import WordError
from tutorial_lib.words import LearnedWord, check_word, split_prompt


def fill_templates(templates: str | Sequence[str], word: str) -> list[str]:
    """Put a word into the gap of each template.

    Raises WordError for a template without the gap {}, and for one in which
    the word would not stand alone ("photo of {}s"): it would be read as
    letters, and nothing be learned.
    """
    word = check_word(word)
    placeholder = LearnedWord(word, torch.zeros(1, 1))
    texts = []
    for template in read_texts(templates, "templates", "a photo of {}"):
        text = template.replace("{}", word)
        given = template.replace("{}", "\n")  # the word may be written out
        num_gaps = template.count("{}")
        num_read = count_word(text, placeholder)
        if not num_gaps:
            raise WordError(
                f'The template "{template}" has no gap for the word; write '
                '{} there, as in "a photo of {}".'
            )
        if num_read - count_word(given, placeholder) < num_gaps:
            raise WordError(
                f'In the template "{template}" the word "{word}" does not '
                f'stand alone: "{text}" would be read as letters, and nothing '
                'be learned; put a space beside {}, as in "a photo of {}".'
            )
        texts.append(text)
    return texts


def count_word(text: str, word: LearnedWord) -> int:
    """Return how often a word stands alone in a text."""
    return len(split_prompt(text, [word])) // 2
