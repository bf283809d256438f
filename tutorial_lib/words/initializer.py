"""The vectors that a word has before the first step."""

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.arguments import describe, read_text, read_whole_number
from tutorial_lib.errors import WordError
from tutorial_lib.models import Models, check_models
from tutorial_lib.words.learned_word import (
    LearnedWord,
    check_width,
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

    Its vectors are the initializer's embeddings: their mean for a single
    vector, else one embedding after the other, from the first again if there
    are too few. They are leaves with a gradient, on the models' device.
    Raises WordError if there is no such start.
    """
    check_models(models)
    word = check_word(word)
    for tokenizer in (models.clip_tokenizer, models.pipeline.tokenizer):
        check_not_ordinary(tokenizer, word)
    num_vectors = read_whole_number(num_vectors, "num_vectors", 1)
    check_num_vectors(num_vectors, models.clip.context_length - 2)
    if isinstance(initializer, LearnedWord):
        check_width(initializer, models.profile.embedding_width, "CLIP")
        text, embeddings = initializer.initializer, initializer.vectors
    else:
        text = initializer
        embeddings = get_initializer_embeddings(models, initializer)
    if num_vectors == 1:
        vectors = embeddings.mean(dim=0, keepdim=True)
    else:
        vectors = embeddings[torch.arange(num_vectors) % len(embeddings)]
    vectors = vectors.detach().to(models.device, torch.float32).clone()
    return LearnedWord(
        word=word,
        vectors=vectors.requires_grad_(True),
        base_model=models.profile.name,
        initializer=text,
    )


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
) -> Float[Tensor, "num_tokens width"]:
    """Return the embeddings of a text's tokens.

    Raises WordError if it has none.
    """
    text = read_text(text, "initializer", "pattern")
    token_ids = tokenize_text(models.clip_tokenizer, text)
    if not token_ids:
        raise WordError(
            "The initializer is empty; name an ordinary word for what the "
            'pictures show, such as "pattern" or "person".'
        )
    return models.clip.token_embedding.weight[token_ids]
