"""Learned vectors behind the end of a text encoder's embedding table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import open_clip
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import CLIPTextModel

from tutorial_lib.words.learned_word import Words, check_widths, read_words

TextEncoder: TypeAlias = open_clip.CLIP | CLIPTextModel


class PlaceholderEmbedding(nn.Module):
    """A frozen table of embeddings, with learned vectors behind its end.

    With a table of V rows, token ids below V look up the table, V is the
    first learned vector, V + 1 the next. Gradients reach the vectors only,
    if they ask for one. Taught in notebooks/02_the_word_x.ipynb.
    """

    def __init__(
        self,
        table: nn.Embedding,
        vectors: list[Float[Tensor, "num_vectors width"]],
    ) -> None:
        super().__init__()
        self.table = table
        self.vectors = vectors  # a plain list: no part of the model's state

    @property
    def weight(self) -> Float[Tensor, "vocabulary width"]:
        """The rows of the table."""
        return self.table.weight

    def forward(
        self, token_ids: Int[Tensor, "*shape"]
    ) -> Float[Tensor, "*shape width"]:
        """Return the embeddings of token ids, in the table's dtype."""
        size = self.table.num_embeddings
        known = self.table(token_ids.clamp(max=size - 1))
        learned = torch.cat([v.to(known) for v in self.vectors])
        learned = learned[(token_ids - size).clamp(min=0)]
        return torch.where((token_ids >= size)[..., None], learned, known)


def get_embedding(encoder: TextEncoder) -> nn.Embedding:
    """Return the module that embeds the tokens of a text encoder.

    Within `use_words` it is a PlaceholderEmbedding.
    """
    if hasattr(encoder, "token_embedding"):  # open_clip's
        return encoder.token_embedding
    return encoder.get_input_embeddings()


def set_embedding(encoder: TextEncoder, embedding: nn.Module) -> None:
    """Make `embedding` the module that embeds the encoder's tokens."""
    if hasattr(encoder, "token_embedding"):  # open_clip's
        encoder.token_embedding = embedding
    else:
        encoder.set_input_embeddings(embedding)


@contextmanager
def use_words(encoder: TextEncoder, words: Words) -> Iterator[TextEncoder]:
    """Let a text encoder know the learned words within a `with` block.

    On leaving, the encoder is what it was before. Raises WordError if a word
    was learned with a model of another width. Taught in
    notebooks/02_the_word_x.ipynb.
    """
    words = read_words(words)
    if not words:
        yield encoder
        return
    table = get_embedding(encoder)
    for word in words:
        check_widths(word, [table.embedding_dim], type(encoder).__name__)
    vectors = [word.vectors for word in words]
    set_embedding(encoder, PlaceholderEmbedding(table, vectors))
    try:
        yield encoder
    finally:
        set_embedding(encoder, table)
