"""Stand-ins for real models: their shapes at the edges, random weights.

A stand-in is a diffusers pipeline with the folder clip/ in it, and lessons
run with it as with the real models:

    TUTORIAL_MODEL=sd15 TUTORIAL_SD15=FOLDER

As with the real ones, CLIP's text encoder is the pipeline's.
"""

import copy
from pathlib import Path

import open_clip
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from tutorial_lib.training.export import save_clip, save_pipeline

# Of Stable Diffusion 1.5 and ViT-L/14: 77 tokens of 768 numbers, images of
# 224 pixels for CLIP and 512 for the pipeline, 4 channels of 64 latents.
TRUE_CLIP = {
    "embed_dim": 768,
    "quick_gelu": True,
    "vision_cfg": {
        "layers": 24,
        "width": 1024,
        "patch_size": 14,
        "image_size": 224,
    },
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 768,
        "heads": 12,
        "layers": 12,
        "pool_type": "eos",
        "eos_id": 49407,
    },
}
TRUE_VAE = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2}
TRUE_UNET = {
    "down_block_types": (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
    "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "attention_head_dim": 8,  # how many heads, in fact
}

# Few, narrow layers, and attention only where the latents are small.
SMALL_CLIP = {
    "vision_cfg": {
        **TRUE_CLIP["vision_cfg"],
        "layers": 1,
        "width": 64,
        "patch_size": 32,
    },
    "text_cfg": {**TRUE_CLIP["text_cfg"], "layers": 1, "mlp_ratio": 0.25},
}
SMALL_VAE = {
    "block_out_channels": (4, 4, 8, 8),
    "layers_per_block": 1,
    "norm_num_groups": 4,
}
SMALL_UNET = {
    "down_block_types": (
        "DownBlock2D",
        "DownBlock2D",
        "CrossAttnDownBlock2D",
        "DownBlock2D",
    ),
    "up_block_types": (
        "UpBlock2D",
        "CrossAttnUpBlock2D",
        "UpBlock2D",
        "UpBlock2D",
    ),
    "block_out_channels": (8, 16, 32, 32),
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "attention_head_dim": 1,
}


def make_standin(name, folder, true_architecture=False):
    """Write a stand-in for the models called `name`, "sd15", into a folder.

    It has the real number of layers with `true_architecture` (2 GB), else
    so few that a lesson takes a minute. Returns the folder.
    """
    if name != "sd15":
        raise ValueError(f"there is no stand-in for {name!r}")
    folder, small = Path(folder), not true_architecture
    clip_config = {**TRUE_CLIP, **(SMALL_CLIP if small else {})}
    clip = make_clip(clip_config)
    vae = make_vae({**TRUE_VAE, **(SMALL_VAE if small else {})})
    unet = make_unet({**TRUE_UNET, **(SMALL_UNET if small else {})})
    save_clip(clip, clip_config, folder / "clip")
    save_pipeline(clip.half().float(), vae, unet, folder)
    return folder


def make_clip(config):
    """Make a CLIP with random weights, large enough for clear answers."""
    torch.manual_seed(0)
    clip = open_clip.CLIP(**copy.deepcopy(config)).eval()
    with torch.no_grad():
        for name, parameter in clip.named_parameters():
            if parameter.ndim == 1 or "resblocks" in name:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return clip


def make_vae(config):
    """Make a VAE of factor 8 and 4 latent channels, with random weights."""
    torch.manual_seed(1)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        sample_size=512,
        scaling_factor=0.18215,
        **config,
    )


def make_unet(config):
    """Make a U-Net that reads 768 numbers a token, with random weights.

    It listens to them so well that a few steps of learning show.
    """
    torch.manual_seed(2)
    unet = UNet2DConditionModel(
        sample_size=64, cross_attention_dim=768, **config
    )
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if "attn2.to_v" in name or "attn2.to_out" in name:
                parameter.mul_(4)
    return unet
