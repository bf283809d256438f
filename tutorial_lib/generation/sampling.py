"""Generating images with learned words in the prompt."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler
from diffusers.configuration_utils import FrozenDict
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.arguments import (
    MAX_SEED,
    read_items,
    read_number,
    read_seed,
    read_texts,
    read_whole_number,
    to_whole_number,
)
from tutorial_lib.devices import free_cache, is_out_of_memory
from tutorial_lib.errors import TutorialError, WordError
from tutorial_lib.generation.latents import Latents
from tutorial_lib.generation.text_encoding import encode_prompts
from tutorial_lib.generation.two_encoders import name_prompt_embeds
from tutorial_lib.models import Models, check_models
from tutorial_lib.words import LearnedWord, Words, find_words, read_words

IMAGES_PER_SEED = 10_000  # so that seeds 0 and 1 share no noise
MAX_GUIDANCE_SCALE = 1000  # beyond it, images are nothing but noise
Job = tuple[int, int]  # which prompt, and which of its images


def generate(
    models: Models,
    prompts: str | Sequence[str],
    words: Words = (),
    count: int = 1,
    seed: int = 0,
    guidance_scale: float | None = None,
    num_inference_steps: int | None = None,
    progress: bool = True,
    batch_size: int = 8,
) -> list[Image.Image]:
    """Generate `count` images for each prompt, all of the first one first.

    The i-th image of a prompt depends on `seed` and i alone: not on `count`,
    the batch or the device (but for rounding), and the i-th images of all
    prompts start from the same noise. Sampled by DPM-Solver++ (Lu et al.,
    2022); the scale and the steps are by default the profile's. Raises
    WordError if a word is in no prompt, TutorialError if one image is too
    much for the memory. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    check_models(models)
    prompts = read_texts(prompts, "prompts", "A photo of X")
    words = read_words(words)
    check_prompts(prompts, words)
    count = read_whole_number(count, "count", 1, IMAGES_PER_SEED)
    seed = read_seed(seed)
    batch_size = read_whole_number(batch_size, "batch_size", 1)
    steps = read_steps(models, num_inference_steps)
    guidance_scale = read_guidance_scale(models, guidance_scale)
    # The prompts, and last the empty one that guidance leads away from.
    prompt_embeds = encode_prompts(models, [*prompts, ""], words=words)
    jobs = [(p, i) for p in range(len(prompts)) for i in range(count)]
    with make_bar(len(jobs) * steps, progress) as bar:
        draw = partial(
            draw_jobs,
            models,
            prompt_embeds=prompt_embeds,
            seed=seed,
            guidance_scale=guidance_scale,
            num_inference_steps=steps,
            bar=bar,
        )
        return draw_in_batches(models, jobs, batch_size, draw, bar)


def draw_jobs(
    models: Models,
    jobs: list[Job],
    *,
    prompt_embeds: Float[Tensor, "num_prompts tokens width"],
    seed: int,
    guidance_scale: float,
    num_inference_steps: int,
    bar: tqdm,
) -> list[Image.Image]:
    """Draw one batch; the last of `prompt_embeds` is the empty prompt's."""
    return generate_batch(
        models,
        prompt_embeds=prompt_embeds[[p for p, _ in jobs]],
        negative_prompt_embeds=prompt_embeds[[-1] * len(jobs)],
        latents=make_noise(models, seed, [i for _, i in jobs]),
        guidance_scale=guidance_scale,
        num_inference_steps=num_inference_steps,
        after_step=partial(bar.update, len(jobs)),
    )


def draw_in_batches(
    models: Models,
    jobs: list[Job],
    batch_size: int,
    draw: Callable[[list[Job]], list[Image.Image]],
    bar: tqdm,
) -> list[Image.Image]:
    """Draw all images, in smaller batches from where the memory is full.

    That is said aloud. Raises TutorialError if not even one image fits.
    """
    images: list[Image.Image] = []
    while len(images) < len(jobs):
        batch = jobs[len(images) : len(images) + batch_size]
        start = bar.n
        try:
            images += draw(batch)
            continue
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        # Until here the error kept what filled the memory.
        free_cache(models.device)
        bar.update(start - bar.n)
        if len(batch) == 1:
            raise TutorialError(
                "The memory is too small for a single image; close other "
                'programs, or draw on the CPU with load_models(device="cpu").'
            )
        batch_size = len(batch) // 2
        tqdm.write(
            f"The memory is too small for {len(batch)} images at once; they "
            f"are drawn in batches of {batch_size} (batch_size={batch_size})."
        )
    return images


def read_steps(models: Models, steps: int | None) -> int:
    """Return the number of sampling steps, the profile's for None."""
    if steps is None:
        return models.profile.num_inference_steps
    most = models.pipeline.scheduler.config.num_train_timesteps
    return read_whole_number(steps, "num_inference_steps", 1, most)


def read_guidance_scale(models: Models, scale: float | None) -> float:
    """Return the guidance scale, the profile's for None."""
    if scale is None:
        return models.profile.guidance_scale
    return read_number(scale, "guidance_scale", most=MAX_GUIDANCE_SCALE)


def make_bar(steps: int, progress: bool) -> tqdm:
    """Make a bar that appears after two seconds and goes when it is full."""
    return tqdm(
        total=steps,
        desc="Generating",
        unit="step",
        disable=not progress,
        delay=2,
        leave=False,
    )


def generate_batch(
    models: Models,
    *,
    prompt_embeds: Float[Tensor, "batch tokens width"],
    negative_prompt_embeds: Float[Tensor, "batch tokens width"],
    latents: Latents,
    guidance_scale: float,
    num_inference_steps: int,
    after_step: Callable[[], object],
) -> list[Image.Image]:
    """Generate an image for each row of `prompt_embeds`.

    `latents` is the noise to start from. Calls `after_step` at each step.
    """
    pipeline = models.pipeline
    training_scheduler = pipeline.scheduler
    pipeline.scheduler = make_sampling_scheduler(training_scheduler.config)

    def on_step_end(*_: Any) -> dict[str, Any]:
        """Pass on that a step is done; change nothing."""
        after_step()
        return {}

    try:
        output = pipeline(
            **name_prompt_embeds(
                models, prompt_embeds, negative_prompt_embeds
            ),
            latents=latents.to(prompt_embeds),
            guidance_scale=guidance_scale,
            num_inference_steps=num_inference_steps,
            callback_on_step_end=on_step_end,
        )
    finally:
        pipeline.scheduler = training_scheduler
    explain_black_images(output)
    return output.images


def explain_black_images(output: Any) -> None:
    """Say what a checkpoint's safety checker did to a pipeline's output.

    Models without a safety checker, and SDXL, say nothing of it.
    """
    flags = getattr(output, "nsfw_content_detected", None) or []
    if count := sum(flags):
        tqdm.write(
            f"The safety checker that came with the models judged {count} of "
            f"{len(flags)} images indecent and made them black; another seed "
            "or prompt may pass."
        )


def make_sampling_scheduler(
    config: FrozenDict, prediction_type: str | None = None
) -> DPMSolverMultistepScheduler:
    """Make a DPM-Solver++ scheduler for the noise schedule of a config.

    It takes what the config's U-Net predicts, or with `prediction_type`
    "epsilon" the noise that `predict_noise` returns. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    return DPMSolverMultistepScheduler.from_config(
        config,
        algorithm_type="dpmsolver++",
        solver_order=2,
        prediction_type=prediction_type or config.prediction_type,
    )


def make_noise(
    models: Models, seed: int, numbers: int | Iterable[int]
) -> Latents:
    """Make the noise that the images with these numbers start from.

    It is made on the CPU, one generator for each image, so that an image is
    the same in every batch and on every device. The seed is from 0 to
    2**32 - 1, a number from 0 to 9,999. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    check_models(models)
    seed = read_seed(seed)
    one = to_whole_number(numbers)
    wanted = "a list of whole numbers"
    listed = read_items(numbers if one is None else [one], "numbers", wanted)
    config = models.pipeline.unet.config
    shape = (config.in_channels, config.sample_size, config.sample_size)
    return torch.stack(
        [make_noise_of_image(seed, number, shape) for number in listed]
    )


def make_noise_of_image(
    seed: int, number: int, shape: tuple[int, int, int]
) -> Float[Tensor, "channels height width"]:
    """Make the noise that one image starts from.

    torch's generator on the CPU reads 32 bits of a seed. A seed and number
    that need more are given to numpy's, else distant seeds would share their
    noise.
    """
    number = read_whole_number(number, "numbers", 0, IMAGES_PER_SEED - 1)
    if (seed + 1) * IMAGES_PER_SEED > MAX_SEED:
        rng = np.random.default_rng((seed, number))
        return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
    generator = torch.Generator("cpu")
    generator.manual_seed(seed * IMAGES_PER_SEED + number)
    return torch.randn(shape, generator=generator)


def check_prompts(
    prompts: Sequence[str], words: Sequence[LearnedWord]
) -> None:
    """Raise WordError if a learned word stands in none of the prompts.

    Warns where a prompt has a lone X that no learned word explains.
    """
    used = {w.word for prompt in prompts for w in find_words(prompt, words)}
    for word in words:
        if word.word not in used:
            raise WordError(
                f'The learned word "{word.word}" stands in none of the '
                "prompts; write it there on its own and in the same "
                f'letters, as in "A photo of {word.word}".'
            )
    if any(word.word == "X" for word in words):
        return
    x = LearnedWord(word="X", vectors=torch.zeros(1, 1))
    for prompt in prompts:
        if find_words(prompt, [x]):
            warnings.warn(
                f'"X" in "{prompt}" is read as the ordinary letter, for no '
                "learned word of that name was given; say words=[...].",
                stacklevel=3,
            )
