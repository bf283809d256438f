"""Checks of the exercises of lesson 04: noise, guidance, a step."""

from collections.abc import Callable
from typing import NoReturn

import numpy as np
import torch
from diffusers import DDIMScheduler
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from tutorial_lib.exercises.checking import (
    Mistake,
    Mistakes,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)
from tutorial_lib.exercises.tiny_models import load_tiny_models
from tutorial_lib.generation import (
    decode_latents,
    encode_prompts,
    make_noise,
    predict_noise,
)
from tutorial_lib.models import Models

PROMPT = "A photo of a T-shirt with blue stripes on white"
ROWS = 5  # as many as columns: a share that follows the columns runs, too
Latents = Float[Tensor, "batch channels height width"]
StepDDIM = Callable[
    [Latents, Latents, Float[Tensor, ""], Float[Tensor, ""]], Latents
]


def make_latents(count: int) -> list[Latents]:
    """Return `count` random latents (5, 4, 5, 5) of double precision."""
    return list(torch.randn(count, ROWS, 4, ROWS, ROWS, dtype=torch.float64))


def name_wrong_numbers(value: Tensor, mistakes: Mistakes) -> NoReturn:
    """Raise Mistake in any case, with the sentence that fits the value."""
    name_mistake(value, mistakes)
    raise Mistake("the shape is right, the numbers are not yet.")


@tells_mistakes
def check_add_noise(
    add_noise: Callable[[Latents, Latents, Float[Tensor, " batch"]], Latents],
) -> None:
    """Check a function that adds a schedule's noise to latents.

    Taught in notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    latents, noise = make_latents(2)
    alpha_cumprod = torch.rand(ROWS, dtype=torch.float64) * 0.8 + 0.1
    noisy = expect_tensor(
        add_noise(latents, noise, alpha_cumprod), tuple(latents.shape)
    )
    share = alpha_cumprod[:, None, None, None]
    truth = share.sqrt() * latents + (1 - share).sqrt() * noise
    if not is_close(noisy, truth):
        name_mistake(noisy, list_root_mistakes(latents, noise, share))
        mistakes = list_share_mistakes(latents, noise, alpha_cumprod)
        name_wrong_numbers(noisy, mistakes)


def list_root_mistakes(
    latents: Latents, noise: Latents, share: Float[Tensor, "batch 1 1 1"]
) -> Mistakes:
    """List noisy latents with wrong roots, and the mistakes behind them."""
    root, noise_root = share.sqrt(), (1 - share).sqrt()
    return [
        (
            share * latents + (1 - share) * noise,
            "the shares are those of the *variance*: take the square root of "
            "`alpha_cumprod` and of `1 - alpha_cumprod`.",
        ),
        (
            root * latents + (1 - root) * noise,
            "the noise wants the root of `1 - alpha_cumprod`, not one minus "
            "the root.",
        ),
        (
            root * latents + (1 - share) * noise,
            "only `alpha_cumprod` has its square root; `1 - alpha_cumprod` "
            "needs it as well.",
        ),
        (
            share * latents + noise_root * noise,
            "only `1 - alpha_cumprod` has its square root; `alpha_cumprod` "
            "needs it as well.",
        ),
    ]


def list_share_mistakes(
    latents: Latents, noise: Latents, alpha_cumprod: Float[Tensor, " batch"]
) -> Mistakes:
    """List noisy latents with wrong shares, and the mistakes behind them."""
    by_column, noise_by_column = alpha_cumprod, 1 - alpha_cumprod
    share = alpha_cumprod[:, None, None, None]
    root, noise_root = share.sqrt(), (1 - share).sqrt()
    return [
        (
            root * latents + noise,
            "the noise has to shrink as well, by the root of "
            "`1 - alpha_cumprod`.",
        ),
        (
            latents + noise_root * noise,
            "the latents have to shrink as the noise grows; yours keep their "
            "full size.",
        ),
        (
            noise_root * latents + root * noise,
            "the two shares are swapped: `alpha_cumprod` belongs to the "
            "latents.",
        ),
        (
            by_column.sqrt() * latents + noise_by_column.sqrt() * noise,
            "there is one `alpha_cumprod` for each *row*, and yours follows "
            "the columns; give it three more axes: "
            "alpha_cumprod[:, None, None, None].",
        ),
    ]


@tells_mistakes
def check_guide_by_two(
    guide_by_two: Callable[[Latents, Latents, Latents, float], Latents],
) -> None:
    """Check a function that follows two captions at once.

    Taught in notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    without, first, second = make_latents(3)
    scale = 2 + torch.rand(()).item()
    guided = expect_tensor(
        guide_by_two(without, first, second, scale), tuple(without.shape)
    )
    both = (first - without) + (second - without)
    if not is_close(guided, without + scale * both):
        mistakes = list_guidance_mistakes(without, first, second, scale)
        name_wrong_numbers(guided, mistakes)


def list_guidance_mistakes(
    without: Latents, first: Latents, second: Latents, scale: float
) -> Mistakes:
    """List wrong guided predictions with the mistakes behind them."""
    both = (first - without) + (second - without)
    return [
        (
            2 * without + scale * both,
            "the prediction without a caption counts twice with you; begin "
            "with it once, and add what each caption changes.",
        ),
        (
            without - scale * both,
            "you lead away from the captions; the difference is caption "
            "minus none.",
        ),
        (
            scale * both,
            "you have what the captions change, and forget the prediction "
            "that they change: add `without`.",
        ),
        (
            without + scale * both / 2,
            "you follow the mean of the captions, half as far as asked.",
        ),
        (
            without + scale * (second - first),
            "you compare the captions with each other; each is compared with "
            "`without`.",
        ),
        (
            without + scale * (first - without),
            "only one of the two captions is followed.",
        ),
    ]


@tells_mistakes
def check_step_ddim(step_ddim: StepDDIM) -> str:
    """Check a function that takes one step of DDIM.

    At last it draws a whole picture with the tiny models, which is compared
    with that of diffusers' DDIM. Taught in
    notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    noisy, noise_pred = make_latents(2)
    alpha_cumprod = 0.1 + 0.4 * torch.rand((), dtype=torch.float64)
    arguments = noisy, noise_pred, alpha_cumprod, alpha_cumprod + 0.2
    stepped, again = (
        expect_tensor(step_ddim(*arguments), tuple(noisy.shape))
        for _ in range(2)
    )
    if is_close(stepped, take_ddim_step(*arguments)):
        return compare_pictures(step_ddim)
    if not is_close(stepped, again):
        raise Mistake(
            "two calls differ: DDIM adds no fresh noise, it puts the "
            "*predicted* noise back."
        )
    name_wrong_numbers(stepped, list_step_mistakes(*arguments))


def take_ddim_step(
    noisy: Latents,
    noise_pred: Latents,
    alpha_cumprod: Float[Tensor, ""],
    next_alpha_cumprod: Float[Tensor, ""],
) -> Latents:
    """Return the latents of the next timestep (Song et al., 2021)."""
    clean = noisy - (1 - alpha_cumprod).sqrt() * noise_pred
    clean = clean / alpha_cumprod.sqrt()
    noise = (1 - next_alpha_cumprod).sqrt() * noise_pred
    return next_alpha_cumprod.sqrt() * clean + noise


def list_step_mistakes(
    noisy: Latents,
    noise_pred: Latents,
    alpha_cumprod: Float[Tensor, ""],
    next_alpha_cumprod: Float[Tensor, ""],
) -> Mistakes:
    """List wrong steps with the mistakes behind them."""
    a, b = alpha_cumprod, next_alpha_cumprod
    undivided = noisy - (1 - a).sqrt() * noise_pred
    clean, next_noise = undivided / a.sqrt(), (1 - b).sqrt() * noise_pred
    clean_without_roots = (noisy - (1 - a) * noise_pred) / a
    return [
        (
            clean,
            "those are the predicted clean latents; now put some of the "
            "noise back, as much as belongs to `next_alpha_cumprod`.",
        ),
        (
            b.sqrt() * undivided + next_noise,
            "the noise is out, but the latents are still shrunk: divide by "
            "the root of `alpha_cumprod`.",
        ),
        (
            noisy,
            "nothing has changed: take the noise out with `alpha_cumprod`, "
            "and put it back with `next_alpha_cumprod`, not both with one of "
            "them.",
        ),
        (
            take_ddim_step(noisy, noise_pred, b, a),
            "the two shares are swapped: the noisy latents belong to "
            "`alpha_cumprod`.",
        ),
        (
            b * clean_without_roots + (1 - b) * noise_pred,
            "take the square roots, of each share and of one minus it.",
        ),
        (
            clean + next_noise,
            "the predicted clean latents have to shrink again, by the root "
            "of `next_alpha_cumprod`.",
        ),
    ]


def compare_pictures(step_ddim: StepDDIM) -> str:
    """Draw one picture with `step_ddim`, and compare it with diffusers'."""
    models = load_tiny_models()
    scheduler = DDIMScheduler.from_config(
        models.pipeline.scheduler.config, clip_sample=False
    )
    mine = np.asarray(draw_by_steps(models, scheduler, step_ddim), float)
    theirs = np.asarray(draw_by_pipeline(models, scheduler), float)
    difference = np.abs(mine - theirs).max()
    if difference > 1:
        raise Mistake(
            "on random latents you are right, but in the loop your picture "
            f"and diffusers' differ by up to {difference:g} of 255."
        )
    return (
        f"A picture of {models.profile.num_inference_steps} of your steps is "
        f"that of diffusers' DDIM: largest difference {difference:g} of 255."
    )


@torch.no_grad()
def draw_by_steps(
    models: Models, scheduler: DDIMScheduler, step_ddim: StepDDIM
) -> Image.Image:
    """Draw a picture with the loop of lesson 04, and `step_ddim` in it."""
    embeds = encode_prompts(models, ["", PROMPT])
    noisy = make_noise(models, seed=0, numbers=[0]).to(embeds)
    num_steps = models.profile.num_inference_steps
    scheduler.set_timesteps(num_steps)
    skipped = scheduler.config.num_train_timesteps // num_steps
    for t in scheduler.timesteps.tolist():
        both = noisy.repeat(2, 1, 1, 1)
        without, with_prompt = predict_noise(models, both, t, embeds).chunk(2)
        scale = models.profile.guidance_scale
        noise_pred = without + scale * (with_prompt - without)
        following = scheduler.final_alpha_cumprod
        if t >= skipped:
            following = scheduler.alphas_cumprod[t - skipped]
        alpha_cumprod = scheduler.alphas_cumprod[t]
        noisy = step_ddim(noisy, noise_pred, alpha_cumprod, following)
    return decode_latents(models, noisy)[0]


def draw_by_pipeline(models: Models, scheduler: DDIMScheduler) -> Image.Image:
    """Draw the same picture with diffusers' pipeline and scheduler."""
    empty, prompt = encode_prompts(models, ["", PROMPT])
    pipeline = models.pipeline
    usual, pipeline.scheduler = pipeline.scheduler, scheduler
    try:
        return pipeline(
            prompt_embeds=prompt[None],
            negative_prompt_embeds=empty[None],
            latents=make_noise(models, seed=0, numbers=[0]).to(prompt),
            guidance_scale=models.profile.guidance_scale,
            num_inference_steps=models.profile.num_inference_steps,
        ).images[0]
    finally:
        pipeline.scheduler = usual
