"""Latents: a picture in the VAE's small form, and the noise in it.

Stable Diffusion works on latents from beginning to end; only the very
last step turns them into a picture.
"""

import torch


@torch.no_grad()
def encode_pictures(models, pictures):
    """Turn RGB pictures into latents as the U-Net works on them.

    The VAE gives each latent a mean and a small deviation; this is the
    mean, times the VAE's scaling factor. Returns (num_pictures, channels,
    height, width) float32 on the models' device. Source: Rombach et al.
    (2022), High-Resolution Image Synthesis with Latent Diffusion Models,
    section 3.1. Taught in notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    vae, size = models.pipeline.vae, models.profile.size
    processor = models.pipeline.image_processor
    pixels = processor.preprocess(pictures, height=size, width=size)
    pixels = pixels.to(vae.device, vae.dtype)
    means = [vae.encode(row[None]).latent_dist.mean for row in pixels]
    return torch.cat(means).float() * vae.config.scaling_factor


@torch.no_grad()
def decode_latents(models, latents):
    """Turn latents (n, channels, height, width) back into n pictures.

    Returns a list of RGB pictures. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    vae = models.pipeline.vae
    latents = latents.to(vae.dtype) / vae.config.scaling_factor
    pixels = [vae.decode(row[None]).sample for row in latents]
    return models.pipeline.image_processor.postprocess(torch.cat(pixels))


@torch.no_grad()
def guess_noise(models, noisy, timestep, vectors):
    """Let the U-Net guess the noise in noisy latents.

    `noisy` is (n, channels, height, width), `timestep` one number for
    all, `vectors` (n, tokens, width) the encoded captions. Returns the
    shape of `noisy` in the pipeline's number format. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    unet = models.pipeline.unet
    noisy, vectors = noisy.to(unet.dtype), vectors.to(unet.dtype)
    return unet(noisy, timestep, encoder_hidden_states=vectors).sample


def guess_clean(noisy, guess, signal):
    """Take guessed noise out of noisy latents, all of it at once.

    `signal`, between 0 and 1, is the schedule's `alphas_cumprod` at the
    timestep of `noisy`. Source: Song et al. (2021), Denoising Diffusion
    Implicit Models, equation 9. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    return (noisy - (1 - signal) ** 0.5 * guess) / signal**0.5
