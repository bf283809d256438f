"""Stable Diffusion 1.5's architecture with random weights, whole or narrow.

What a step costs depends on the architecture alone, so nothing needs to be
downloaded to measure it.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import open_clip
import torch
from diffusers import (
    AutoencoderKL,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tutorial_lib.devices import choose_dtype
from tutorial_lib.models import (
    Models,
    pool_at_end_of_text,
    quiet_libraries,
)
from tutorial_lib.settings import PROFILES
from tutorial_lib.training.export import (
    END_ID,
    START_ID,
    make_noise_scheduler,
    make_tokenizer,
)

VOCABULARY = 49_408
CONTEXT_LENGTH = 77
CLIP_NAME = "ViT-L-14-quickgelu"
ATTENTION_DOWN = "CrossAttnDownBlock2D"
ATTENTION_UP = "CrossAttnUpBlock2D"
SIZES: dict[str, dict[str, Any]] = {
    "true": {
        "pixels": 512,
        "unet": (320, 640, 1280, 1280),
        "layers_per_block": 2,
        "vae": (128, 256, 512, 512),
        "width": 768,
        "text_layers": 12,
    },
    # As few and narrow layers as its shapes allow: to rehearse on a CPU.
    "narrow": {
        "pixels": 128,
        "unet": (32, 32, 32, 32),
        "layers_per_block": 1,
        "vae": (32, 32, 32, 32),
        "width": 64,
        "text_layers": 2,
    },
}


def build_unet(size: str, device: str) -> UNet2DConditionModel:
    """Build the U-Net with random weights in float32, on a device."""
    shapes = SIZES[size]
    with torch.device(device):
        return UNet2DConditionModel(
            sample_size=shapes["pixels"] // 8,
            block_out_channels=shapes["unet"],
            layers_per_block=shapes["layers_per_block"],
            down_block_types=(*[ATTENTION_DOWN] * 3, "DownBlock2D"),
            up_block_types=("UpBlock2D", *[ATTENTION_UP] * 3),
            cross_attention_dim=shapes["width"],
            attention_head_dim=8,  # diffusers' name for the number of heads
        )


def build_vae(size: str, device: str) -> AutoencoderKL:
    """Build the VAE with random weights in float32, on a device."""
    shapes = SIZES[size]
    with torch.device(device):
        return AutoencoderKL(
            sample_size=shapes["pixels"],
            block_out_channels=shapes["vae"],
            layers_per_block=shapes["layers_per_block"],
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            scaling_factor=0.18215,
        )


def build_text_encoder(
    size: str, device: str, vocabulary: int = VOCABULARY
) -> CLIPTextModel:
    """Build the text encoder with random weights in float32, on a device."""
    width = SIZES[size]["width"]
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=SIZES[size]["text_layers"],
        num_attention_heads=width // 64,
        max_position_embeddings=CONTEXT_LENGTH,
        hidden_act="quick_gelu",
        bos_token_id=START_ID,
        eos_token_id=END_ID,
        pad_token_id=END_ID,
    )
    with torch.device(device):
        return CLIPTextModel(config)


def build_clip(size: str, device: str) -> open_clip.CLIP:
    """Build CLIP ViT-L/14 with random weights in float32, on a device."""
    config = open_clip.get_model_config(CLIP_NAME)
    if size == "narrow":
        width, layers = SIZES[size]["width"], SIZES[size]["text_layers"]
        config["embed_dim"] = width
        config["vision_cfg"] |= {"layers": layers, "width": width}
        config["text_cfg"] |= {"layers": layers, "width": width, "heads": 1}
    with torch.device(device):
        return open_clip.CLIP(**config)


def build_tokenizer(
    folder: Path, vocabulary: int = VOCABULARY
) -> CLIPTokenizer:
    """Write CLIP's tokenizer into a folder, with more tokens if asked for."""
    tokenizer = make_tokenizer(folder, CONTEXT_LENGTH)
    if vocabulary == VOCABULARY:
        return tokenizer
    path = folder / "vocab.json"
    tokens = json.loads(path.read_text(encoding="utf-8"))
    tokens |= {f"extra{i}</w>": i for i in range(len(tokens), vocabulary)}
    path.write_text(json.dumps(tokens), encoding="utf-8")
    return CLIPTokenizer.from_pretrained(folder)


def build_models(
    size: str, device: str, folder: Path, vocabulary: int = VOCABULARY
) -> Models:
    """Build what `load_models("sd15")` returns, with random weights.

    As there, the pipeline is in the GPU's half precision, CLIP in float32.
    """
    torch.manual_seed(0)
    tokenizer_folder = folder / f"tokenizer-{vocabulary}"
    pipeline = StableDiffusionPipeline(
        vae=build_vae(size, device),
        text_encoder=build_text_encoder(size, device, vocabulary),
        tokenizer=build_tokenizer(tokenizer_folder, vocabulary),
        unet=build_unet(size, device),
        scheduler=make_noise_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    with quiet_libraries():
        pipeline.to(device, choose_dtype(device))
    pipeline.set_progress_bar_config(disable=True)
    clip = build_clip(size, device)
    clip_tokenizer = open_clip.get_tokenizer(CLIP_NAME)
    pool_at_end_of_text(clip, clip_tokenizer)
    parts: list[nn.Module] = [clip, pipeline.text_encoder]
    for part in [*parts, pipeline.vae, pipeline.unet]:
        part.eval().requires_grad_(False)
    width, pixels = SIZES[size]["width"], SIZES[size]["pixels"]
    return Models(
        profile=replace(PROFILES["sd15"], size=pixels, embedding_width=width),
        device=device,
        pipeline=pipeline,
        clip=clip,
        preprocess=open_clip.image_transform(224, is_train=False),
        clip_tokenizer=clip_tokenizer,
    )
