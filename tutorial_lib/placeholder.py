"""Putting a learned word into a prompt, and its vectors into a model.

The vocabulary is never touched. A learned word gets ids beyond the last
ordinary one, and a thin module around the frozen table of embeddings
looks those ids up among the learned vectors.
"""

import re
import unicodedata
import warnings
from contextlib import contextmanager

import torch
from torch import nn

from tutorial_lib.words import (
    MOST_VECTORS,
    LearnedWord,
    WordError,
    check_width,
    check_word,
)


class WordEmbedding(nn.Module):
    """A frozen table of embeddings, with learned vectors behind its end.

    `table` is an `nn.Embedding` of V rows; `vectors` a list of tensors
    (num_vectors, width), one for each learned word. Ids below V look up
    the table, V is the first learned vector, V + 1 the next. Gradients
    reach the vectors only, if they ask for one. Taught in
    notebooks/02_the_word_x.ipynb.
    """

    def __init__(self, table, vectors):
        super().__init__()
        self.table = table
        self.vectors = vectors  # a plain list: no part of the model's state

    @property
    def weight(self):
        """The rows of the table, (V, width)."""
        return self.table.weight

    def forward(self, ids):
        """Return the embeddings, ids' shape x width, in the table's dtype."""
        size = self.table.num_embeddings
        known = self.table(ids.clamp(max=size - 1))
        learned = torch.cat([v.to(known) for v in self.vectors])
        learned = learned[(ids - size).clamp(min=0)]
        return torch.where((ids >= size)[..., None], learned, known)


def get_embedding(encoder):
    """Return the module that embeds the tokens of a text encoder.

    `encoder` is an open_clip model or a transformers text encoder.
    """
    if hasattr(encoder, "token_embedding"):
        return encoder.token_embedding
    return encoder.get_input_embeddings()


def set_embedding(encoder, embedding):
    """Make `embedding` the module that embeds the encoder's tokens."""
    if hasattr(encoder, "token_embedding"):
        encoder.token_embedding = embedding
    else:
        encoder.set_input_embeddings(embedding)


def install(encoder, words):
    """Wrap the encoder's table so that it knows the learned words.

    Returns the table as it was, for `set_embedding` to put back. Raises
    WordError if a word was learned with a model of another width.
    """
    table = get_embedding(encoder)
    for word in words:
        check_width(word, table.embedding_dim, model=type(encoder).__name__)
    set_embedding(encoder, WordEmbedding(table, [w.vectors for w in words]))
    return table


@contextmanager
def use_words(encoder, words):
    """Let a text encoder know the learned words within a `with` block.

    `encoder` is an open_clip model or a transformers text encoder. On
    leaving, the encoder is what it was before. Taught in
    notebooks/02_the_word_x.ipynb.
    """
    if not words:
        yield encoder
        return
    table = install(encoder, words)
    try:
        yield encoder
    finally:
        set_embedding(encoder, table)


def encode_prompts(tokenizer, prompts, words=(), context_length=None):
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
    start, end, pad = get_special_ids(tokenizer)
    places = give_ids(tokenizer, words)
    rows = []
    for prompt in prompts:
        ids = []
        for i, piece in enumerate(split_prompt(prompt, words)):
            # Every second piece is a learned word.
            ids += places[piece] if i % 2 else encode_text(tokenizer, piece)
        if len(ids) > length - 2:
            report_cut(prompt, cut=ids[length - 2 :], places=places)
        row = [start, *ids[: length - 2], end]
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


def give_ids(tokenizer, words):
    """Return a dict from each word to the list of its ids."""
    first = count_vocabulary(tokenizer)
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
        if word.token in seen:
            raise WordError(
                f'The words "{seen[word.token]}" and "{word.word}" have the '
                f"same token, {word.token}; call one of them otherwise, as "
                'in `word.rename("Y")`.'
            )
        seen[word.token] = word.word
        check_not_ordinary(tokenizer, word.word)


def check_not_ordinary(tokenizer, word):
    """Raise WordError for a lower-case word of the vocabulary ("cat").

    "Cat" and "X" are free: learned words are told apart by their case.
    """
    if word == word.lower() and len(encode_text(tokenizer, word)) == 1:
        free = word.capitalize()
        remedy = f'write it with a capital ("{free}")'
        if free == word:  # a digit, or a script without capitals
            remedy = f'call it otherwise, such as "X{word}"'
        raise WordError(
            f'"{word}" is an ordinary word of the vocabulary already, and '
            f"the learned word would hide it; {remedy}."
        )


def report_cut(prompt, cut, places):
    """Say that a prompt is too long; WordError if a learned word is lost."""
    for word, ids in places.items():
        if set(ids) & set(cut):
            raise WordError(
                f'The prompt "{prompt}" is so long that "{word}" falls off '
                "its end; shorten it, or let the word come earlier."
            )
    warnings.warn(
        f'The prompt "{prompt}" is too long; its last {len(cut)} tokens are '
        "not read.",
        stacklevel=3,
    )


def encode_text(tokenizer, text):
    """Return the ids of a text without start and end, as a list."""
    if hasattr(tokenizer, "sot_token_id"):  # open_clip's
        return tokenizer.encode(text)
    return tokenizer(text, add_special_tokens=False, verbose=False).input_ids


def count_vocabulary(tokenizer):
    """Return the number of tokens that a tokenizer knows."""
    if hasattr(tokenizer, "sot_token_id"):
        return tokenizer.vocab_size
    return len(tokenizer)


def get_special_ids(tokenizer):
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


def start_word(models, word, initializer, num_vectors):
    """Make the LearnedWord that learning starts from.

    Its vectors, (num_vectors, width) float32 on the models' device, are
    the rows of the initializer: their mean for a single vector, else one
    row after the other. They ask for a gradient.
    """
    word = check_word(word)
    check_not_ordinary(models.clip_tokenizer, word)
    if not 1 <= num_vectors <= MOST_VECTORS:
        raise WordError(
            f"A word cannot have {num_vectors} vectors; choose between 1 "
            f"and {MOST_VECTORS}."
        )
    text = initializer
    if isinstance(initializer, LearnedWord):
        text, rows = initializer.initializer, initializer.vectors
    else:
        rows = find_rows(models, initializer)
    if num_vectors == 1:
        vectors = rows.mean(dim=0, keepdim=True)
    else:
        vectors = rows[torch.arange(num_vectors) % len(rows)]
    vectors = vectors.detach().to(models.device, torch.float32).clone()
    return LearnedWord(
        word=word,
        vectors=vectors.requires_grad_(True),
        base_model=models.profile.name,
        initializer=text,
    )


def find_rows(models, text):
    """Return the embeddings (num_tokens, width) of a text's tokens."""
    ids = encode_text(models.clip_tokenizer, text)
    if not ids:
        raise WordError(
            "The initializer is empty; name an ordinary word for what the "
            'pictures show, such as "pattern" or "person".'
        )
    return models.clip.token_embedding.weight[ids]
