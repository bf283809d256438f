"""Checks of the exercises in lesson 07: variety, words and noise."""

import math
from itertools import combinations

import numpy as np

from tutorial_lib.exercises.checking import Mistake, tells_mistakes


@tells_mistakes
def check_measure_entropy(measure_entropy) -> None:
    """Check a function that returns the entropy of counts in bits.

    Taught in notebooks/07_corgi.ipynb.
    """
    for counts in ([5, 9, 3, 15], [8, 8, 8, 8], [0, 7, 0, 7], [12, 0]):
        shares = [count / sum(counts) for count in counts if count]
        truth = -sum(p * math.log2(p) for p in shares)
        try:
            found = measure_entropy(counts)
        except (ValueError, ZeroDivisionError) as error:
            raise Mistake(
                f"{counts} cannot be done ({error}); leave out counts of 0."
            ) from None
        if math.isclose(found, truth, abs_tol=1e-9):
            continue
        if math.isclose(found, -truth, abs_tol=1e-9):
            raise Mistake("the sign is wrong: entropy is never negative.")
        if math.isclose(found, truth * math.log(2), abs_tol=1e-9):
            raise Mistake("yours is in nats; bits need the logarithm to 2.")
        if math.isnan(found):
            raise Mistake(f"{counts} gives nan; leave out counts of 0.")
        raise Mistake(
            f"{counts} has an entropy of {truth:.3f} bits, and you say "
            f"{found:.3f}; are the counts divided by their sum?"
        )


@tells_mistakes
def check_compare_prompts(compare_prompts) -> None:
    """Check a function that compares pictures of different prompts.

    Taught in notebooks/07_corgi.ipynb.
    """
    rng = np.random.default_rng()
    pictures = rng.normal(size=(4, 1, 30)) + 2 * rng.normal(size=(1, 5, 30))
    pictures += 0.1 * rng.normal(size=(4, 5, 30))

    def compare(array):
        """Compare all pairs along the first axis."""
        pairs = combinations(range(len(array)), 2)
        return np.mean([np.abs(array[a] - array[b]).mean() for a, b in pairs])

    truth, found = compare(pictures), compare_prompts(pictures)
    if math.isclose(found, truth, rel_tol=1e-6):
        return
    if math.isclose(found, compare(pictures.swapaxes(0, 1)), rel_tol=1e-6):
        raise Mistake(
            "that is what changes with the noise; prompts are the first "
            "axis."
        )
    if math.isclose(found, truth * 3 / 4, rel_tol=1e-6):
        raise Mistake(
            "you compare each prompt with itself as well, which differs by "
            "nothing."
        )
    if abs(found) < 0.2 * truth:
        raise Mistake(
            "differences up and down cancel out; take their absolute values."
        )
    raise Mistake(f"it should be {truth:.4f}, and you have {found:.4f}.")


@tells_mistakes
def check_expect_pictures(expect_pictures) -> None:
    """Check a function that solves the coupon collector's problem.

    Taught in notebooks/07_corgi.ipynb.
    """
    for num in (4, 1, 7):
        truth = sum(num / missing for missing in range(1, num + 1))
        found = expect_pictures(num)
        if math.isclose(found, truth, rel_tol=1e-9):
            continue
        if math.isclose(found, num, rel_tol=1e-9):
            raise Mistake(
                "so few only suffice if no way ever comes twice; late on, "
                "most pictures show a way that was seen before."
            )
        if math.isclose(found, truth / num, rel_tol=1e-9):
            raise Mistake(
                "the wait for one of k missing ways is n/k pictures, and not "
                "1/k."
            )
        if math.isclose(found, truth - 1, rel_tol=1e-9):
            raise Mistake("the first picture counts as well.")
        raise Mistake(
            f"for {num} ways it is {truth:.2f} pictures, not {found:.2f}."
        )
