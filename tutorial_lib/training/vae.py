"""Train the VAE that turns pictures into latents and back."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

from tutorial_lib.evaluation import CaptionedImages, to_pixels
from tutorial_lib.training.loop import (
    TrainingConfig,
    autocast,
    train,
)

CONFIG = TrainingConfig(
    steps=8000,
    batch_size=32,
    lr=2e-3,
    warmup=200,
    betas=(0.9, 0.95),
)
DECODER_CONFIG = TrainingConfig(
    steps=2000,
    batch_size=16,
    lr=1.5e-3,
    warmup=100,
    hold=0.3,
    betas=(0.9, 0.95),
    ema=0.995,
)
KL_WEIGHT = 1e-3
GRADIENT_WEIGHT = 0.5
PSNR_WEIGHT = 0.05
LEAST_ERROR = 1e-5  # below it a picture is good enough
SCALES = (1.0, 1.0, 0.75, 0.5)  # each batch takes one of them


def make_vae(size: int) -> AutoencoderKL:
    """Build an untrained VAE with latents of 16 x 16 cells."""
    widths = {64: (32, 64, 128), 128: (32, 64, 96, 128)}[size]
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
    images: CaptionedImages,
    size: int,
    checkpoint: Path,
    device: str,
    config: TrainingConfig = CONFIG,
) -> AutoencoderKL:
    """Train on crops of half the side: cheaper, and convolutions allow it.

    In half of the batches latents are made smaller before they are decoded,
    and shall give the picture made smaller (EQ-VAE, Kouzelis et al. 2025).
    Latents then look like small pictures, and not like a code, which is
    much easier for the U-Net to learn.
    """
    torch.manual_seed(config.seed)

    def compute_loss(vae, generator):
        """Encode and decode a batch of crops."""
        batch = pick_crops(images, size // 2, config.batch_size, generator)
        batch = batch.to(device)
        noise = torch.randn((len(batch), 4, 8, 8), generator=generator)
        with autocast(device):
            posterior = vae.encode(batch).latent_dist
            latents = posterior.mean + posterior.std * noise.to(device)
            pick = torch.randint(len(SCALES), (), generator=generator)
            scale = SCALES[pick]
            decoded = vae.decode(shrink(latents, scale)).sample
        error = reconstruction_error(decoded.float(), shrink(batch, scale))
        return error + KL_WEIGHT * posterior.kl().float().mean() / 256

    vae = make_vae(size).to(device, memory_format=torch.channels_last)
    return train(vae, config, compute_loss, checkpoint, "VAE")


def train_decoder(
    vae: AutoencoderKL,
    images: CaptionedImages,
    checkpoint: Path,
    device: str,
    config: TrainingConfig = DECODER_CONFIG,
) -> AutoencoderKL:
    """Train the decoder on, alone, until it makes the most of the latents.

    They stay as they are, so whatever was trained on them stays right
    (Stable Diffusion's VAE "ft-MSE" came about like this). It sees whole
    pictures, and the peak signal-to-noise ratio becomes part of the loss.
    """
    torch.manual_seed(config.seed)
    decoder = (vae.decoder, vae.post_quant_conv)
    vae.requires_grad_(False)
    for part in decoder:
        part.requires_grad_(True)

    def compute_loss(vae, generator):
        """Decode a batch of latents and compare it with the pictures."""
        chosen = torch.randint(
            len(images.pixels), (config.batch_size,), generator=generator
        )
        batch = to_pixels(images.pixels, chosen, device)
        with autocast(device):
            posterior = vae.encode(batch).latent_dist
            noise = torch.randn(posterior.mean.shape, generator=generator)
            latents = posterior.mean + posterior.std * noise.to(device)
            decoded = vae.decode(latents).sample.float()
        mse = (decoded - batch).square().mean((1, 2, 3))
        log_mse = torch.log(mse + LEAST_ERROR).mean()
        return reconstruction_error(decoded, batch) + PSNR_WEIGHT * log_mse

    return train(vae, config, compute_loss, checkpoint, "VAE's decoder")


def pick_crops(
    images: CaptionedImages,
    side: int,
    count: int,
    generator: torch.Generator,
) -> Tensor:
    """Cut squares out of random pictures: (count, 3, side, side)."""
    chosen = torch.randint(len(images.pixels), (count,), generator=generator)
    whole = to_pixels(images.pixels, chosen, "cpu")
    top, left = torch.randint(
        whole.shape[-1] - side + 1, (2, count), generator=generator
    ).tolist()
    return torch.stack(
        [
            image[:, y : y + side, x : x + side]
            for image, y, x in zip(whole, top, left, strict=True)
        ]
    )


def shrink(images: Tensor, scale: float) -> Tensor:
    """Make pictures or latents smaller, or leave them (scale 1)."""
    if scale == 1:
        return images
    return functional.interpolate(
        images.float(), scale_factor=scale, mode="bilinear", antialias=True
    )


def reconstruction_error(decoded: Tensor, images: Tensor) -> Tensor:
    """Mean absolute error of pixels and of their differences (edges)."""
    error = decoded - images
    across = (error[..., 1:] - error[..., :-1]).abs().mean()
    down = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return error.abs().mean() + GRADIENT_WEIGHT * (across + down)


@torch.no_grad()
def encode_dataset(
    vae: AutoencoderKL,
    images: CaptionedImages,
    device: str,
) -> tuple[Tensor, Tensor]:
    """Return the posteriors' mean and std (n, 4, 16, 16), float16."""
    means, stds = [], []
    parts = torch.arange(len(images.pixels)).split(256)
    for indices in tqdm(parts, desc="encoding pictures"):
        with autocast(device):
            batch = to_pixels(images.pixels, indices, device)
            posterior = vae.encode(batch).latent_dist
        means.append(posterior.mean.half().cpu())
        stds.append(posterior.std.half().cpu())
    return torch.cat(means), torch.cat(stds)
