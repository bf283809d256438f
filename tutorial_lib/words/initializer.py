"""The vectors that a word has before the first step."""

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.arguments import describe, read_text, read_whole_number
from tutorial_lib.errors import WordError
from tutorial_lib.models import Models, check_models
from tutorial_lib.words.learned_word import (
    LearnedWord,
    check_widths,
    check_word,
)
from tutorial_lib.words.tokens import check_not_ordinary, tokenize_text


def initialize_word(
    models: Models,
    word: str,
    initializer: str | LearnedWord,
    num_vectors: int,
) -> LearnedWord:
    """Make the LearnedWord that learning starts from.

    Its vectors are the initializer's embeddings, in each text encoder: their
    mean for a single vector, else one embedding after the other, from the
    first again if there are too few. They are leaves with a gradient, on the
    models' device. Raises WordError if there is no such start.
    """
    check_models(models)
    word = check_word(word)
    for tokenizer in (models.clip_tokenizer, models.pipeline.tokenizer):
        check_not_ordinary(tokenizer, word)
    num_vectors = read_whole_number(num_vectors, "num_vectors", 1)
    check_num_vectors(num_vectors, models.clip.context_length - 2)
    if isinstance(initializer, LearnedWord):
        check_widths(initializer, models.profile.embedding_widths, "CLIP")
        text, embeddings = initializer.initializer, initializer.tensors
    else:
        text = initializer
        embeddings = get_initializer_embeddings(models, initializer)
    tensors = [
        make_start(rows, num_vectors, models.device) for rows in embeddings
    ]
    return LearnedWord(
        word=word,
        vectors=tensors[0],
        vectors_2=tensors[1] if len(tensors) > 1 else None,
        base_model=models.profile.name,
        initializer=text,
    )


def make_start(
    embeddings: Float[Tensor, "num_tokens width"],
    num_vectors: int,
    device: str,
) -> Float[Tensor, "num_vectors width"]:
    """Return vectors made of embeddings, as leaves with a gradient."""
    if num_vectors == 1:
        vectors = embeddings.mean(dim=0, keepdim=True)
    else:
        vectors = embeddings[torch.arange(num_vectors) % len(embeddings)]
    vectors = vectors.detach().to(device, torch.float32).clone()
    return vectors.requires_grad_(True)


def check_num_vectors(num_vectors: int, most: int) -> None:
    """Raise WordError if a word has more vectors than there is room for."""
    if num_vectors > most:
        raise WordError(
            f"`num_vectors` cannot be {describe(num_vectors)}: a word can "
            f"have at most {most} vectors here, each in the place of one of "
            "the tokens that the text encoder reads; choose fewer."
        )


def get_initializer_embeddings(
    models: Models, text: str
) -> list[Float[Tensor, "num_tokens _"]]:
    """Return the embeddings of a text's tokens, in each text encoder.

    Raises WordError if it has none.
    """
    text = read_text(text, "initializer", "pattern")
    token_ids = tokenize_text(models.clip_tokenizer, text)
    if not token_ids:
        raise WordError(
            "The initializer is empty; name an ordinary word for what the "
            'pictures show, such as "pattern" or "person".'
        )
    return [table[token_ids] for table in list_embedding_tables(models)]


def list_embedding_tables(
    models: Models,
) -> list[Float[Tensor, "vocabulary _"]]:
    """Return the embeddings of all tokens, in each text encoder.

    CLIP's is the first.
    """
    tables = [models.clip.token_embedding.weight]
    if models.profile.embedding_width_2 is not None:
        second = models.pipeline.text_encoder_2
        tables.append(second.get_input_embeddings().weight)
    return tables
