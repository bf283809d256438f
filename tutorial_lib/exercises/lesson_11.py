"""Checks of the exercises of lesson 11: photos, prompts, memory."""

import random
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tutorial_lib.evaluation import compare_with_each_other
from tutorial_lib.exercises.checking import (
    Mistake,
    name_mistake,
    read_pair,
    tells_mistakes,
)

NUM_PROMPTS, NUM_IMAGES = 10, 6
# batch_size, gigabytes of an image and of the free memory, what is right
BATCHES = (
    (4, 0.7, 8.0, 4),
    (4, 0.7, 2.5, 2),
    (6, 1.0, 5.0, 3),
    (6, 1.0, 3.0, 3),
    (12, 0.5, 2.6, 4),
    (5, 0.7, 3.0, 1),
    (4, 3.0, 2.0, 0),  # the last one: not even one fits
)


@tells_mistakes
def check_compare_photos(
    compare_photos: Callable[[Float[Tensor, "photos width"]], list[float]],
) -> None:
    """Check a function that compares each photo with the others.

    Taught in notebooks/11_your_own_x.ipynb.
    """
    for num_photos in (4, 6, 3):
        photos = functional.normalize(torch.randn(num_photos, 8) + 0.5, dim=1)
        value = torch.as_tensor(compare_photos(photos), dtype=torch.float64)
        if value.ndim == 0:
            raise Mistake("one number for each photo is wanted, not one mean.")
        if value.shape != (num_photos,):
            raise Mistake(
                f"there are {num_photos} photos, so as many numbers are "
                f"wanted; yours has the shape {tuple(value.shape)}."
            )
        truth = torch.tensor(compare_with_each_other(photos))
        name_mistake(value, list_wrong_means(photos @ photos.T))
        if not torch.allclose(value, truth.double(), atol=1e-4):
            raise Mistake(
                f"{truth[0]:.3f} was expected for the first photo, and yours "
                f"is {value[0]:.3f}."
            )


def list_wrong_means(
    cosines: Float[Tensor, "photos photos"],
) -> list[tuple[Tensor | float, str]]:
    """List what wrong means give, each with what is wrong with it."""
    sums, others = cosines.sum(1), len(cosines) - 1
    return [
        (
            sums / len(cosines),
            "each photo is compared with itself, too, and that cosine is "
            "always 1.",
        ),
        (sums / others, "its cosine with itself, 1, is still in the sum."),
        (
            (sums - 1) / len(cosines),
            f"divide by {others}, the number of the others.",
        ),
        (sums - 1, "take the mean of the cosines, not their sum."),
    ]


@tells_mistakes
def check_resample_prompts(
    resample_prompts: Callable[
        [Float[np.ndarray, "prompts pictures"]], tuple[float, float]
    ],
) -> None:
    """Check a function that resamples whole prompts for an interval.

    Taught in notebooks/11_your_own_x.ipynb.
    """
    rng = np.random.default_rng(random.randrange(10_000))
    prompts = rng.permutation(np.linspace(0.4, 0.7, NUM_PROMPTS))
    noise = rng.normal(0, 0.02, (NUM_PROMPTS, NUM_IMAGES))
    cosines = prompts[:, None] + noise
    low, high = read_pair(resample_prompts(cosines))
    means = cosines.mean(1)
    chosen = rng.integers(NUM_PROMPTS, size=(20_000, NUM_PROMPTS))
    resampled = means[chosen].mean(1)
    truth = np.percentile(resampled, [2.5, 97.5])
    width = truth[1] - truth[0]
    gaps = np.abs(np.subtract(truth, [low, high]))
    if gaps.max() < 0.07 * width:
        return
    if high - low < 0.6 * width:
        raise Mistake(
            "that is too narrow: draw whole prompts, each with all its "
            "pictures, and not single pictures."
        )
    if high - low < 0.91 * width:
        raise Mistake("that holds 90 % or so; take the middle 95 %.")
    if high - low > 1.5 * width:
        raise Mistake(
            "that is the spread of single prompts; the interval of the mean "
            "is narrower: draw as many prompts as there are, and take the "
            "mean of each draw."
        )
    raise Mistake(
        f"the interval is about {truth[0]:.3f} to {truth[1]:.3f}, and yours "
        f"{low:.3f} to {high:.3f}."
    )


@tells_mistakes
def check_choose_micro_batch(
    choose_micro_batch: Callable[[int, float, float], int],
) -> None:
    """Check a function that fits a batch into the free memory.

    Taught in notebooks/11_your_own_x.ipynb.
    """
    sizes = [
        choose_micro_batch(batch_size, image, free)
        for batch_size, image, free, _ in BATCHES
    ]
    parts = [batch // size for batch, *_, size in BATCHES if size]
    if sizes[: len(parts)] == parts:
        raise Mistake(
            "how many images go together is asked for, and not in how many "
            "parts the batch goes."
        )
    rows = zip(BATCHES, sizes, strict=True)
    for (batch_size, image, free, truth), size in rows:
        given = f"of a batch of {batch_size}, {image} GB each, {free} GB free"
        if size == truth:
            continue
        if truth == 0:
            raise Mistake(f"not one image fits ({given}); return 0.")
        if size * image > free:
            raise Mistake(f"{size} images do not fit ({given}).")
        if size and batch_size % size:
            raise Mistake(
                f"a batch of {batch_size} cannot be cut into equal parts of "
                f"{size}."
            )
        if truth * image == free:
            raise Mistake("what fills the memory exactly does fit: `<=`.")
        raise Mistake(f"{truth} fit {given}, and you say {size}.")
