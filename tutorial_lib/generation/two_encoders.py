"""Prompts become prompt_embeds in models with two text encoders, as SDXL's.

Source: Podell et al. (2023), SDXL: Improving Latent Diffusion Models for
High-Resolution Image Synthesis, section 2.1.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import CLIPTextModelWithProjection

from tutorial_lib.models import Models
from tutorial_lib.pipelines import (
    append_pooled_text,
    get_pooled_width,
    split_pooled_text,
)
from tutorial_lib.words import Words, select_encoder, use_words

TokenIds = Int[Tensor, "num_prompts tokens"]


def encode_with_two(
    models: Models, token_ids: TokenIds, words: Words = ()
) -> Float[Tensor, "num_prompts rows width"]:
    """Turn token ids into prompt_embeds, with a gradient to the words.

    A token's row is the penultimate hidden state of the first text encoder
    and that of the second, side by side. One more row holds the pooled text
    (`append_pooled_text`). An empty prompt is all zeros if the pipeline says
    so, as that of SDXL does.
    """
    pipeline = models.pipeline
    first, second = pipeline.text_encoder, pipeline.text_encoder_2
    end_id = pipeline.tokenizer.eos_token_id
    with use_words(first, select_encoder(models.profile, words, 0)):
        output = first(token_ids, output_hidden_states=True)
    token_ids_2 = exchange_padding(
        token_ids, end_id, pipeline.tokenizer_2.pad_token_id
    )
    with use_words(second, select_encoder(models.profile, words, 1)):
        output_2 = second(token_ids_2, output_hidden_states=True)
    hidden = [output.hidden_states[-2], output_2.hidden_states[-2]]
    pooled = pool_at_end(second, output_2.last_hidden_state, token_ids, end_id)
    prompt_embeds = append_pooled_text(torch.cat(hidden, dim=-1), pooled)
    if pipeline.config.force_zeros_for_empty_prompt:
        is_empty = token_ids[:, 1] == end_id
        return prompt_embeds.masked_fill(is_empty[:, None, None], 0)
    return prompt_embeds


def exchange_padding(
    token_ids: TokenIds, end_id: int, pad_id: int
) -> TokenIds:
    """Return token ids with `pad_id` behind the end-of-text token.

    The two tokenizers of SDXL differ in nothing else.
    """
    is_end = (token_ids == end_id).int()
    is_behind = is_end.cumsum(dim=1) > is_end
    return token_ids.masked_fill(is_behind, pad_id)


def pool_at_end(
    encoder: CLIPTextModelWithProjection,
    hidden_states: Float[Tensor, "num_prompts tokens width"],
    token_ids: TokenIds,
    end_id: int,
) -> Float[Tensor, "num_prompts pooled_width"]:
    """Return the pooled text: the state at the end-of-text token, projected.

    The encoder itself would read it at the largest token id, and that is
    X's (transformers, models/clip/modeling_clip.py, on `eos_token_id == 2`).
    """
    ends = (token_ids == end_id).int().argmax(dim=1)
    places = ends[:, None, None].expand(-1, 1, hidden_states.shape[-1])
    return encoder.text_projection(hidden_states.gather(1, places)[:, 0])


def name_prompt_embeds(
    models: Models,
    prompt_embeds: Float[Tensor, "batch rows width"],
    negative_prompt_embeds: Float[Tensor, "batch rows width"],
) -> dict[str, Tensor]:
    """Return prompt_embeds as diffusers' pipelines want them to be named."""
    if models.profile.embedding_width_2 is None:
        return {
            "prompt_embeds": prompt_embeds,
            "negative_prompt_embeds": negative_prompt_embeds,
        }
    width = get_pooled_width(models.pipeline)
    hidden, pooled = split_pooled_text(prompt_embeds, width)
    hidden_2, pooled_2 = split_pooled_text(negative_prompt_embeds, width)
    return {
        "prompt_embeds": hidden,
        "pooled_prompt_embeds": pooled,
        "negative_prompt_embeds": hidden_2,
        "negative_pooled_prompt_embeds": pooled_2,
    }
