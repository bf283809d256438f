"""Two kinds of pipelines: with one text encoder, and with two (SDXL's).

SDXL's U-Net is given one more vector beside the tokens' hidden states: the
pooled text, of the prompt as a whole. Here that vector is one more row of
prompt_embeds, the last one, so that whatever selects, batches or passes on
prompt_embeds does so for all models alike. Source: Podell et al. (2023),
SDXL: Improving Latent Diffusion Models for High-Resolution Image Synthesis,
sections 2.1 and 2.2.
"""

from typing import Any, TypeAlias

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from jaxtyping import Float
from torch import Tensor, nn
from transformers import CLIPTextModel

from tutorial_lib.settings import Profile

Pipeline: TypeAlias = StableDiffusionPipeline | StableDiffusionXLPipeline


def pick_pipeline_class(profile: Profile) -> type[Pipeline]:
    """Return diffusers' class for a profile's models."""
    if profile.embedding_width_2 is None:
        return StableDiffusionPipeline
    return StableDiffusionXLPipeline


def list_text_encoders(pipeline: Pipeline) -> list[CLIPTextModel]:
    """Return a pipeline's text encoders, one or two."""
    second = getattr(pipeline, "text_encoder_2", None)
    return [pipeline.text_encoder, *([] if second is None else [second])]


def list_networks(pipeline: Pipeline) -> list[nn.Module]:
    """Return the networks that a pipeline computes images with."""
    encoders = list_text_encoders(pipeline)
    return [*encoders, pipeline.vae, pipeline.unet]


def append_pooled_text(
    hidden_states: Float[Tensor, "batch tokens width"],
    pooled_text: Float[Tensor, "batch pooled_width"],
) -> Float[Tensor, "batch rows width"]:
    """Put the pooled text behind the tokens' rows, filled up with zeros.

    There is one row more than there are tokens.
    """
    missing = hidden_states.shape[-1] - pooled_text.shape[-1]
    row = nn.functional.pad(pooled_text, (0, missing))
    return torch.cat([hidden_states, row[:, None]], dim=1)


def split_pooled_text(
    prompt_embeds: Float[Tensor, "batch rows width"], pooled_width: int
) -> tuple[
    Float[Tensor, "batch tokens width"], Float[Tensor, "batch pooled_width"]
]:
    """Return the tokens' rows, and the pooled text without its zeros."""
    return prompt_embeds[:, :-1], prompt_embeds[:, -1, :pooled_width]


def get_pooled_width(pipeline: StableDiffusionXLPipeline) -> int:
    """Return the number of entries of a pooled text."""
    return pipeline.text_encoder_2.config.projection_dim


def make_time_ids(
    pooled_text: Float[Tensor, "batch pooled_width"], size: int
) -> Float[Tensor, "batch 6"]:
    """Return what the U-Net is told of an image's size and crop.

    It is `size` pixels wide and high, nothing is cut off, and that is what
    is wanted: as diffusers' pipeline says if it is told nothing else. (Made
    without a copy from the CPU, which a CUDA graph could not record.)
    """
    side = pooled_text.new_full((len(pooled_text), 1), size)
    nothing = torch.zeros_like(side)
    return torch.cat([side, side, nothing, nothing, side, side], dim=1)


def let_unet_read_pooled_text(pipeline: StableDiffusionXLPipeline) -> None:
    """Let a pipeline's U-Net find the pooled text in prompt_embeds' last row.

    It is then called as that of Stable Diffusion 1 is. Calls that say
    themselves what the pooled text is, as the pipeline's do, stay as they
    are.
    """
    pooled_width = get_pooled_width(pipeline)
    size = pipeline.default_sample_size * pipeline.vae_scale_factor

    def unpack(
        _: nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Take the last row for the pooled text, unless there is one."""
        if named.get("added_cond_kwargs") is None:
            hidden_states, pooled_text = split_pooled_text(
                named["encoder_hidden_states"], pooled_width
            )
            named = {
                **named,
                "encoder_hidden_states": hidden_states,
                "added_cond_kwargs": {
                    "text_embeds": pooled_text,
                    "time_ids": make_time_ids(pooled_text, size),
                },
            }
        return arguments, named

    pipeline.unet.register_forward_pre_hook(unpack, with_kwargs=True)
