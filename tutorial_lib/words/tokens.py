"""Token ids of prompts with learned words in them.

The tokenizer is never changed: a learned word gets ids beyond the last
ordinary one.
"""

import re
import unicodedata
import warnings

import torch

from tutorial_lib.errors import WordError


def tokenize_prompts(tokenizer, prompts, words=(), context_length=None):
    """Turn prompts into ids, with the learned words in their places.

    `tokenizer` is open_clip's or transformers', and is not changed. A
    learned word is found only where it stands alone and is written
    exactly so: X, but neither x nor Xmas. Each of its vectors takes one
    place, with ids from the vocabulary's size on, in the order of
    `words`. Returns ids (num_prompts, context_length), with start and
    end, padded as that tokenizer pads. Raises WordError if two words
    share a name, one hides an ordinary word, or one does not fit in.
    Taught in notebooks/02_the_word_x.ipynb.
    """
    prompts = [prompts] if isinstance(prompts, str) else prompts
    check_names(tokenizer, words)
    length = context_length or get_context_length(tokenizer)
    start, end, pad = get_special_token_ids(tokenizer)
    places = assign_token_ids(tokenizer, words)
    rows = []
    for prompt in prompts:
        token_ids = []
        for i, piece in enumerate(split_prompt(prompt, words)):
            # Every second piece is a learned word.
            token_ids += (
                places[piece] if i % 2 else tokenize_text(tokenizer, piece)
            )
        if len(token_ids) > length - 2:
            report_truncation(
                prompt, cut=token_ids[length - 2 :], places=places
            )
        row = [start, *token_ids[: length - 2], end]
        rows.append(row + [pad] * (length - len(row)))
    return torch.tensor(rows, dtype=torch.long)


def split_prompt(prompt, words):
    """Cut a prompt at its learned words: "A mug with X" gives "A mug with ",
    "X", "".

    A word counts only where it stands alone and is written exactly so.
    """
    prompt = unicodedata.normalize("NFC", prompt)
    if not words:
        return [prompt]
    # A longer name first: of X and X-2, "X-2" is the second.
    names = sorted((word.word for word in words), key=len, reverse=True)
    either = "|".join(re.escape(name) for name in names)
    # Neither a letter or digit beside it, nor one behind a hyphen (X-ray).
    alone = rf"(?<!\w)(?<!\w-)({either})(?!\w)(?!-\w)"
    return re.split(alone, prompt)


def find_words(prompt, words):
    """Return those of the learned words that stand in the prompt."""
    pieces = set(split_prompt(prompt, words)[1::2])
    return [word for word in words if word.word in pieces]


def assign_token_ids(tokenizer, words):
    """Return a dict from each word to the list of its ids."""
    first = get_vocabulary_size(tokenizer)
    places = {}
    for word in words:
        places[word.word] = list(range(first, first + word.num_vectors))
        first += word.num_vectors
    return places


def check_names(tokenizer, words):
    """Raise WordError if two words share a name or one hides another's.

    Each word has a token of its own, whatever the case of its letters; a
    lower-case word of CLIP's vocabulary would be lost to the reader.
    """
    seen = {}
    for word in words:
        if word.placeholder_token in seen:
            raise WordError(
                f'The words "{seen[word.placeholder_token]}" and "{word.word}" have the '
                f"same token, {word.placeholder_token}; call one of them otherwise, as "
                'in `word.rename("Y")`.'
            )
        seen[word.placeholder_token] = word.word
        check_not_ordinary(tokenizer, word.word)


def check_not_ordinary(tokenizer, word):
    """Raise WordError for a lower-case word of the vocabulary ("cat").

    "Cat" and "X" are free: learned words are told apart by their case.
    """
    if word == word.lower() and len(tokenize_text(tokenizer, word)) == 1:
        free = word.capitalize()
        remedy = f'write it with a capital ("{free}")'
        if free == word:  # a digit, or a script without capitals
            remedy = f'call it otherwise, such as "X{word}"'
        raise WordError(
            f'"{word}" is an ordinary word of the vocabulary already, and '
            f"the learned word would hide it; {remedy}."
        )


def report_truncation(prompt, cut, places):
    """Say that a prompt is too long; WordError if a learned word is lost."""
    for word, token_ids in places.items():
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


def tokenize_text(tokenizer, text):
    """Return the ids of a text without start and end, as a list."""
    if hasattr(tokenizer, "sot_token_id"):  # open_clip's
        return tokenizer.encode(text)
    return tokenizer(text, add_special_tokens=False, verbose=False).input_ids


def get_vocabulary_size(tokenizer):
    """Return the number of tokens that a tokenizer knows."""
    if hasattr(tokenizer, "sot_token_id"):
        return tokenizer.vocab_size
    return len(tokenizer)


def get_special_token_ids(tokenizer):
    """Return the ids of start, end and padding.

    open_clip pads with 0, Stable Diffusion's tokenizer with the end.
    """
    if hasattr(tokenizer, "sot_token_id"):
        return tokenizer.sot_token_id, tokenizer.eot_token_id, 0
    return (
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
        tokenizer.pad_token_id,
    )


def get_context_length(tokenizer):
    """Return how many tokens the tokenizer's model reads at once."""
    if hasattr(tokenizer, "sot_token_id"):
        return tokenizer.context_length
    return tokenizer.model_max_length
