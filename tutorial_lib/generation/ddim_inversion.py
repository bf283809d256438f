"""Image inversion: the noise from which a given image is drawn again.

DDIM without chance goes from noise to an image along a fixed road, and the
same road can be walked the other way.
"""

import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from tutorial_lib.arguments import read_text, read_whole_number
from tutorial_lib.generation.latents import (
    Latents,
    decode_latents,
    encode_images,
    predict_noise,
)
from tutorial_lib.generation.sampling import (
    check_prompts,
    read_guidance_scale,
)
from tutorial_lib.generation.text_encoding import encode_prompts
from tutorial_lib.images import Images
from tutorial_lib.models import Models, check_models
from tutorial_lib.words import Words, read_words

TwoEmbeds = Float[Tensor, "2 tokens width"]  # the empty text's, a prompt's


def invert_images(
    models: Models,
    images: Images,
    prompt: str,
    words: Words = (),
    guidance_scale: float = 1.0,
    num_inference_steps: int | None = None,
) -> Latents:
    """Find the noise from which DDIM draws the images again.

    There is one row of noise for each image, float32 and on the models'
    device; `generate_from_noise` with the same prompt, scale and number of
    steps goes the way back. The steps are by default the profile's. Raises
    WordError if a word is not in the prompt. Source: Song et al. (2021),
    Denoising Diffusion Implicit Models, sections 4.3 and 5.4. Taught in
    notebooks/12_the_map.ipynb.
    """
    prompt_embeds = encode_with_empty(models, prompt, words)
    scale = read_guidance_scale(models, guidance_scale)
    steps = read_ddim_steps(models, num_inference_steps)
    scheduler = make_ddim_scheduler(DDIMInverseScheduler, models, steps)
    latents = encode_images(models, images)
    return follow_timesteps(models, scheduler, latents, prompt_embeds, scale)


def generate_from_noise(
    models: Models,
    noise: Latents,
    prompt: str,
    words: Words = (),
    guidance_scale: float | None = None,
    num_inference_steps: int | None = None,
) -> list[Image.Image]:
    """Generate an image from each row of noise by DDIM, without chance.

    The guidance scale and the steps are by default the profile's. Raises
    WordError if a word is not in the prompt. Source: Song et al. (2021),
    Denoising Diffusion Implicit Models, equation 12 with a sigma of 0. Taught
    in notebooks/12_the_map.ipynb.
    """
    prompt_embeds = encode_with_empty(models, prompt, words)
    scale = read_guidance_scale(models, guidance_scale)
    steps = read_ddim_steps(models, num_inference_steps)
    scheduler = make_ddim_scheduler(DDIMScheduler, models, steps)
    noise = noise.to(models.device, torch.float32)
    latents = follow_timesteps(models, scheduler, noise, prompt_embeds, scale)
    return decode_latents(models, latents)


@torch.no_grad()
def follow_timesteps(
    models: Models,
    scheduler: DDIMScheduler | DDIMInverseScheduler,
    latents: Latents,
    prompt_embeds: TwoEmbeds,
    scale: float,
) -> Latents:
    """Take latents through all timesteps of a scheduler, either way.

    `prompt_embeds` are those of the empty text and of the prompt, `scale` is
    the guidance scale. Taught in notebooks/12_the_map.ipynb.
    """
    empty, prompt = prompt_embeds.unsqueeze(1)
    for t in scheduler.timesteps:
        noise_pred = predict_noise(
            models, latents, t, prompt.expand(len(latents), -1, -1)
        )
        if scale != 1:  # at 1 the empty text drops out
            without = predict_noise(
                models, latents, t, empty.expand(len(latents), -1, -1)
            )
            noise_pred = without + scale * (noise_pred - without)
        latents = scheduler.step(noise_pred, t, latents).prev_sample
    return latents


def make_ddim_scheduler(
    scheduler_class: type[DDIMScheduler] | type[DDIMInverseScheduler],
    models: Models,
    steps: int,
) -> DDIMScheduler | DDIMInverseScheduler:
    """Make a DDIM scheduler of the models' noise schedule, either way.

    The settings are those of Stable Diffusion's own DDIM scheduler. It takes
    the noise that `predict_noise` returns. Taught in
    notebooks/12_the_map.ipynb.
    """
    scheduler = scheduler_class.from_config(
        models.pipeline.scheduler.config,
        clip_sample=False,
        set_alpha_to_one=False,
        prediction_type="epsilon",
    )
    scheduler.set_timesteps(steps, device=models.device)
    return scheduler


def encode_with_empty(models: Models, prompt: str, words: Words) -> TwoEmbeds:
    """Return the prompt_embeds of the empty text and of a prompt.

    Raises WordError if a word is not in the prompt.
    """
    check_models(models)
    prompt = read_text(prompt, "prompt", "A photo of X")
    words = read_words(words)
    check_prompts([prompt], words)
    return encode_prompts(models, ["", prompt], words=words)


def read_ddim_steps(models: Models, steps: int | None) -> int:
    """Return the number of DDIM steps, the profile's for None.

    Stable Diffusion's timesteps start at 1, so the most is one less than
    the schedule has.
    """
    if steps is None:
        return models.profile.num_inference_steps
    most = models.pipeline.scheduler.config.num_train_timesteps - 1
    return read_whole_number(steps, "num_inference_steps", 1, most)
