"""Make a VAE for images twice as large that keeps its latents.

The encoder gets one more level in front, which learns to give the latents
that the old encoder gives the smaller image; the decoder gets one more level
at its end, and learns to make the larger image of them. Whatever was trained
on these latents, U-Net and learned words, stays right.
"""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tutorial_lib.generation import encode_posterior
from tutorial_lib.training.batches import BatchSource, scale_pixels
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.decoder import decode_sample
from tutorial_lib.training.decoder_losses import AdversarialVAE, DecoderLoss
from tutorial_lib.training.loop import autocast, train
from tutorial_lib.training.partial_denoising import PartialDenoiser
from tutorial_lib.training.perceptual_loss import PerceptualLoss
from tutorial_lib.training.steps import Step

Batch = dict[str, Tensor]
Images = Float[Tensor, "batch 3 height width"]
Latents = Float[Tensor, "batch 4 16 16"]


def make_larger_vae(vae: AutoencoderKL) -> AutoencoderKL:
    """Return a VAE with one level more and the weights of `vae` in the rest.

    It takes and makes images twice as large, and its latents have the same
    shape and the same scaling factor.
    """
    config = dict(vae.config)
    widths = config["block_out_channels"]
    larger = AutoencoderKL.from_config(
        config
        | {
            "block_out_channels": [widths[0], *widths],
            "down_block_types": ["DownEncoderBlock2D"] * (len(widths) + 1),
            "up_block_types": ["UpDecoderBlock2D"] * (len(widths) + 1),
            "sample_size": 2 * config["sample_size"],
        }
    )
    wanted = larger.state_dict()
    for name, weight in vae.state_dict().items():
        renamed = shift_encoder_level(name)
        if renamed in wanted and wanted[renamed].shape == weight.shape:
            wanted[renamed] = weight
    larger.load_state_dict(wanted)
    return larger


def shift_encoder_level(name: str) -> str:
    """Return a weight's name when there is one more level in front of it."""
    start = "encoder.down_blocks."
    if not name.startswith(start):
        return name
    level, rest = name.removeprefix(start).split(".", 1)
    return f"{start}{int(level) + 1}.{rest}"


def halve(images: Images) -> Images:
    """Make images half as large."""
    return functional.interpolate(
        images, scale_factor=0.5, mode="bicubic", antialias=True
    ).clamp(-1, 1)


def train_larger_vae(
    smaller_vae: AutoencoderKL,
    perceptual_loss: PerceptualLoss,
    denoiser: PartialDenoiser,
    batches: BatchSource,
    checkpoint: Path,
    config: PretrainingConfig,
) -> AutoencoderKL:
    """Train encoder and decoder of a larger VAE side by side.

    The encoder learns the latents of `smaller_vae`, which stays as it is;
    the decoder learns from these, as in `train_decoder`.
    """
    torch.manual_seed(config.seed)
    device = smaller_vae.device
    smaller_vae.requires_grad_(False)
    decoder_loss = DecoderLoss(perceptual_loss, config)

    def compute_loss(
        model: AdversarialVAE, batch: Batch, step: Step
    ) -> Float[Tensor, ""]:
        """Encode a batch of images, and decode what should be its latents."""
        images = scale_pixels(batch["pixels"])
        with autocast(device, config.mixed_precision):
            mean, std = encode_posterior(smaller_vae, halve(images))
            given = model.vae.encode(images).latent_dist
        scale = smaller_vae.config.scaling_factor
        encoder_loss = compute_encoder_loss(
            scale * (given.mean.float() - mean),
            scale * (given.std.float() - std),
        )
        decoded = decode_sample(
            model.vae, denoiser, (mean, std), batch["token_ids"], step, config
        )
        return encoder_loss + decoder_loss(
            model, decoded, images, step.progress
        )

    larger = make_larger_vae(smaller_vae).requires_grad_(True)
    model = AdversarialVAE(larger).to(device)
    model.to(memory_format=torch.channels_last)
    return train(
        model, config, compute_loss, checkpoint, "larger VAE", batches
    ).vae


def compute_encoder_loss(
    mean_error: Latents, std_error: Latents
) -> Float[Tensor, ""]:
    """Return how far latents are off, in units of their std."""
    loss = mean_error.abs().mean() + mean_error.square().mean()
    return loss + std_error.abs().mean()
