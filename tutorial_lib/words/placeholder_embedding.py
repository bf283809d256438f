"""The placeholder's vectors, put behind a text encoder's frozen embedding table."""

from contextlib import contextmanager

import torch
from torch import nn

from tutorial_lib.words.learned_word import (
    check_width,
)


class PlaceholderEmbedding(nn.Module):
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

    def forward(self, token_ids):
        """Return the embeddings, ids' shape x width, in the table's dtype."""
        size = self.table.num_embeddings
        known = self.table(token_ids.clamp(max=size - 1))
        learned = torch.cat([v.to(known) for v in self.vectors])
        learned = learned[(token_ids - size).clamp(min=0)]
        return torch.where((token_ids >= size)[..., None], learned, known)


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


def wrap_embedding(encoder, words):
    """Wrap the encoder's table so that it knows the learned words.

    Returns the table as it was, for `set_embedding` to put back. Raises
    WordError if a word was learned with a model of another width.
    """
    table = get_embedding(encoder)
    for word in words:
        check_width(word, table.embedding_dim, model=type(encoder).__name__)
    set_embedding(
        encoder, PlaceholderEmbedding(table, [w.vectors for w in words])
    )
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
    table = wrap_embedding(encoder, words)
    try:
        yield encoder
    finally:
        set_embedding(encoder, table)
