"""The second road of a caption into the U-Net: pooled, as one vector.

The tiny U-Net reads a caption twice: token by token, by cross-attention, and
as a whole, pooled and added to the timestep's embedding. Stable Diffusion 1
and 2 have the first road only.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers import UNet2DConditionModel
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from tutorial_lib.arguments import read_text
from tutorial_lib.errors import ArgumentError
from tutorial_lib.generation.sampling import (
    check_prompts,
    generate,
    read_guidance_scale,
)
from tutorial_lib.generation.text_encoding import encode_prompts
from tutorial_lib.models import Models, check_models
from tutorial_lib.words import Words, find_words, read_words


def generate_with_pooled_caption(
    models: Models,
    prompt: str,
    pooled_caption: str,
    words: Words = (),
    count: int = 1,
    seed: int = 0,
    guidance_scale: float | None = None,
    progress: bool = True,
) -> list[Image.Image]:
    """Generate images of a prompt, with another text as the pooled caption.

    Cross-attention reads `prompt`, the timestep's embedding gets
    `pooled_caption`; "" leaves that road empty, and the prompt itself gives
    the images of `generate`. Raises WordError if a word is in neither text,
    ArgumentError for a U-Net that takes no pooled caption. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    check_models(models)
    prompt = read_text(prompt, "prompt", "A photo of X")
    pooled_caption = read_text(pooled_caption, "pooled_caption", "")
    words = read_words(words)
    check_prompts([prompt, pooled_caption], words)
    scale = read_guidance_scale(models, guidance_scale)
    embeds = encode_prompts(models, pooled_caption, words=words)
    is_guided = scale > 1
    with use_pooled_caption(models.pipeline.unet, embeds, is_guided):
        return generate(
            models,
            prompt,
            words=find_words(prompt, words),
            count=count,
            seed=seed,
            guidance_scale=scale,
            progress=progress,
        )


@contextmanager
def use_pooled_caption(
    unet: UNet2DConditionModel,
    prompt_embeds: Float[Tensor, "batch tokens width"],
    is_guided: bool = False,
) -> Iterator[None]:
    """Let the U-Net pool other prompt_embeds than those it attends to.

    `prompt_embeds` has one row for all, or one for each row of the U-Net's
    batch. With `is_guided` the first half of that batch is of the empty
    text, as in diffusers, and keeps its own. Raises ArgumentError for a U-Net
    that takes no pooled caption. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """

    def exchange(
        _: nn.Module, arguments: tuple[Tensor, ...]
    ) -> tuple[Tensor, ...]:
        """Put the other prompt_embeds in place of those of the prompt."""
        own = arguments[0]
        kept = own[: len(own) // 2] if is_guided else own[:0]
        other = prompt_embeds.to(own).expand(len(own) - len(kept), -1, -1)
        return (torch.cat([kept, other]), *arguments[1:])

    if unet.config.addition_embed_type != "text":
        raise ArgumentError(
            "This U-Net makes no pooled caption of its prompt; take the tiny "
            'models, load_models("tiny").'
        )
    handle = unet.add_embedding.register_forward_pre_hook(exchange)
    try:
        yield
    finally:
        handle.remove()
