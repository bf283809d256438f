"""Prompts, with learned words in them, become the U-Net's prompt_embeds."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tutorial_lib.generation.two_encoders import encode_with_two
from tutorial_lib.models import Models, check_models
from tutorial_lib.words import Words, tokenize_prompts, use_words


@torch.no_grad()
def encode_prompts(
    models: Models,
    prompts: str | Sequence[str],
    words: Words = (),
) -> Float[Tensor, "num_prompts tokens width"]:
    """Turn prompts, which may hold learned words, into prompt_embeds.

    These are the text encoder's last hidden states, in the pipeline's number
    format. For models with two text encoders see `encode_with_two`.
    """
    check_models(models)
    token_ids = tokenize_prompts(
        models.pipeline.tokenizer, prompts, words=words
    )
    return encode_token_ids(models, token_ids, words=words)


def encode_token_ids(
    models: Models,
    token_ids: Int[Tensor, "num_prompts tokens"],
    words: Words = (),
) -> Float[Tensor, "num_prompts tokens width"]:
    """Turn token ids into prompt_embeds, with a gradient to the words.

    The token ids come from `tokenize_prompts` with the same words.
    """
    if models.profile.embedding_width_2 is not None:
        return encode_with_two(models, token_ids.to(models.device), words)
    encoder = models.pipeline.text_encoder
    with use_words(encoder, words):
        return encoder(token_ids.to(models.device))[0]
