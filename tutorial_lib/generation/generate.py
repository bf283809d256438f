"""Drawing pictures with learned words in the prompt."""

import warnings
from functools import partial

import torch
from diffusers import DPMSolverMultistepScheduler
from tqdm.auto import tqdm

from tutorial_lib.errors import WordError
from tutorial_lib.generation.text_encoding import encode_prompts
from tutorial_lib.words import LearnedWord, find_words, split_prompt

IMAGES_PER_SEED = 10_000  # so that seeds 0 and 1 share no noise


def generate(
    models, prompts, words=(), count=1, seed=0, guidance_scale=None,
    num_inference_steps=None, progress=True, batch_size=8,
):  # fmt: skip
    """Draw `count` pictures for each prompt.

    `prompts` is one prompt or a list, `words` the learned words in it.
    Returns a list of RGB pictures, all of the first prompt first. The
    i-th picture of a prompt depends on `seed` and i alone: not on
    `count`, the batch or the device (but for rounding), and the i-th
    pictures of all prompts start from the same noise. Sampled by
    DPM-Solver++ (Lu et al., 2022) in `num_inference_steps`, by default
    as the profile says. Raises WordError if a word is in no prompt.
    Taught in notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    prompts = [prompts] if isinstance(prompts, str) else list(prompts)
    check_prompts(prompts, words=words)
    steps = num_inference_steps or models.profile.num_inference_steps
    if guidance_scale is None:
        guidance_scale = models.profile.guidance_scale
    # The prompts, and last the empty one that guidance leads away from.
    prompt_embeds = encode_prompts(models, [*prompts, ""], words=words)
    jobs = [(p, i) for p in range(len(prompts)) for i in range(count)]
    images = []
    with tqdm(
        total=len(jobs) * steps, desc="Drawing", unit="step",
        disable=not progress, delay=2, leave=False,
    ) as bar:  # fmt: skip
        for k in range(0, len(jobs), batch_size):
            batch = jobs[k : k + batch_size]
            images += generate_batch(
                models,
                prompt_embeds=prompt_embeds[[p for p, _ in batch]],
                negative_prompt_embeds=prompt_embeds[[-1] * len(batch)],
                noise=make_noise(models, seed, [i for _, i in batch]),
                guidance_scale=guidance_scale,
                num_inference_steps=steps,
                after_step=partial(bar.update, len(batch)),
            )
    return images


def generate_batch(
    models,
    prompt_embeds,
    negative_prompt_embeds,
    noise,
    guidance_scale,
    num_inference_steps,
    after_step,
):
    """Draw a picture for each row of `vectors`; returns a list.

    `vectors` and `empty` (batch, tokens, width) are the encoded prompts
    and what guidance leads away from, `noise` (batch, channels, height,
    width) the latents to start from. Calls `after_step` at each step.
    """
    pipeline = models.pipeline
    training_scheduler = pipeline.scheduler
    pipeline.scheduler = make_sampling_scheduler(training_scheduler.config)

    def tell(_pipeline, _step, _timestep, _tensors):
        """Pass on that a step is done; change nothing."""
        after_step()
        return {}

    try:
        return pipeline(
            prompt_embeds=prompt_embeds,
            negative_prompt_embeds=negative_prompt_embeds,
            latents=noise.to(prompt_embeds),
            guidance_scale=guidance_scale,
            num_inference_steps=num_inference_steps,
            callback_on_step_end=tell,
        ).images
    finally:
        pipeline.scheduler = training_scheduler


def make_sampling_scheduler(config):
    """Make a DPM-Solver++ sampler for a model's noise schedule."""
    return DPMSolverMultistepScheduler.from_config(
        config, algorithm_type="dpmsolver++", solver_order=2
    )


def make_noise(models, seed, numbers):
    """Make the noise that the pictures with these numbers start from.

    It is made on the CPU, one generator a picture, so that a picture is
    the same in every batch and on every device. Returns (num_pictures,
    channels, height, width) float32. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    config = models.pipeline.unet.config
    shape = (config.in_channels, config.sample_size, config.sample_size)
    noise = []
    for number in numbers:
        generator = torch.Generator("cpu")
        generator.manual_seed(seed * IMAGES_PER_SEED + number)
        noise.append(torch.randn(shape, generator=generator))
    return torch.stack(noise)


def check_prompts(prompts, words):
    """Raise WordError if a learned word stands in none of the prompts.

    Warns where a prompt has a lone X that no learned word explains.
    """
    used = {w.word for p in prompts for w in find_words(p, words)}
    for word in words:
        if word.word not in used:
            raise WordError(
                f'The learned word "{word.word}" stands in none of the '
                "prompts; write it there on its own and in the same "
                f'letters, as in "A photo of {word.word}".'
            )
    x = LearnedWord(word="X", prompt_embeds=torch.zeros(1, 1))
    if any(word.word == "X" for word in words):
        return
    for prompt in prompts:
        if len(split_prompt(prompt, [x])) > 1:
            warnings.warn(
                f'"X" in "{prompt}" is read as the ordinary letter, for no '
                "learned word of that name was given; say words=[...].",
                stacklevel=3,
            )
