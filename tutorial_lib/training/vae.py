"""Train the VAE that turns images into latents and back."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from tutorial_lib.training.batches import (
    BatchSource,
    scale_pixels,
)
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.loop import autocast, train
from tutorial_lib.training.steps import Step

# For images of each size: the encoder's channels, halving the side between
# them, so that 16 x 16 latents remain.
BLOCK_WIDTHS = {64: (32, 64, 128), 128: (32, 32, 64, 128)}
COLUMNS = ("pixels",)
KL_WEIGHT = 1e-3
GRADIENT_WEIGHT = 0.5
SCALES = (1.0, 1.0, 0.75, 0.5)  # each batch takes one of them

Images = Float[Tensor, "batch channels height width"]
Batch = dict[str, Tensor]


def make_vae(size: int) -> AutoencoderKL:
    """Build an untrained VAE with latents of 16 x 16 cells."""
    widths = BLOCK_WIDTHS[size]
    return AutoencoderKL(
        block_out_channels=widths,
        layers_per_block=1,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        norm_num_groups=8,
        sample_size=size,
        mid_block_add_attention=False,
    )


def train_vae(
    batches: BatchSource,
    size: int,
    checkpoint: Path,
    device: str,
    config: PretrainingConfig,
    held_out: BatchSource | None = None,
) -> AutoencoderKL:
    """Train on crops of half the side: cheaper, and convolutions allow it.

    In half of the batches latents are downscaled before they are decoded,
    and should give the downscaled image (EQ-VAE, Kouzelis et al. 2025).
    Latents then look like small images, and not like a code, which is much
    easier for the U-Net to learn.
    """
    torch.manual_seed(config.seed)

    def compute_loss(
        vae: AutoencoderKL, batch: Batch, step: Step
    ) -> Float[Tensor, ""]:
        """Encode and decode a batch of crops."""
        images = scale_pixels(crop(batch["pixels"], size // 2, step))
        noise = step.randn(4, 8, 8)
        index = torch.randint(len(SCALES), (), generator=step.generator)
        scale = SCALES[index]
        with autocast(device, config.mixed_precision):
            posterior = vae.encode(images).latent_dist
            latents = posterior.mean + posterior.std * noise.to(device)
            decoded = vae.decode(downscale(latents, scale)).sample
        loss = compute_reconstruction_loss(
            decoded.float(), downscale(images, scale)
        )
        return loss + KL_WEIGHT * posterior.kl().float().mean() / 256

    vae = make_vae(size).to(device, memory_format=torch.channels_last)
    return train(
        vae, config, compute_loss, checkpoint, "VAE", batches, held_out
    )


def crop(
    pixels: UInt8[Tensor, "batch height width 3"], side: int, step: Step
) -> UInt8[Tensor, "batch side side 3"]:
    """Crop a random square out of each image."""
    corners = (step.rand(2) * (pixels.shape[1] - side + 1)).long()
    top, left = corners.to(pixels.device).T[:, :, None]
    within = torch.arange(side, device=pixels.device)
    images = torch.arange(len(pixels), device=pixels.device)
    return pixels[
        images[:, None, None],
        (top + within)[:, :, None],
        (left + within)[:, None, :],
    ]


def downscale(images: Images, scale: float) -> Images:
    """Make images or latents smaller, or leave them as they are (scale 1)."""
    if scale == 1:
        return images
    return functional.interpolate(
        images.float(), scale_factor=scale, mode="bilinear", antialias=True
    )


def compute_reconstruction_loss(
    decoded: Images, images: Images
) -> Float[Tensor, ""]:
    """Return the mean absolute error of pixels and of their gradients."""
    error = decoded - images
    across = (error[..., 1:] - error[..., :-1]).abs().mean()
    down = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return error.abs().mean() + GRADIENT_WEIGHT * (across + down)
