"""Checks of the exercises in lesson 06: places, intervals, luck."""

import math

import torch
from torch.nn import functional

from tutorial_lib.exercises.checking import Mistake, tells_mistakes
from tutorial_lib.judging import bootstrap_interval


@tells_mistakes
def check_find_place(find_place) -> None:
    """Check a function that finds the truth's place among references.

    Taught in notebooks/06_t_shirt.ipynb.
    """
    for _ in range(20):
        vector = torch.randn(16, dtype=torch.float64)
        scales = 10 ** torch.empty(30, 1).uniform_(-1, 1).double()
        references = (torch.randn(30, 16).double() + 0.5 * vector) * scales
        place = find_place(vector, references)
        cosines = functional.cosine_similarity(references, vector[None])
        truth = 1 + int((cosines > cosines[0]).sum())
        if place == truth:
            continue
        dots = references @ vector
        if place == 1 + int((dots > dots[0]).sum()):
            raise Mistake(
                "long references win with you; compare by cosine, that is "
                "divide by the vectors' lengths."
            )
        if place == truth - 1:
            raise Mistake("places begin at 1, and yours at 0.")
        if place == 1 + int((cosines < cosines[0]).sum()):
            raise Mistake(
                "you count the less similar ones; the first place has none "
                "that is more similar."
            )
        raise Mistake(f"the truth is in place {truth}, and you say {place}.")


@tells_mistakes
def check_find_interval(find_interval) -> None:
    """Check a function that finds a bootstrap interval of a share.

    Taught in notebooks/06_t_shirt.ipynb.
    """
    for num in (12, 40, 100):
        hits = [i < num // 4 for i in range(num)]
        found = find_interval(hits)
        if not isinstance(found, tuple) or len(found) != 2:
            raise Mistake(f"two numbers are wanted, (low, high), not {found}.")
        low, high = found
        if low > high:
            raise Mistake("the lower end comes first.")
        if abs(high - low) < 1e-9:
            raise Mistake(
                "your interval has no width; draw with replacement, so "
                "that some pictures come twice and others not at all."
            )
        truth = bootstrap_interval(hits)
        if low == 0 and high > 0.6 or high - low > 1.6 * (truth[1] - truth[0]):
            raise Mistake(
                "your interval is too wide; it is the middle 95 % of the "
                "shares, not all of them, and each share is a mean."
            )
        step = 1.6 / num  # of one picture, and chance
        if max(abs(low - truth[0]), abs(high - truth[1])) > step:
            raise Mistake(
                f"for {num // 4} hits of {num} the interval is about "
                f"{truth[0]:.2f} to {truth[1]:.2f}, and yours {low:.2f} to "
                f"{high:.2f}."
            )


@tells_mistakes
def check_find_luck(find_luck) -> None:
    """Check a function that says how likely so many hits are by chance.

    Taught in notebooks/06_t_shirt.ipynb.
    """
    for hits, num, guess in ((1, 10, 0.1), (3, 18, 0.01), (0, 5, 0.3)):
        exact = [
            math.comb(num, k) * guess**k * (1 - guess) ** (num - k)
            for k in range(num + 1)
        ]
        truth, found = sum(exact[hits:]), find_luck(hits, num, guess)
        if math.isclose(found, truth, rel_tol=1e-6):
            continue
        if math.isclose(found, exact[hits], rel_tol=1e-6):
            raise Mistake(
                f"that is the chance of exactly {hits}; at least {hits} is "
                "asked for."
            )
        if math.isclose(found, sum(exact[hits + 1:]), rel_tol=1e-6):
            raise Mistake(f"{hits} hits count as well; you begin one later.")
        if math.isclose(found, guess**hits, rel_tol=1e-6):
            raise Mistake(
                "that is the chance that the first ones hit; any of the "
                "pictures may be the ones, so count the ways (math.comb)."
            )
        raise Mistake(f"for {hits} of {num} it is {truth:.6f}, not {found}.")
