"""Words for models with two text encoders: each encoder reads its own half.

Everything else works on words whose vectors are for a single text encoder.
"""

import copy

from tutorial_lib.settings import Profile
from tutorial_lib.words.learned_word import (
    LearnedWord,
    Words,
    check_widths,
    read_words,
)


def select_encoder(profile: Profile, words: Words, number: int) -> Words:
    """Return words as text encoder 0 or 1 of a profile's models reads them.

    Their vectors are the very tensors of the words given, so that a gradient
    reaches these. Models with a single text encoder get the words as they
    are. Raises WordError if a word was learned with other models.
    """
    if profile.embedding_width_2 is None:
        return words
    words = read_words(words)
    for word in words:
        check_widths(word, profile.embedding_widths, profile.name)
    return [keep_vectors_of(word, number) for word in words]


def keep_vectors_of(word: LearnedWord, number: int) -> LearnedWord:
    """Return a word with its vectors for one of two text encoders only.

    They are not checked again: the program would have to wait for the GPU.
    """
    half = copy.copy(word)
    half.vectors, half.vectors_2 = word.tensors[number], None
    return half
