"""Token ids of prompts with learned words in them.

The tokenizer is never changed: a learned word gets ids beyond the last
ordinary one.
"""

import unicodedata
import warnings
from collections.abc import Sequence
from typing import TypeAlias

import open_clip
import torch
from jaxtyping import Int
from torch import Tensor
from transformers import CLIPTokenizer

from tutorial_lib.arguments import read_text, read_texts
from tutorial_lib.errors import WordError
from tutorial_lib.words.learned_word import (
    LearnedWord,
    Words,
    explain_reserved,
    make_placeholder_token,
    read_words,
)
from tutorial_lib.words.scripts import compile_standing_alone

Tokenizer: TypeAlias = open_clip.SimpleTokenizer | CLIPTokenizer
EXAMPLE = "A photo of X"


def tokenize_prompts(
    tokenizer: Tokenizer,
    prompts: str | Sequence[str],
    words: Words = (),
    context_length: int | None = None,
) -> Int[Tensor, "num_prompts context_length"]:
    """Turn prompts into token ids, with the learned words in their places.

    A learned word counts only where it stands alone and is written exactly
    so: X, and Xの写真, but neither x nor Xmas. Each of its vectors takes one
    place, with ids from the vocabulary's size on, in the order of `words`.
    Start and end are included, and the rest is padded as that tokenizer pads.
    A word that shares its name, hides an ordinary word, or does not fit in is
    a WordError. Taught in notebooks/02_the_word_x.ipynb.
    """
    prompts = read_texts(prompts, "prompts", EXAMPLE)
    words = read_words(words)
    check_names(tokenizer, words)
    length = context_length or get_context_length(tokenizer)
    start, end, pad = get_special_token_ids(tokenizer)
    ids_of_words = assign_token_ids(tokenizer, words)
    rows = []
    for prompt in prompts:
        token_ids: list[int] = []
        for i, piece in enumerate(split_prompt(prompt, words)):
            if i % 2:  # every second piece is a learned word
                token_ids += ids_of_words[piece]
            else:
                token_ids += tokenize_text(tokenizer, piece)
        if len(token_ids) > length - 2:
            report_truncation(prompt, token_ids[length - 2 :], ids_of_words)
        row = [start, *token_ids[: length - 2], end]
        rows.append(row + [pad] * (length - len(row)))
    return torch.tensor(rows, dtype=torch.long)


def split_prompt(prompt: str, words: Words) -> list[str]:
    """Split a prompt at its learned words; every second piece is one.

    "A mug with X" gives "A mug with ", "X", "". A word counts only where it
    stands alone and is written exactly so; see `compile_standing_alone`.
    """
    words = read_words(words)
    prompt = unicodedata.normalize("NFC", read_text(prompt, "prompt", EXAMPLE))
    if not words:
        return [prompt]
    return compile_standing_alone(word.word for word in words).split(prompt)


def find_words(prompt: str, words: Words) -> list[LearnedWord]:
    """Return those of the learned words that stand in the prompt."""
    words = read_words(words)
    pieces = set(split_prompt(prompt, words)[1::2])
    return [word for word in words if word.word in pieces]


def assign_token_ids(
    tokenizer: Tokenizer, words: Sequence[LearnedWord]
) -> dict[str, list[int]]:
    """Return the token ids of each learned word, by its name."""
    first = get_vocabulary_size(tokenizer)
    ids_of_words = {}
    for word in words:
        ids_of_words[word.word] = list(range(first, first + word.num_vectors))
        first += word.num_vectors
    return ids_of_words


def check_names(tokenizer: Tokenizer, words: Sequence[LearnedWord]) -> None:
    """Raise WordError if two words share a name or one hides another's.

    Each word has a token of its own, whatever the case of its letters; a
    lower-case word of CLIP's vocabulary would be lost to the reader.
    """
    owners: dict[str, str] = {}
    for word in words:
        token = word.placeholder_token
        if token in owners:
            raise WordError(
                f'The words "{owners[token]}" and "{word.word}" have the '
                f"same token, {token}; call one of them otherwise, as in "
                '`word.rename("Y")`.'
            )
        owners[token] = word.word
        check_not_ordinary(tokenizer, word.word)


def check_not_ordinary(tokenizer: Tokenizer, word: str) -> None:
    """Raise WordError for a lower-case word of the vocabulary ("cat").

    "Cat" and "X" are free: learned words are told apart by their case. A
    word whose placeholder token the vocabulary has is refused as well:
    diffusers would not read its file.
    """
    if has_token(tokenizer, make_placeholder_token(word)):
        raise WordError(explain_reserved(word))
    if word == word.lower() and len(tokenize_text(tokenizer, word)) == 1:
        free = word.capitalize()
        remedy = f'write it with a capital ("{free}")'
        if free == word:  # a digit, or a script without capitals
            remedy = f'call it otherwise, such as "X{word}"'
        raise WordError(
            f'"{word}" is an ordinary word of the vocabulary already, and '
            f"the learned word would hide it; {remedy}."
        )


def report_truncation(
    prompt: str, cut: list[int], ids_of_words: dict[str, list[int]]
) -> None:
    """Warn that a prompt is too long, and its last token ids are `cut`.

    Raises WordError if a learned word is among them.
    """
    for word, token_ids in ids_of_words.items():
        if set(token_ids) & set(cut):
            raise WordError(
                f'The prompt "{prompt}" is so long that "{word}" falls off '
                "its end; shorten it, or let the word come earlier."
            )
    warnings.warn(
        f'The prompt "{prompt}" is too long; its last {len(cut)} tokens are '
        "not read.",
        stacklevel=3,
    )


def tokenize_text(tokenizer: Tokenizer, text: str) -> list[int]:
    """Return the token ids of a text, without start and end."""
    if isinstance(tokenizer, open_clip.SimpleTokenizer):
        return tokenizer.encode(text)
    return tokenizer(text, add_special_tokens=False, verbose=False).input_ids


def count_most_vectors(
    tokenizer: Tokenizer, prompt: str, word: LearnedWord, context_length: int
) -> int:
    """Return how many vectors a word can have before it leaves the prompt.

    It stands in the prompt at least once, and must not fall off its end.
    """
    pieces = split_prompt(prompt, [word])
    before_last = pieces[: len(pieces) - 1 : 2]
    used = sum(len(tokenize_text(tokenizer, text)) for text in before_last)
    return (context_length - 2 - used) // (len(pieces) // 2)


def has_token(tokenizer: Tokenizer, token: str) -> bool:
    """Return whether a token is in a tokenizer's vocabulary."""
    if isinstance(tokenizer, open_clip.SimpleTokenizer):
        return token in tokenizer.encoder
    token_id = tokenizer.convert_tokens_to_ids(token)
    return tokenizer.convert_ids_to_tokens(token_id) == token


def get_vocabulary_size(tokenizer: Tokenizer) -> int:
    """Return the number of tokens that a tokenizer knows."""
    if isinstance(tokenizer, open_clip.SimpleTokenizer):
        return tokenizer.vocab_size
    return len(tokenizer)


def get_special_token_ids(tokenizer: Tokenizer) -> tuple[int, int, int]:
    """Return the token ids of start, end and padding.

    open_clip pads with 0, Stable Diffusion's tokenizer with the end.
    """
    if isinstance(tokenizer, open_clip.SimpleTokenizer):
        return tokenizer.sot_token_id, tokenizer.eot_token_id, 0
    return (
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
        tokenizer.pad_token_id,
    )


def get_context_length(tokenizer: Tokenizer) -> int:
    """Return how many tokens the tokenizer's model reads at once."""
    if isinstance(tokenizer, open_clip.SimpleTokenizer):
        return tokenizer.context_length
    return tokenizer.model_max_length
