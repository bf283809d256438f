"""Latents: an image in the VAE's small form, and the noise in it.

Stable Diffusion works on latents from beginning to end; only the very last
step turns them into an image.
"""

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import pil_to_tensor
from tqdm.auto import tqdm

from tutorial_lib.errors import DataError
from tutorial_lib.images import (
    ImageLike,
    Images,
    as_image,
    as_images,
    crop_to_square,
)
from tutorial_lib.models import Models

Latents = Float[Tensor, "batch channels height width"]


@torch.no_grad()
def encode_posterior(
    vae: AutoencoderKL, pixels: Float[Tensor, "batch 3 height width"]
) -> tuple[Latents, Latents]:
    """Let the VAE encode pixels from -1 to 1.

    It gives each latent a mean and a small std. Both are float32, unscaled,
    on the VAE's device. Source: Kingma and Welling (2014), Auto-Encoding
    Variational Bayes, section 2.3.
    """
    posterior = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist
    return posterior.mean.float(), posterior.std.float()


def encode_distributions(
    models: Models, images: Images, progress: bool = True
) -> tuple[Latents, Latents]:
    """Return the means and the stds of the images' latents.

    With the profile's `mirror` there are two rows for each image: its own
    and that of its mirror image. Of an image that is not square the central
    square counts, as in a folder and for CLIP.
    """
    rows = []
    for image in tqdm(
        as_images(images),
        desc="Encoding the pictures",
        unit="picture",
        disable=not progress,
        delay=2,
        leave=False,
    ):
        pixels = to_pixels(crop_to_square(image), models.profile.size)
        rows.append(encode_posterior(models.pipeline.vae, pixels))
        if models.profile.mirror:  # by itself: half the memory
            mirrored = pixels.flip(-1)
            rows.append(encode_posterior(models.pipeline.vae, mirrored))
    means, stds = zip(*rows, strict=True)
    return torch.cat(means), torch.cat(stds)


def to_pixels(
    image: ImageLike, size: int
) -> Float[Tensor, "1 3 height width"]:
    """Turn an image into a batch of one, with pixels from -1 to 1.

    One that is not square is squeezed.
    """
    image = as_image(image)
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.LANCZOS)
    return pil_to_tensor(image).float()[None] / 127.5 - 1


def encode_images(models: Models, images: Images) -> Latents:
    """Turn images into latents as the U-Net works on them.

    These are the means that the VAE gives the latents, times its scaling
    factor. Of an image that is not square the central square counts. Source:
    Rombach et al. (2022), High-Resolution Image Synthesis with Latent
    Diffusion Models, section 3.1. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    vae, size = models.pipeline.vae, models.profile.size
    squares = [crop_to_square(image) for image in as_images(images)]
    means = [encode_posterior(vae, to_pixels(i, size))[0] for i in squares]
    return torch.cat(means) * vae.config.scaling_factor


@torch.no_grad()
def decode_latents(models: Models, latents: Latents) -> list[Image.Image]:
    """Turn latents back into RGB images.

    Taught in notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    vae = models.pipeline.vae
    latents = latents.to(vae.dtype) / vae.config.scaling_factor
    pixels = [vae.decode(row[None]).sample for row in latents]
    return models.pipeline.image_processor.postprocess(torch.cat(pixels))


@torch.no_grad()
def predict_noise(
    models: Models,
    noisy_latents: Latents,
    timestep: int | Tensor,
    prompt_embeds: Float[Tensor, "batch tokens width"],
) -> Latents:
    """Let the U-Net predict the noise in noisy latents.

    `timestep` is one number for all. The prediction has the pipeline's
    number format, or is float32 where it was converted. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    unet = models.pipeline.unet
    prediction = unet(
        noisy_latents.to(unet.dtype),
        timestep,
        encoder_hidden_states=prompt_embeds.to(unet.dtype),
    ).sample
    return convert_to_noise(models, prediction, noisy_latents, timestep)


def convert_to_noise(
    models: Models,
    prediction: Latents,
    noisy_latents: Latents,
    timestep: int | Tensor,
) -> Latents:
    """Return the noise in what the U-Net predicted for noisy latents.

    Most models predict the noise, and get back what they predicted. The
    velocity of others, such as Stable Diffusion 2.1 for 768 pixels, is a
    mixture of noise and latents, from which and from `noisy_latents` the
    noise follows. The models' scheduler says which they predict. Raises
    DataError for anything else. Source: Salimans and Ho (2022), Progressive
    Distillation for Fast Sampling of Diffusion Models, appendix D. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    scheduler = models.pipeline.scheduler
    kind = scheduler.config.prediction_type
    if kind == "epsilon":
        return prediction
    if kind == "v_prediction":
        alpha_cumprod = scheduler.alphas_cumprod[int(timestep)].item()
        noise = (1 - alpha_cumprod) ** 0.5 * noisy_latents.float()
        return noise + alpha_cumprod**0.5 * prediction.float()
    raise DataError(
        f'These models predict "{kind}", and noise can be computed from '
        '"epsilon" and "v_prediction" only; load others.'
    )


def predict_x0(
    noisy_latents: Latents, noise_pred: Latents, alpha_cumprod: Tensor
) -> Latents:
    """Remove the predicted noise from noisy latents, all of it at once.

    `alpha_cumprod`, between 0 and 1, is the noise scheduler's at the
    timestep of `noisy_latents`. Source: Song et al. (2021), Denoising
    Diffusion Implicit Models, equation 9. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    noise = (1 - alpha_cumprod) ** 0.5 * noise_pred
    return (noisy_latents - noise) / alpha_cumprod**0.5
