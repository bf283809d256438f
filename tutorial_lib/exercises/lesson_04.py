"""Checks of the exercises in lesson 04: noise, guidance, a step."""

import torch
from torch import Tensor

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)

ROWS = 5  # as many as columns: a share that follows the columns runs, too


def make_latents(count: int) -> list[Tensor]:
    """Return `count` random tensors (5, 4, 5, 5) of double precision."""
    return list(torch.randn(count, ROWS, 4, ROWS, ROWS, dtype=torch.float64))


def name_wrong_numbers(value: Tensor, mistakes: dict[str, Tensor]) -> None:
    """Raise Mistake in any case, with the sentence that fits the value."""
    name_mistake(value, mistakes)
    raise Mistake("the shape is right, the numbers are not yet.")


@tells_mistakes
def check_add_noise(add_noise) -> None:
    """Check a function that adds a schedule's noise to latents.

    Taught in notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    latents, noise = make_latents(2)
    shares = torch.rand(ROWS, dtype=torch.float64) * 0.8 + 0.1
    found = expect_tensor(
        add_noise(latents, noise, shares), tuple(latents.shape)
    )
    alpha_cumprod = shares[:, None, None, None]
    truth = alpha_cumprod.sqrt() * latents + (1 - alpha_cumprod).sqrt() * noise
    if is_close(found, truth):
        return
    name_wrong_numbers(found, {
        "the shares are those of the *variance*: take the square root of "
        "`signal` and of `1 - signal`.":
            alpha_cumprod * latents + (1 - alpha_cumprod) * noise,
        "the noise wants the root of `1 - signal`, not one minus the root.":
            alpha_cumprod.sqrt() * latents + (1 - alpha_cumprod.sqrt()) * noise,
        "only `signal` has its square root; `1 - signal` needs it as well.":
            alpha_cumprod.sqrt() * latents + (1 - alpha_cumprod) * noise,
        "only `1 - signal` has its square root; `signal` needs it as well.":
            alpha_cumprod * latents + (1 - alpha_cumprod).sqrt() * noise,
        "the noise has to shrink as well, by the root of `1 - signal`.":
            alpha_cumprod.sqrt() * latents + noise,
        "the latents have to shrink as the noise grows; yours keep their "
        "full size.": latents + (1 - alpha_cumprod).sqrt() * noise,
        "the two shares are swapped: `signal` belongs to the latents.":
            (1 - alpha_cumprod).sqrt() * latents + alpha_cumprod.sqrt() * noise,
        "there is one signal for each *row*, and yours follows the columns; "
        "give it three more axes: signal[:, None, None, None].":
            shares.sqrt() * latents + (1 - shares).sqrt() * noise,
    })  # fmt: skip


@tells_mistakes
def check_guide_by_two(guide_by_two) -> None:
    """Check a function that follows two captions at once.

    Taught in notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    without, first, second = make_latents(3)
    scale = 2 + torch.rand(()).item()
    found = expect_tensor(
        guide_by_two(without, first, second, scale), tuple(without.shape)
    )
    both = (first - without) + (second - without)
    if is_close(found, without + scale * both):
        return
    name_wrong_numbers(found, {
        "the guess without a caption counts twice with you; begin with it "
        "once, and add what each caption changes.":
            2 * without + scale * both,
        "you lead away from the captions; the difference is caption minus "
        "none.": without - scale * both,
        "you have what the captions change, and forget the guess that they "
        "change: add `without`.": scale * both,
        "you follow the mean of the captions, half as far as asked.":
            without + scale * both / 2,
        "you compare the captions with each other; each is compared with "
        "`without`.": without + scale * (second - first),
        "only one of the two captions is followed.":
            without + scale * (first - without),
    })  # fmt: skip


@tells_mistakes
def check_step_ddim(step_ddim) -> None:
    """Check a function that takes one step of DDIM.

    Taught in notebooks/04_how_stable_diffusion_draws.ipynb.
    """
    noisy, noise_pred = make_latents(2)
    alpha_cumprod = 0.1 + 0.4 * torch.rand((), dtype=torch.float64)
    later = alpha_cumprod + 0.2
    found = [
        expect_tensor(
            step_ddim(noisy, noise_pred, alpha_cumprod, later),
            tuple(noisy.shape),
        )
        for _ in range(2)
    ]
    clean = (
        noisy - (1 - alpha_cumprod).sqrt() * noise_pred
    ) / alpha_cumprod.sqrt()
    if is_close(
        found[0], later.sqrt() * clean + (1 - later).sqrt() * noise_pred
    ):
        return
    if not is_close(*found):
        raise Mistake(
            "two calls differ: DDIM adds no fresh noise, it puts the "
            "*guessed* noise back."
        )
    undivided = noisy - (1 - alpha_cumprod).sqrt() * noise_pred
    name_wrong_numbers(found[0], {
        "that is the clean guess; now put some of the noise back, as much "
        "as belongs to `next_signal`.": clean,
        "the noise is out, but the latents are still shrunk: divide by the "
        "root of `signal`.":
            later.sqrt() * undivided + (1 - later).sqrt() * noise_pred,
        "nothing has changed: take the noise out with `signal`, and put it "
        "back with `next_signal`, not both with one of them.": noisy,
        "the two signals are swapped: the noisy latents belong to `signal`.":
            alpha_cumprod.sqrt() * (noisy - (1 - later).sqrt() * noise_pred) / later.sqrt()
            + (1 - alpha_cumprod).sqrt() * noise_pred,
        "take the square roots, of each share and of one minus it.":
            later * (noisy - (1 - alpha_cumprod) * noise_pred) / alpha_cumprod
            + (1 - later) * noise_pred,
        "the clean guess has to shrink again, by the root of `next_signal`.":
            clean + (1 - later).sqrt() * noise_pred,
    })  # fmt: skip
