"""Prompts, with learned words in them, become what the U-Net is conditioned on."""

import torch

from tutorial_lib.words import tokenize_prompts, use_words


@torch.no_grad()
def encode_prompts(models, prompts, words=()):
    """Turn prompts, which may hold learned words, into U-Net conditions.

    Returns the text encoder's last hidden states (num_prompts, tokens,
    width) in the pipeline's number format.
    """
    token_ids = tokenize_prompts(
        models.pipeline.tokenizer, prompts, words=words
    )
    return encode_token_ids(models, token_ids, words=words)


def encode_token_ids(models, token_ids, words=()):
    """Turn token ids into U-Net conditions, with a gradient to the words.

    `ids` (num_prompts, tokens) come from `encode_prompts` with the same
    words. Returns (num_prompts, tokens, width).
    """
    encoder = models.pipeline.text_encoder
    with use_words(encoder, words):
        return encoder(token_ids.to(models.device))[0]
