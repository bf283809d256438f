"""Checks of the exercises of lesson 07: variety, words and noise."""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
from jaxtyping import Float

from tutorial_lib.exercises.checking import (
    Mistake,
    Mistakes,
    is_close,
    name_mistake,
    tells_mistakes,
)


@tells_mistakes
def check_measure_entropy(
    measure_entropy: Callable[[list[int]], float],
) -> None:
    """Check a function that returns the entropy of counts in bits.

    Taught in notebooks/07_corgi.ipynb.
    """
    for counts in ([5, 9, 3, 15], [8, 8, 8, 8], [0, 7, 0, 7], [12, 0]):
        shares = [count / sum(counts) for count in counts if count]
        truth = -sum(p * math.log2(p) for p in shares)
        try:
            entropy = measure_entropy(counts)
        except (ValueError, ZeroDivisionError) as error:
            raise Mistake(
                f"{counts} cannot be done ({error}); leave out counts of 0."
            ) from None
        if math.isclose(entropy, truth, abs_tol=1e-9):
            continue
        if math.isnan(entropy):
            raise Mistake(f"{counts} gives nan; leave out counts of 0.")
        name_mistake(entropy, list_entropy_mistakes(counts, truth))
        raise Mistake(
            f"{counts} has an entropy of {truth:.3f} bits, and you say "
            f"{entropy:.3f}."
        )


def list_entropy_mistakes(counts: list[int], truth: float) -> Mistakes:
    """List wrong entropies with the mistakes behind them."""
    shares = [count / sum(counts) for count in counts if count]
    return [
        (-truth, "the sign is wrong: entropy is never negative."),
        (
            truth * math.log(2),
            "yours is in nats; bits need the logarithm to 2.",
        ),
        (
            truth * math.log10(2),
            "yours is to the base of 10; bits need the logarithm to 2.",
        ),
        (
            -sum(count * math.log2(count) for count in counts if count),
            "divide the counts by their sum first.",
        ),
        (
            -sum(math.log2(p) for p in shares),
            "each logarithm counts p times: p·log2(p).",
        ),
        (truth / len(shares), "add up p·log2(p); you take the mean."),
    ]


@tells_mistakes
def check_compare_prompts(
    compare_prompts: Callable[
        [Float[np.ndarray, "prompts noises values"]], float
    ],
) -> None:
    """Check a function that compares pictures of different prompts.

    Taught in notebooks/07_corgi.ipynb.
    """
    rng = np.random.default_rng()
    images = rng.normal(size=(4, 1, 30)) + 2 * rng.normal(size=(1, 5, 30))
    images += 0.1 * rng.normal(size=(4, 5, 30))
    differences = list_differences(images)
    truth = np.abs(differences).mean()
    mean = compare_prompts(images)
    if math.isclose(mean, truth, rel_tol=1e-6):
        return
    signed = differences.mean()
    per_pair = differences.reshape(len(differences), -1).mean(1)
    for wrong in (0, signed, -signed, abs(signed), np.abs(per_pair).mean()):
        if is_close(mean, wrong):
            raise Mistake(
                "differences up and down cancel out; take their absolute "
                "values first, then the mean."
            )
    name_mistake(mean, list_difference_mistakes(images))
    raise Mistake(f"it should be {truth:.4f}, and you have {mean:.4f}.")


def list_difference_mistakes(
    images: Float[np.ndarray, "prompts noises values"],
) -> Mistakes:
    """List wrong mean differences with the mistakes behind them."""
    differences = list_differences(images)
    truth = np.abs(differences).mean()
    return [
        (
            np.abs(list_differences(images.swapaxes(0, 1))).mean(),
            "that is what changes with the noise; prompts are the first axis.",
        ),
        (
            truth * 3 / 4,
            "you compare each prompt with itself as well, which differs by "
            "nothing.",
        ),
        (
            np.square(differences).mean(),
            "you take squares; absolute differences are asked for.",
        ),
        (
            truth * len(differences),
            "you add up the pairs; take their mean.",
        ),
        (
            truth * images.shape[2],
            "you add up the values of a picture; take their mean.",
        ),
    ]


def list_differences(
    array: Float[np.ndarray, "num rows values"],
) -> Float[np.ndarray, "pairs rows values"]:
    """Return the differences of all pairs along the first axis."""
    pairs = combinations(range(len(array)), 2)
    return np.stack([array[a] - array[b] for a, b in pairs])


@tells_mistakes
def check_expect_images(expect_images: Callable[[int], float]) -> None:
    """Check a function that solves the coupon collector's problem.

    Taught in notebooks/07_corgi.ipynb.
    """
    for num in (4, 1, 7):
        truth = sum(num / missing for missing in range(1, num + 1))
        try:
            mean = expect_images(num)
        except ZeroDivisionError:
            raise Mistake(
                "you divide by 0; from 1 to `num_ways` ways are missing, and "
                "`range(num_ways)` begins at 0."
            ) from None
        if math.isclose(mean, truth, rel_tol=1e-9):
            continue
        name_mistake(mean, list_waiting_mistakes(num, truth))
        raise Mistake(
            f"for {num} ways it is {truth:.2f} pictures, not {mean:.2f}."
        )


def list_waiting_mistakes(num: int, truth: float) -> Mistakes:
    """List wrong waits for all ways with the mistakes behind them."""
    return [
        (
            num,
            "so few only suffice if no way ever comes twice; late on, most "
            "pictures show a way that was seen before.",
        ),
        (
            truth / num,
            "the wait for one of k missing ways is n/k pictures, and not 1/k.",
        ),
        (
            (num + 1) / 2,
            "the wait for one of k missing ways is n/k pictures, and not k/n.",
        ),
        (truth - 1, "the first picture counts as well."),
        (
            truth - num,
            "the wait for the last way counts as well, and is the longest.",
        ),
    ]
