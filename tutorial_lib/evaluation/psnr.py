"""How much of an image the VAE keeps."""

import torch
from diffusers import AutoencoderKL

from tutorial_lib.evaluation.captioned_images import CaptionedImages, to_pixels


@torch.no_grad()
def measure_psnr(
    vae: AutoencoderKL,
    images: CaptionedImages,
    device: str,
) -> list[float]:
    """Return each decoded picture's peak signal-to-noise ratio, dB."""
    ratios = []
    for indices in torch.arange(len(images.pixels)).split(128):
        batch = to_pixels(images.pixels, indices, device)
        decoded = vae.decode(vae.encode(batch).latent_dist.mode()).sample
        error = (decoded.clamp(-1, 1) - batch).square().mean((1, 2, 3))
        ratios.append(10 * torch.log10(4 / error))
    return torch.cat(ratios).tolist()
