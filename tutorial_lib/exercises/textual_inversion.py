"""Checks of the exercises in lesson 05: a sample, a step, timesteps."""

import torch

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    tells_mistakes,
)


@tells_mistakes
def check_sample_latents(sample_latents) -> None:
    """Check a function that samples latents from what the VAE described.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    shape, scale = (3, 4, 5, 3), 0.18
    mean, deviation, noise = torch.randn(3, *shape, dtype=torch.float64)
    deviation = deviation.abs()
    given = [mean.clone(), deviation.clone(), noise.clone()]
    truth = (mean + deviation * noise) * scale
    found = sample_latents(mean, deviation, noise, scale)
    found = expect_tensor(found, shape)
    if is_close(found, truth):
        if not all(map(torch.equal, given, (mean, deviation, noise))):
            raise Mistake("what you were given has changed; make new tensors.")
        return
    if is_close(found, mean * scale + deviation * noise):
        raise Mistake("the deviation needs the scaling factor as well.")
    if is_close(found, mean + deviation * noise):
        raise Mistake("the scaling factor is missing.")
    if is_close(found, truth / scale**2):
        raise Mistake("multiply by the scaling factor, do not divide.")
    if is_close(found, mean * scale):
        raise Mistake("that is the mean; no noise has come in.")
    if is_close(found, (mean + noise) * scale):
        raise Mistake("the noise is to be as wide as the deviation.")
    if is_close(found, (mean + deviation.sqrt() * noise) * scale):
        raise Mistake("you are given the deviation, no variance: no root.")
    raise Mistake("the sample is not right.")


@tells_mistakes
def check_take_step(take_step) -> None:
    """Check a function that takes one step of gradient descent.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    matrix = torch.randn(6, 6, dtype=torch.float64)
    vectors = torch.randn(2, 6, dtype=torch.float64)
    given = vectors.clone()

    def loss_of(each):
        """Be some loss of the vectors."""
        return (each @ matrix).square().sum()

    gradient = 2 * given @ matrix @ matrix.T
    found = expect_tensor(take_step(loss_of, vectors, 0.01), (2, 6))
    if not torch.equal(vectors, given):
        raise Mistake("the vectors you were given have changed; copy them.")
    if is_close(found, given - 0.01 * gradient):
        if found.requires_grad:
            raise Mistake(
                "the result still hangs on the graph; detach it, or the "
                "next step goes through this one as well."
            )
        return
    if is_close(found, given + 0.01 * gradient):
        raise Mistake("you walk uphill; subtract the gradient.")
    if is_close(found, given - gradient):
        raise Mistake("the learning rate is missing.")
    if is_close(found, given):
        raise Mistake("the vectors have not moved.")
    raise Mistake("the step is not right.")


@tells_mistakes
def check_spread_times(spread_times) -> None:
    """Check a function that spreads timesteps over the schedule.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    draws = [spread_times(8, 1000) for _ in range(40)]
    times = torch.stack([expect_tensor(each, (8,)) for each in draws])
    if times.is_floating_point():
        raise Mistake("timesteps are whole numbers; end with `.long()`.")
    if times.min() < 0 or times.max() > 999:
        raise Mistake("timesteps go from 0 to 999.")
    if (times == times[0]).all():
        raise Mistake("each call gives the same; pick at random in a share.")
    shares = torch.sort(times * 8 // 1000, dim=1).values
    if not torch.equal(shares, torch.arange(8).expand(40, 8)):
        raise Mistake(
            "some share of the schedule was left out, another picked twice: "
            "one timestep in each."
        )
    within = (times.sort(dim=1).values - torch.arange(8) * 125) / 125
    if (within.std(dim=1) < 0.01).all():
        raise Mistake("each share needs a random number of its own.")
    if within.max() < 0.5 or within.min() > 0.5:
        raise Mistake("any timestep of a share should be possible.")
