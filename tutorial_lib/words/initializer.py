"""The vectors that a word has before the first step."""

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.errors import WordError
from tutorial_lib.models import Models
from tutorial_lib.words.learned_word import LearnedWord, check_word
from tutorial_lib.words.tokens import check_not_ordinary, tokenize_text
from tutorial_lib.words.word_file import MAX_VECTORS


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
    word = check_word(word)
    check_not_ordinary(models.clip_tokenizer, word)
    if not 1 <= num_vectors <= MAX_VECTORS:
        raise WordError(
            f"A word cannot have {num_vectors} vectors; choose between 1 "
            f"and {MAX_VECTORS}."
        )
    if isinstance(initializer, LearnedWord):
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


def get_initializer_embeddings(
    models: Models, text: str
) -> Float[Tensor, "num_tokens width"]:
    """Return the embeddings of a text's tokens.

    Raises WordError if it has none.
    """
    token_ids = tokenize_text(models.clip_tokenizer, text)
    if not token_ids:
        raise WordError(
            "The initializer is empty; name an ordinary word for what the "
            'pictures show, such as "pattern" or "person".'
        )
    return models.clip.token_embedding.weight[token_ids]
