"""Where the U-Net looks: its cross-attention to each token of a prompt.

Sources: Rombach et al. (2022), section 3.3, for the layers; Hertz et al.
(2022), Prompt-to-Prompt Image Editing with Cross Attention Control, section
3.1, and Tang et al. (2022), What the DAAM: Interpreting Stable Diffusion
Using Cross Attention, for reading them as maps.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional

from tutorial_lib.arguments import (
    read_choice,
    read_seed,
    read_text,
    read_whole_number,
)
from tutorial_lib.generation.sampling import (
    IMAGES_PER_SEED,
    check_prompts,
    generate_batch,
    make_noise,
    make_sampling_scheduler,
    read_guidance_scale,
    read_steps,
)
from tutorial_lib.generation.text_encoding import encode_prompts
from tutorial_lib.models import Models, check_models
from tutorial_lib.words import (
    PADDING_LABEL,
    TokenLabel,
    Words,
    label_tokens,
    read_words,
)

# The maps of a layer, one list entry for each time that the U-Net was asked.
Recorded: TypeAlias = dict[str, list[Float[Tensor, "images tokens h w"]]]


@dataclass(frozen=True)
class AttentionMaps:
    """An image, and where the U-Net looked while it was generated.

    A layer has a map for each step and each token. Its entries are shares,
    averages over the layer's heads: at each cell and step those of all
    tokens add up to 1. The last token stands for all of the padding.
    """

    image: Image.Image
    tokens: list[TokenLabel]
    timesteps: list[int]
    layers: dict[str, Float[Tensor, "steps tokens height width"]]


def generate_with_attention(
    models: Models,
    prompt: str,
    words: Words = (),
    seed: int = 0,
    number: int = 0,
    guidance_scale: float | None = None,
    num_inference_steps: int | None = None,
) -> AttentionMaps:
    """Generate an image and keep where the U-Net looks for each token.

    The image is that of `generate` with the same arguments, the one with
    this `number`. With guidance the U-Net is asked twice at each step; the
    maps are those of the prompt, not of the empty text. Raises WordError if
    a word is not in the prompt. Taught in
    notebooks/05_textual_inversion.ipynb.
    """
    check_models(models)
    prompt = read_text(prompt, "prompt", "A photo of X")
    words = read_words(words)
    check_prompts([prompt], words)
    number = read_whole_number(number, "number", 0, IMAGES_PER_SEED - 1)
    steps = read_steps(models, num_inference_steps)
    scale = read_guidance_scale(models, guidance_scale)
    pipeline = models.pipeline
    tokens = label_tokens(pipeline.tokenizer, prompt, words)
    prompt_embeds = encode_prompts(models, [prompt, ""], words=words)
    with record_attention(pipeline.unet, 1, len(tokens)) as recorded:
        [image] = generate_batch(
            models,
            prompt_embeds=prompt_embeds[:1],
            negative_prompt_embeds=prompt_embeds[1:],
            latents=make_noise(models, read_seed(seed), [number]),
            guidance_scale=scale,
            num_inference_steps=steps,
            after_step=lambda: None,
        )
    scheduler = make_sampling_scheduler(pipeline.scheduler.config)
    scheduler.set_timesteps(steps)
    return AttentionMaps(
        image=image,
        tokens=[*tokens, PADDING_LABEL],
        timesteps=scheduler.timesteps.tolist(),
        layers={name: torch.cat(maps) for name, maps in recorded.items()},
    )


@contextmanager
def record_attention(
    unet: UNet2DConditionModel, num_images: int, num_tokens: int
) -> Iterator[Recorded]:
    """Record the U-Net's cross-attention within a `with` block.

    Yields a dict that fills up: for each layer, by its name and in the order
    of computation, the maps of each call of the U-Net, on the CPU. Only the
    last `num_images` rows of a batch are kept (with guidance, diffusers puts
    those of the empty text before them), and of the tokens the first
    `num_tokens` and the sum of all others. What the U-Net computes does not
    change.
    """
    recorded: Recorded = {}
    before = dict(unet.attn_processors)
    wrapped: dict[str, Any] = {
        key: RecordingProcessor(
            processor, recorded, key, num_images, num_tokens
        )
        for key, processor in before.items()
    }
    unet.set_attn_processor(dict(wrapped))
    try:
        yield recorded
    finally:
        unet.set_attn_processor(before)
        by_key = dict(recorded)
        recorded.clear()
        recorded.update(name_layers(by_key))


class RecordingProcessor:
    """An attention processor that keeps the weights of another's attention.

    The other one computes the layer's output, so that not a bit of it
    changes. It may be a kernel that never forms the weights: they are
    computed once more, by diffusers' own `get_attention_scores`.
    """

    def __init__(
        self,
        processor: Any,
        recorded: Recorded,
        key: str,
        num_images: int,
        num_tokens: int,
    ) -> None:
        self.processor = processor
        self.recorded = recorded
        self.key = key
        self.num_images = num_images
        self.num_tokens = num_tokens

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Let the other processor attend; record a layer that reads text."""
        if encoder_hidden_states is not None:
            weights = compute_attention(
                attn,
                hidden_states[-self.num_images :],
                encoder_hidden_states[-self.num_images :],
            )
            maps = fold_padding(weights, self.num_tokens).float().cpu()
            self.recorded.setdefault(self.key, []).append(maps)
        return self.processor(
            attn,
            hidden_states,
            encoder_hidden_states,
            attention_mask,
            temb,
            **kwargs,
        )


@torch.no_grad()
def compute_attention(
    attn: Attention,
    cells: Float[Tensor, "images cells channels"],
    prompt_embeds: Float[Tensor, "images tokens width"],
) -> Float[Tensor, "images tokens height width"]:
    """Compute how much each cell attends to each token, heads averaged.

    Each cell has a query and each token a key; the softmax over the tokens
    of their scaled products is the attention. Source: Vaswani et al. (2017),
    Attention Is All You Need, equation 1.
    """
    query = attn.head_to_batch_dim(attn.to_q(cells))
    key = attn.head_to_batch_dim(attn.to_k(prompt_embeds))
    weights = attn.get_attention_scores(query, key)
    per_head = weights.unflatten(0, (len(cells), attn.heads))
    side = math.isqrt(cells.shape[1])
    return per_head.mean(1).transpose(1, 2).unflatten(2, (side, side))


def fold_padding(
    weights: Float[Tensor, "images all_tokens height width"], num_tokens: int
) -> Float[Tensor, "images tokens height width"]:
    """Keep the first tokens, and add up the others as one more."""
    rest = weights[:, num_tokens:].sum(dim=1, keepdim=True)
    return torch.cat([weights[:, :num_tokens], rest], dim=1)


def name_layers(recorded: Recorded) -> Recorded:
    """Name layers by block and size instead of by diffusers' paths.

    "down_blocks.1.attentions.0…attn2.processor" with maps of 8 x 8 becomes
    "down 8 x 8"; a second one of that name, "down 8 x 8 (2)".
    """
    named: Recorded = {}
    for path, maps in recorded.items():
        block = re.match("down|mid|up", path)
        height, width = maps[0].shape[-2:]
        name = f"{block.group() if block else path} {height} x {width}"
        alike = sum(other.startswith(name) for other in named)
        named[f"{name} ({alike + 1})" if alike else name] = maps
    return named


def stack_attention(
    maps: AttentionMaps, token: str
) -> Float[Tensor, "layers steps height width"]:
    """Return the attention to a token, or to a word, as shares of 1.

    A word's is the sum of its tokens': of all vectors of X, and of each
    place where it stands. All layers are brought to the size of the finest.
    Averages over dimension 0 show the steps, over 1 the layers. Taught in
    notebooks/05_textual_inversion.ipynb.
    """
    names = [
        name for label in maps.tokens for name in (label.token, label.word)
    ]
    token = read_choice(token, "token", dict.fromkeys(names))
    places = [
        i
        for i, label in enumerate(maps.tokens)
        if token in (label.token, label.word)
    ]
    side = max(layer.shape[-1] for layer in maps.layers.values())
    return torch.stack(
        [
            upsample_maps(layer[:, places].sum(dim=1), side)
            for layer in maps.layers.values()
        ]
    )


def upsample_maps(
    maps: Float[Tensor, "*shape height width"], size: int
) -> Float[Tensor, "*shape size size"]:
    """Enlarge maps to `size` pixels, with smooth transitions (bilinear).

    Shares stay shares. It adds no detail: a layer of 8 x 8 cells knows
    nothing finer than an eighth of the image.
    """
    size = read_whole_number(size, "size", 1)
    flat = maps.reshape(-1, 1, *maps.shape[-2:])
    large = functional.interpolate(flat, (size, size), mode="bilinear")
    return large.reshape(*maps.shape[:-2], size, size)
