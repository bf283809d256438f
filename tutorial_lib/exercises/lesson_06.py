"""Checks of the exercises in lesson 06: places, intervals, luck."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from tutorial_lib.evaluation import bootstrap_interval
from tutorial_lib.exercises.checking import Mistake, read_pair, tells_mistakes


@tells_mistakes
def check_find_place(find_place) -> None:
    """Check a function that finds the truth's place among references.

    Taught in notebooks/06_t_shirt.ipynb.
    """
    found, rounds = [], []
    for _ in range(20):
        vector = torch.randn(16, dtype=torch.float64)
        scales = 10 ** torch.empty(30, 1).uniform_(-1, 1).double()
        references = (torch.randn(30, 16).double() + 0.5 * vector) * scales
        found.append(find_place(vector, references))
        rounds.append((vector, references))
    truth = [place_by_cosine(*each) for each in rounds]
    if found == truth:
        return
    for sentence, rule in WRONG_PLACES.items():
        if found == [rule(*each) for each in rounds]:
            raise Mistake(sentence)
    pairs = zip(truth, found, strict=True)
    place, yours = next(each for each in pairs if each[0] != each[1])
    raise Mistake(f"the truth is in place {place}, and you say {yours}.")


def find_rank(scores: Tensor) -> int:
    """Return the place, from 1, of the first score."""
    return 1 + int((scores > scores[0]).sum())


def place_by_cosine(
    vector: Tensor, references: Tensor, sign: float = 1.0
) -> int:
    """Return the place, from 1, of references[0] by cosine."""
    cosines = functional.cosine_similarity(references, vector[None])
    return find_rank(sign * cosines)


WRONG_PLACES = {
    "places begin at 1, and yours at 0.":
        lambda v, r: place_by_cosine(v, r) - 1,
    "the truth counts itself as well: only those count that are *more* "
    "similar.": lambda v, r: place_by_cosine(v, r) + 1,
    "you count the less similar ones; the first place has none that is more "
    "similar.": lambda v, r: place_by_cosine(v, r, sign=-1),
    "long references win with you; compare by cosine, that is divide by the "
    "vectors' lengths.": lambda v, r: find_rank(r @ v),
    "you compare by distance, which depends on the vectors' lengths; compare "
    "by cosine.": lambda v, r: find_rank(-(r - v).norm(dim=1)),
}  # fmt: skip


@tells_mistakes
def check_find_interval(find_interval) -> None:
    """Check a function that finds a bootstrap interval of a share.

    Taught in notebooks/06_t_shirt.ipynb.
    """
    for num in (1000, 12, 40):
        hits = [i < num // 4 for i in range(num)]
        low, high = read_pair(find_interval(hits))
        if high > 1:
            raise Mistake(
                "a share is at most 1; take the mean of each draw, not the "
                "sum."
            )
        if high - low < 1e-9:
            raise Mistake(
                "your interval has no width; draw with replacement, so that "
                "some pictures come twice and others not at all."
            )
        truth = bootstrap_interval(hits)
        if num == 1000:
            name_wrong_level(low, high, hits)
        tolerance = max(1.6 / num, 0.006)  # for chance
        if max(abs(low - truth[0]), abs(high - truth[1])) > tolerance:
            raise Mistake(
                f"for {num // 4} hits of {num} the interval is about "
                f"{truth[0]:.2f} to {truth[1]:.2f}, and yours {low:.2f} to "
                f"{high:.2f}."
            )


def name_wrong_level(low: float, high: float, hits: list[bool]) -> None:
    """Raise Mistake unless the ends are about as far apart as those of 95 %.

    There have to be enough hits and misses to tell it from 90 %.
    """
    if high < 0.95 * sum(hits) / len(hits):
        raise Mistake(
            "both ends are too low: `percentile` wants 2.5 and 97.5, "
            "`quantile` 0.025 and 0.975."
        )
    truth, less = (
        ends[1] - ends[0]
        for ends in (bootstrap_interval(hits, level=e) for e in (0.95, 0.9))
    )
    width = high - low
    if width < 0.77 * truth:
        raise Mistake(
            "your interval is too narrow; draw only as many as there are, "
            "and keep the middle 95 % of the means."
        )
    if abs(width - less) < abs(width - truth):
        raise Mistake("that holds 90 %; take the middle 95 %.")
    if width > 1.15 * truth:
        raise Mistake(
            "your interval is too wide; draw as many as there are, take the "
            "mean of each draw, and keep the middle 95 % of the means."
        )


@tells_mistakes
def check_find_luck(find_luck) -> None:
    """Check a function that says how likely so many hits are by chance.

    Taught in notebooks/06_t_shirt.ipynb.
    """
    for case in ((2, 5, 0.3), (1, 10, 0.1), (3, 18, 0.01), (0, 5, 0.3)):
        hits, num, guess = case
        truth, found = sum(list_chances(*case)[hits:]), find_luck(*case)
        if math.isclose(found, truth, rel_tol=1e-6):
            continue
        for sentence, rule in WRONG_LUCK.items():
            if math.isclose(found, rule(*case), rel_tol=1e-6):
                raise Mistake(sentence.format(hits=hits, num=num))
        raise Mistake(f"for {hits} of {num} it is {truth:.6f}, not {found}.")


def list_chances(hits: int, num: int, guess: float) -> list[float]:
    """Return the chances of exactly 0, 1 ... num hits."""
    return [
        math.comb(num, k) * guess**k * (1 - guess) ** (num - k)
        for k in range(num + 1)
    ]


def list_single_ways(hits: int, num: int, guess: float) -> list[float]:
    """Return the chances that the first 0, 1 ... num hit, and no others."""
    return [guess**k * (1 - guess) ** (num - k) for k in range(num + 1)]


WRONG_LUCK = {
    "that is the chance of exactly {hits}; at least {hits} is asked for.":
        lambda h, n, g: list_chances(h, n, g)[h],
    "{hits} hits count as well; you begin one later.":
        lambda h, n, g: sum(list_chances(h, n, g)[h + 1:]),
    "{num} hits count as well; `range` ends before its second number.":
        lambda h, n, g: sum(list_chances(h, n, g)[h:n]),
    "that is the chance of {hits} at most; at least {hits} is asked for.":
        lambda h, n, g: sum(list_chances(h, n, g)[:h + 1]),
    "that is the chance of fewer than {hits}; at least {hits} is asked for.":
        lambda h, n, g: sum(list_chances(h, n, g)[:h]),
    "that is the share of hits; how likely is it by guessing?":
        lambda h, n, g: h / n,
    "that is the chance that the first ones hit; any of the pictures may be "
    "the ones, so count the ways (math.comb).": lambda h, n, g: g**h,
    "that is the chance that the first ones hit, and no others; any of the "
    "pictures may be the ones, so count the ways (math.comb).":
        lambda h, n, g: list_single_ways(h, n, g)[h],
    "each number of hits can come about in several ways; count them "
    "(math.comb).": lambda h, n, g: sum(list_single_ways(h, n, g)[h:]),
}  # fmt: skip
