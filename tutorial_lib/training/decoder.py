"""Train the VAE's decoder on, alone, until its images are crisp."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, Int
from torch import Tensor

from tutorial_lib.generation import encode_posterior
from tutorial_lib.training.batches import (
    BatchSource,
    scale_pixels,
)
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.decoder_losses import AdversarialVAE, DecoderLoss
from tutorial_lib.training.loop import autocast, train
from tutorial_lib.training.partial_denoising import PartialDenoiser
from tutorial_lib.training.perceptual_loss import PerceptualLoss
from tutorial_lib.training.steps import Step

COLUMNS = ("pixels", "token_ids")

Batch = dict[str, Tensor]
Images = Float[Tensor, "batch 3 height width"]
Latents = Float[Tensor, "batch 4 height width"]


def train_decoder(
    vae: AutoencoderKL,
    perceptual_loss: PerceptualLoss,
    denoiser: PartialDenoiser,
    batches: BatchSource,
    checkpoint: Path,
    config: PretrainingConfig,
    held_out: BatchSource | None = None,
) -> AutoencoderKL:
    """Train the decoder on whole images, the encoder's latents being given.

    They stay as they are, so whatever was trained on them stays right.
    `denoiser` turns some of them into such as the U-Net makes, so that the
    decoder mends what sampling leaves.
    """
    torch.manual_seed(config.seed)
    device = vae.device
    vae.requires_grad_(False)
    for module in (vae.decoder, vae.post_quant_conv):
        module.requires_grad_(True)
    decoder_loss = DecoderLoss(perceptual_loss, config)

    def compute_loss(
        model: AdversarialVAE, batch: Batch, step: Step
    ) -> Float[Tensor, ""]:
        """Decode a batch of latents and compare it with the images."""
        images = scale_pixels(batch["pixels"])
        with autocast(device, config.mixed_precision):
            mean, std = encode_posterior(model.vae, images)
        decoded = decode_sample(
            model.vae, denoiser, (mean, std), batch["token_ids"], step, config
        )
        return decoder_loss(model, decoded, images, step.progress)

    model = AdversarialVAE(vae).to(device)
    model.to(memory_format=torch.channels_last)
    return train(
        model, config, compute_loss, checkpoint, "decoder", batches, held_out
    ).vae


def decode_sample(
    vae: AutoencoderKL,
    denoiser: PartialDenoiser,
    posterior: tuple[Latents, Latents],
    token_ids: Int[Tensor, "batch tokens"],
    step: Step,
    config: PretrainingConfig,
) -> Images:
    """Decode a sample of a posterior, some rows as the U-Net makes them.

    `posterior` is the mean and the std of the latents.
    """
    mean, std = posterior
    noise = step.randn(*mean.shape[1:]).to(mean.device)
    latents = denoiser(mean + std * noise, token_ids, step)
    with autocast(mean.device, config.mixed_precision):
        return vae.decode(latents).sample.float()
