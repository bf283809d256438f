"""Checks of the exercises in lesson 05: noise, a step, stopping."""

import torch

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    tells_mistakes,
)
from tutorial_lib.learning import no_longer_improves


@tells_mistakes
def check_mix_noise(mix_noise) -> None:
    """Check a function that mixes noise into latents.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    shape = (3, 4, 5, 3)
    latents, noise = torch.randn(2, *shape, dtype=torch.float64)
    signal = torch.rand(3, dtype=torch.float64)
    wide = signal[:, None, None, None]
    truth = wide.sqrt() * latents + (1 - wide).sqrt() * noise
    try:
        found = mix_noise(latents, noise, signal)
    except NotImplementedError:  # which is a RuntimeError
        raise
    except RuntimeError as error:
        raise Mistake(
            f"the shapes do not fit ({error}); `signal` needs three more "
            "axes of length one."
        ) from None
    found = expect_tensor(found, shape)
    if is_close(found, truth):
        return
    if is_close(found, wide * latents + (1 - wide) * noise):
        raise Mistake("the square roots are missing.")
    if is_close(found, wide.sqrt() * noise + (1 - wide).sqrt() * latents):
        raise Mistake("picture and noise have changed places.")
    narrow = signal  # broadcast along the last axis
    along = narrow.sqrt() * latents + (1 - narrow).sqrt() * noise
    if is_close(found, along):
        raise Mistake(
            "`signal` was stretched along the last axis; it holds one "
            "number for each picture, the first axis."
        )
    raise Mistake("the mixture is not right.")


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
def check_is_time_to_stop(is_time_to_stop) -> None:
    """Check a function that says when to stop.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    cases = [
        ([5, 4, 3, 2, 1], "it is still falling"),
        ([5, 4], "so few errors say nothing yet"),
        ([5, 1, 1, 1, 1, 1], "nothing was gained for a whole window"),
        ([5, 2, 1.0, 1.5, 1.6, 1.4, 0.9], "the last one is a new best"),
        ([5, 1, 0.999, 1, 1, 0.998],
         "what was gained is less than 2 % of all progress"),
        ([5, 4, 1.0, 1.2, 1.1, 1.3, 1.2],
         "the best lies before the window, and nothing came after"),
    ]  # fmt: skip
    for errors, reason in cases:
        truth, found = no_longer_improves(errors), is_time_to_stop(errors)
        if bool(found) != truth:
            word = "stop" if truth else "go on"
            raise Mistake(f"with {errors} it is time to {word}: {reason}.")
