"""The vectors that a word has before the first step."""

import torch

from tutorial_lib.errors import WordError
from tutorial_lib.words.learned_word import (
    LearnedWord,
    check_word,
)
from tutorial_lib.words.tokens import check_not_ordinary, tokenize_text
from tutorial_lib.words.word_file import MAX_VECTORS


def initialize_word(models, word, initializer, num_vectors):
    """Make the LearnedWord that learning starts from.

    Its vectors, (num_vectors, width) float32 on the models' device, are
    the rows of the initializer: their mean for a single vector, else one
    row after the other. They ask for a gradient.
    """
    word = check_word(word)
    check_not_ordinary(models.clip_tokenizer, word)
    if not 1 <= num_vectors <= MAX_VECTORS:
        raise WordError(
            f"A word cannot have {num_vectors} vectors; choose between 1 "
            f"and {MAX_VECTORS}."
        )
    text = initializer
    if isinstance(initializer, LearnedWord):
        text, rows = initializer.initializer, initializer.vectors
    else:
        rows = get_initializer_embeddings(models, initializer)
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


def get_initializer_embeddings(models, text):
    """Return the embeddings (num_tokens, width) of a text's tokens."""
    token_ids = tokenize_text(models.clip_tokenizer, text)
    if not token_ids:
        raise WordError(
            "The initializer is empty; name an ordinary word for what the "
            'pictures show, such as "pattern" or "person".'
        )
    return models.clip.token_embedding.weight[token_ids]
