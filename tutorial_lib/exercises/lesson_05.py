"""Checks of the exercises in lesson 05: a sample, a step, timesteps."""

import torch
from torch import Tensor

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)


@tells_mistakes
def check_sample_latents(sample_latents) -> None:
    """Check a function that samples latents from what the VAE described.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    shape, scale = (3, 4, 5, 3), 0.18
    mean, std, noise = torch.randn(3, *shape, dtype=torch.float64)
    std = std.abs()
    truth = (mean + std * noise) * scale
    found = expect_tensor(sample_latents(mean, std, noise, scale), shape)
    if is_close(found, truth):
        return
    name_mistake(found, {
        "the deviation needs the scaling factor as well.":
            mean * scale + std * noise,
        "the scaling factor is missing.": mean + std * noise,
        "multiply by the scaling factor, do not divide.": truth / scale**2,
        "that is the mean; no noise has come in.": mean * scale,
        "the noise is to be as wide as the deviation.":
            (mean + noise) * scale,
        "you are given the deviation, no variance: no root.":
            (mean + std.sqrt() * noise) * scale,
        "you are given the deviation; do not square it.":
            (mean + std.square() * noise) * scale,
    })  # fmt: skip
    raise Mistake("the sample is not right.")


@tells_mistakes
def check_take_step(take_step) -> None:
    """Check a function that takes one step of gradient descent.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    matrix = torch.randn(6, 6, dtype=torch.float64)
    vectors = torch.randn(2, 6, dtype=torch.float64)

    def loss_of(each):
        """Be some loss of the vectors."""
        return (each @ matrix).square().sum()

    gradient = 2 * vectors @ matrix @ matrix.T
    found = expect_tensor(take_step(loss_of, vectors, 0.01), (2, 6))
    if is_close(found, vectors - 0.01 * gradient):
        if found.requires_grad:
            raise Mistake(
                "the result still hangs on the graph; detach it, or the "
                "next step goes through this one as well."
            )
        return
    name_mistake(found, {
        "you walk uphill; subtract the gradient.": vectors + 0.01 * gradient,
        "the learning rate is missing.": vectors - gradient,
        "the vectors have not moved.": vectors,
        "that is the step alone; subtract it from the vectors.":
            0.01 * gradient,
        "that is the step alone; add it to the vectors.": -0.01 * gradient,
        "that is the gradient alone; subtract `lr` times it.": gradient,
    })  # fmt: skip
    raise Mistake("the step is not right.")


@tells_mistakes
def check_spread_times(spread_times) -> None:
    """Check a function that spreads timesteps over the schedule.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    for count, total in ((8, 1000), (5, 600)):
        draws = [spread_times(count, total) for _ in range(40)]
        timesteps = torch.stack(
            [expect_tensor(each, (count,)) for each in draws]
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


def compare_shares(timesteps: Tensor, count: int, total: int) -> None:
    """Raise Mistake unless the rows of times are spread over the shares."""
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
