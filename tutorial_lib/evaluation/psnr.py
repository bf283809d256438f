"""How much of an image the VAE keeps."""

import torch
from diffusers import AutoencoderKL

from tutorial_lib.evaluation.captioned_images import CaptionedImages

BATCH_SIZE = 128


@torch.no_grad()
def measure_psnr(
    vae: AutoencoderKL,
    images: CaptionedImages,
    device: str | torch.device,
) -> list[float]:
    """Return the peak signal-to-noise ratio of each decoded image, in dB."""
    ratios = []
    for indices in torch.arange(len(images.pixels)).split(BATCH_SIZE):
        batch = images.batch(indices, device)
        decoded = vae.decode(vae.encode(batch).latent_dist.mode()).sample
        error = (decoded.clamp(-1, 1) - batch).square().mean((1, 2, 3))
        ratios.append(10 * torch.log10(4 / error))
    return torch.cat(ratios).tolist()
