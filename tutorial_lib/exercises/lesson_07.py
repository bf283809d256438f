"""Checks of the exercises of lesson 07: variety, noise, and where X is."""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from tutorial_lib.exercises.checking import (
    Mistake,
    Mistakes,
    is_close,
    name_mistake,
    tells_mistakes,
)

Pixels = UInt8[np.ndarray, "h w 3"]
Box = tuple[int, int, int, int]  # left, top, right, bottom
FindChanged = Callable[[Pixels, Pixels, float], Box]


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
def check_find_changed(find_changed: FindChanged) -> None:
    """Check a function that finds where two pictures differ.

    `find_changed(image, other, limit)` is to return left, top, right and
    bottom of the smallest box that holds every pixel of which some channel
    differs by more than `limit`; right and bottom lie just behind it. Taught
    in notebooks/07_corgi.ipynb.
    """
    for limit in (30, 60):
        image, other = make_changed_pair()
        answer = find_changed(image, other, limit)
        try:
            left, top, right, bottom = (int(edge) for edge in answer)
        except (TypeError, ValueError):
            raise Mistake(
                "four numbers are wanted: left, top, right, bottom."
            ) from None
        box, difference = (left, top, right, bottom), subtract(image, other)
        truth = find_box(np.abs(difference).max(2) > limit)
        if box == truth:
            continue
        for wrong, sentence in list_box_mistakes(image, other, limit):
            if box == wrong:
                raise Mistake(sentence)
        raise Mistake(f"the box is {truth}, and yours is {box}.")


def make_changed_pair() -> tuple[Pixels, Pixels]:
    """Return two pictures, nearly the same outside of some box.

    On its edges one channel alone differs, in some pixels up, in some down;
    within it two do, or all three.
    """
    rng = np.random.default_rng()
    image = rng.integers(80, 120, (40, 50, 3))
    other = image + rng.integers(-5, 6, image.shape)
    other[:, :2], other[:, -2:] = image[:, :2] - 3, image[:, -2:] + 3
    top, left = rng.integers(3, 12, 2)
    bottom, right = rng.integers(25, 36, 2)
    for row, column, change in (
        (top, left + 4, 70),
        (bottom, left + 5, -70),
        (top + 4, left, 70),
        (top + 5, right, -70),
    ):
        other[row, column, rng.integers(3)] += change
    other[top + 3 : top + 6, left + 3 : left + 9] += 100
    other[top + 8 : top + 10, left + 3 : left + 12, :2] += 100
    return image.astype(np.uint8), other.clip(0, 255).astype(np.uint8)


def subtract(image: Pixels, other: Pixels) -> Int[np.ndarray, "h w 3"]:
    """Return the signed differences of two pictures."""
    return image.astype(int) - other.astype(int)


def find_box(changed: Bool[np.ndarray, "h w"]) -> Box:
    """Return the smallest box that holds the pixels that changed."""
    rows, columns = changed.nonzero()
    return (
        int(columns.min()),
        int(rows.min()),
        int(columns.max()) + 1,
        int(rows.max()) + 1,
    )


def list_box_mistakes(
    image: Pixels, other: Pixels, limit: float
) -> list[tuple[Box, str]]:
    """List wrong boxes with the mistakes behind them."""
    size = np.abs(subtract(image, other))
    left, top, right, bottom = find_box(size.max(2) > limit)
    return list_difference_boxes(image, other, limit) + [
        (
            (left, top, right - 1, bottom - 1),
            "right and bottom lie just *behind* the last pixel that changed, "
            "as `image.crop` wants them; add 1.",
        ),
        (
            (top, left, bottom, right),
            "left and top are swapped, for `nonzero` gives the rows first.",
        ),
        (
            (left, top, right - left, bottom - top),
            "those are width and height; right and bottom are wanted.",
        ),
    ]


def list_difference_boxes(
    image: Pixels, other: Pixels, limit: float
) -> list[tuple[Box, str]]:
    """List boxes of wrong differences with the mistakes behind them."""
    difference = subtract(image, other)
    size = np.abs(difference)
    wraps = "pixels are uint8, where 3 - 5 is 254; turn them into `int` or "
    wraps += "`float` before you subtract."
    return [
        (find_box((image - other).max(2) > limit), wraps),
        (find_box((other - image).max(2) > limit), wraps),
        (
            find_box(difference.max(2) > limit),
            "you see only what is larger in the first picture; take the "
            "absolute value.",
        ),
        (
            find_box((-difference).max(2) > limit),
            "you see only what is larger in the second picture; take the "
            "absolute value.",
        ),
        (
            find_box(size.mean(2) > limit),
            "you average the channels; one that differs is enough.",
        ),
        (
            find_box(size.min(2) > limit),
            "you want all channels to differ; one is enough.",
        ),
        (
            find_box(size.max(2) > 0),
            "small differences do not count; only those above `limit` do.",
        ),
    ]
