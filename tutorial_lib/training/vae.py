"""Train the VAE that turns images into latents and back."""

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, Float16
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

from tutorial_lib.evaluation import CaptionedImages
from tutorial_lib.generation import encode_posterior
from tutorial_lib.training.loop import PretrainingConfig, autocast, train

CONFIG = PretrainingConfig(
    steps=8000, batch_size=32, lr=2e-3, warmup=200, betas=(0.9, 0.95)
)
DECODER_CONFIG = PretrainingConfig(
    steps=2000,
    batch_size=16,
    lr=1.5e-3,
    warmup=100,
    hold=0.3,
    betas=(0.9, 0.95),
    ema=0.995,
)
# For images of each size: the encoder's channels, halving the side between
# them, so that 16 x 16 latents remain.
BLOCK_WIDTHS = {64: (32, 64, 128), 128: (32, 64, 96, 128)}
KL_WEIGHT = 1e-3
GRADIENT_WEIGHT = 0.5
PSNR_WEIGHT = 0.05
MIN_MSE = 1e-5  # below it an image is good enough
SCALES = (1.0, 1.0, 0.75, 0.5)  # each batch takes one of them

Images = Float[Tensor, "batch channels height width"]
Posteriors = Float16[Tensor, "num_images 4 16 16"]


@dataclass
class EncodedImages:
    """The means and stds of all images' latents, unscaled.

    The `scaling_factor` gives the means a std of 1.
    """

    means: Posteriors
    stds: Posteriors
    scaling_factor: float


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
    images: CaptionedImages,
    size: int,
    checkpoint: Path,
    device: str,
    config: PretrainingConfig = CONFIG,
) -> AutoencoderKL:
    """Train on crops of half the side: cheaper, and convolutions allow it.

    In half of the batches latents are downscaled before they are decoded,
    and should give the downscaled image (EQ-VAE, Kouzelis et al. 2025).
    Latents then look like small images, and not like a code, which is much
    easier for the U-Net to learn.
    """
    torch.manual_seed(config.seed)

    def compute_loss(
        vae: AutoencoderKL, generator: torch.Generator
    ) -> Float[Tensor, ""]:
        """Encode and decode a batch of crops."""
        batch = sample_crops(images, size // 2, config.batch_size, generator)
        batch = batch.to(device)
        noise = torch.randn((len(batch), 4, 8, 8), generator=generator)
        with autocast(device):
            posterior = vae.encode(batch).latent_dist
            latents = posterior.mean + posterior.std * noise.to(device)
            index = torch.randint(len(SCALES), (), generator=generator)
            scale = SCALES[index]
            decoded = vae.decode(downscale(latents, scale)).sample
        loss = compute_reconstruction_loss(
            decoded.float(), downscale(batch, scale)
        )
        return loss + KL_WEIGHT * posterior.kl().float().mean() / 256

    vae = make_vae(size).to(device, memory_format=torch.channels_last)
    return train(vae, config, compute_loss, checkpoint, "VAE")


def train_decoder(
    vae: AutoencoderKL,
    images: CaptionedImages,
    checkpoint: Path,
    device: str,
    config: PretrainingConfig = DECODER_CONFIG,
) -> AutoencoderKL:
    """Train the decoder on, alone, until it makes the most of the latents.

    They stay as they are, so whatever was trained on them stays right
    (Stable Diffusion's VAE "ft-MSE" came about like this). It sees whole
    images, and the peak signal-to-noise ratio becomes part of the loss.
    """
    torch.manual_seed(config.seed)
    vae.requires_grad_(False)
    for module in (vae.decoder, vae.post_quant_conv):
        module.requires_grad_(True)

    def compute_loss(
        vae: AutoencoderKL, generator: torch.Generator
    ) -> Float[Tensor, ""]:
        """Decode a batch of latents and compare it with the images."""
        indices = torch.randint(
            len(images.pixels), (config.batch_size,), generator=generator
        )
        batch = images.batch(indices, device)
        with autocast(device):
            mean, std = encode_posterior(vae, batch)
            noise = torch.randn(mean.shape, generator=generator)
            latents = mean + std * noise.to(device)
            decoded = vae.decode(latents).sample.float()
        mse = (decoded - batch).square().mean((1, 2, 3))
        log_mse = torch.log(mse + MIN_MSE).mean()
        loss = compute_reconstruction_loss(decoded, batch)
        return loss + PSNR_WEIGHT * log_mse

    return train(vae, config, compute_loss, checkpoint, "VAE's decoder")


def sample_crops(
    images: CaptionedImages,
    side: int,
    count: int,
    generator: torch.Generator,
) -> Float[Tensor, "count 3 side side"]:
    """Crop squares out of random images."""
    indices = torch.randint(len(images.pixels), (count,), generator=generator)
    batch = images.batch(indices, "cpu")
    top, left = torch.randint(
        batch.shape[-1] - side + 1, (2, count), generator=generator
    ).tolist()
    return torch.stack(
        [
            image[:, y : y + side, x : x + side]
            for image, y, x in zip(batch, top, left, strict=True)
        ]
    )


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


def encode_dataset(
    vae: AutoencoderKL, images: CaptionedImages, device: str
) -> EncodedImages:
    """Encode all images."""
    means, stds = [], []
    batches = torch.arange(len(images.pixels)).split(256)
    for indices in tqdm(batches, desc="encoding images"):
        with autocast(device):
            mean, std = encode_posterior(vae, images.batch(indices, device))
        means.append(mean.half().cpu())
        stds.append(std.half().cpu())
    joined = torch.cat(means)
    return EncodedImages(
        means=joined,
        stds=torch.cat(stds),
        scaling_factor=1 / joined.float().std().item(),
    )
