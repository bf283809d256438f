"""Checks of the exercises of lesson 05: a sample, a step, timesteps."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)

Latents = Float[Tensor, "batch channels height width"]
Vectors = Float[Tensor, "num width"]


@tells_mistakes
def check_sample_latents(
    sample_latents: Callable[[Latents, Latents, Latents, float], Latents],
) -> None:
    """Check a function that samples latents from what the VAE described.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    shape, scale = (3, 4, 5, 3), 0.18
    mean, std, noise = torch.randn(3, *shape, dtype=torch.float64)
    std = std.abs()
    truth = (mean + std * noise) * scale
    latents = expect_tensor(sample_latents(mean, std, noise, scale), shape)
    if is_close(latents, truth):
        return
    mistakes = [
        (
            mean * scale + std * noise,
            "the std needs the scaling factor as well.",
        ),
        (mean + std * noise, "the scaling factor is missing."),
        (
            truth / scale**2,
            "multiply by the scaling factor, do not divide.",
        ),
        (mean * scale, "that is the mean; no noise has come in."),
        (
            (mean + noise) * scale,
            "the noise is to be as wide as the std.",
        ),
        (
            (mean + std.sqrt() * noise) * scale,
            "you are given the std, no variance: no root.",
        ),
        (
            (mean + std.square() * noise) * scale,
            "you are given the std; do not square it.",
        ),
    ]
    name_mistake(latents, mistakes)
    raise Mistake("the sample is not right.")


@tells_mistakes
def check_take_step(
    take_step: Callable[
        [Callable[[Vectors], Float[Tensor, ""]], Vectors, float], Vectors
    ],
) -> None:
    """Check a function that takes one step of gradient descent.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    matrix = torch.randn(6, 6, dtype=torch.float64)
    vectors = torch.randn(2, 6, dtype=torch.float64)

    def loss_of(points: Vectors) -> Float[Tensor, ""]:
        """Return some loss of the vectors."""
        return (points @ matrix).square().sum()

    gradient = 2 * vectors @ matrix @ matrix.T
    moved = expect_tensor(take_step(loss_of, vectors, 0.01), (2, 6))
    if is_close(moved, vectors - 0.01 * gradient):
        if moved.requires_grad:
            raise Mistake(
                "the result still hangs on the graph; detach it, or the "
                "next step goes through this one as well."
            )
        return
    mistakes = [
        (
            vectors + 0.01 * gradient,
            "you walk uphill; subtract the gradient.",
        ),
        (vectors - gradient, "the learning rate is missing."),
        (vectors, "the vectors have not moved."),
        (
            0.01 * gradient,
            "that is the step alone; subtract it from the vectors.",
        ),
        (-0.01 * gradient, "that is the step alone; add it to the vectors."),
        (gradient, "that is the gradient alone; subtract `lr` times it."),
    ]
    name_mistake(moved, mistakes)
    raise Mistake("the step is not right.")


@tells_mistakes
def check_spread_times(
    spread_times: Callable[[int, int], Int[Tensor, " count"]],
) -> None:
    """Check a function that spreads timesteps over the schedule.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    for count, total in ((8, 1000), (5, 600)):
        calls = [spread_times(count, total) for _ in range(40)]
        timesteps = torch.stack(
            [expect_tensor(result, (count,)) for result in calls]
        )
        if timesteps.is_floating_point():
            raise Mistake("timesteps are whole numbers; end with `.long()`.")
        if (timesteps == 0).all():
            raise Mistake(
                "all are 0: stretch the sum to `total` first, and end with "
                "`.long()`."
            )
        if timesteps.min() < 0 or timesteps.max() >= total:
            raise Mistake(
                f"of {total}, timesteps go from 0 to {total - 1}, and yours "
                f"from {timesteps.min()} to {timesteps.max()}."
            )
        if (timesteps == timesteps[0]).all():
            raise Mistake(
                "each call gives the same; pick at random in a share, and "
                "end with `.long()`."
            )
        compare_shares(timesteps, count, total)


def compare_shares(
    timesteps: Int[Tensor, "calls count"], count: int, total: int
) -> None:
    """Raise Mistake unless each call's timesteps are spread over shares."""
    timesteps = timesteps.sort(dim=1).values
    if (timesteps * count // total != torch.arange(count)).any():
        raise Mistake(
            "some share of the schedule was left out, another picked twice: "
            "one timestep in each."
        )
    within = timesteps * count / total - torch.arange(count)
    if (within.std(dim=1) < 0.01).all():
        raise Mistake("each share needs a random number of its own.")
    if within.amax(0).min() < 0.7 or within.amin(0).max() > 0.3:
        raise Mistake("any timestep of each share should be possible.")
