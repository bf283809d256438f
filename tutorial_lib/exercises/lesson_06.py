"""Checks of the exercises of lesson 06: places, intervals, luck."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tutorial_lib.evaluation import bootstrap_interval
from tutorial_lib.exercises.checking import Mistake, read_pair, tells_mistakes

Vector = Float[Tensor, " width"]
References = Float[Tensor, "num width"]


@tells_mistakes
def check_find_place(find_place: Callable[[Vector, References], int]) -> None:
    """Check a function that finds the truth's place among references.

    Taught in notebooks/06_t_shirt.ipynb.
    """
    places, rounds = [], []
    for _ in range(20):
        vector = torch.randn(16, dtype=torch.float64)
        scales = 10 ** torch.empty(30, 1).uniform_(-1, 1).double()
        references = (torch.randn(30, 16).double() + 0.5 * vector) * scales
        places.append(find_place(vector, references))
        rounds.append((vector, references))
    truth = [
        place_by_cosine(vector, references) for vector, references in rounds
    ]
    if places == truth:
        return
    for rule, sentence in WRONG_PLACES:
        if places == [rule(vector, refs) for vector, refs in rounds]:
            raise Mistake(sentence)
    right, yours = next(
        (right, yours)
        for right, yours in zip(truth, places, strict=True)
        if right != yours
    )
    raise Mistake(f"the truth is in place {right}, and you say {yours}.")


def find_rank(scores: Float[Tensor, " num"]) -> int:
    """Return the place, from 1, of the first score."""
    return 1 + int((scores > scores[0]).sum())


def place_by_cosine(
    vector: Vector, references: References, sign: float = 1.0
) -> int:
    """Return the place, from 1, of references[0] by cosine."""
    cosines = functional.cosine_similarity(references, vector[None])
    return find_rank(sign * cosines)


WRONG_PLACES: list[tuple[Callable[[Vector, References], int], str]] = [
    (
        lambda vector, refs: place_by_cosine(vector, refs) - 1,
        "places begin at 1, and yours at 0.",
    ),
    (
        lambda vector, refs: place_by_cosine(vector, refs) + 1,
        "the truth counts itself as well: only those count that are *more* "
        "similar.",
    ),
    (
        lambda vector, refs: place_by_cosine(vector, refs, sign=-1),
        "you count the less similar ones; the first place has none that is "
        "more similar.",
    ),
    (
        lambda vector, refs: find_rank(refs @ vector),
        "long references win with you; compare by cosine, that is divide by "
        "the vectors' lengths.",
    ),
    (
        lambda vector, refs: find_rank(-(refs - vector).norm(dim=1)),
        "you compare by distance, which depends on the vectors' lengths; "
        "compare by cosine.",
    ),
]


@tells_mistakes
def check_find_interval(
    find_interval: Callable[[list[bool]], tuple[float, float]],
) -> None:
    """Check a function that finds the interval of a share, as the page does.

    It is that of the bootstrap, or the exact one where all hits are alike.
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

    check_exact_bounds(find_interval)


def check_exact_bounds(
    find_interval: Callable[[list[bool]], tuple[float, float]],
) -> None:
    """Raise Mistake unless the interval is exact for all hits, and for none.

    Source: Clopper and Pearson (1934), The Use of Confidence Limits.
    """
    for num, hit in ((18, True), (18, False), (7, True)):
        hits = [hit] * num
        low, high = read_pair(find_interval(hits))
        truth = bootstrap_interval(hits)
        number = num if hit else 0
        if max(abs(low - truth[0]), abs(high - truth[1])) < 1e-3:
            continue
        if high - low < 1e-9:
            raise Mistake(
                f"for {number} hits of {num} every draw is the same, and your "
                "interval has no width; return the exact bound there."
            )
        if math.isclose(high - low, 1 - 0.05 ** (1 / num), abs_tol=1e-3):
            raise Mistake(
                "your bound leaves out 5 % on one side; the interval leaves "
                "out 2.5 % on each: 0.025."
            )
        if (hit and high < 0.99) or (not hit and low > 0.01):
            raise Mistake(
                f"for {number} hits of {num} the share is {int(hit)}, and has "
                "to lie in its interval."
            )
        raise Mistake(
            f"for {number} hits of {num} the exact interval is "
            f"{truth[0]:.3f} to {truth[1]:.3f}, and yours {low:.3f} to "
            f"{high:.3f}."
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
    truth, narrower = (
        interval[1] - interval[0]
        for interval in (
            bootstrap_interval(hits, level=level) for level in (0.95, 0.9)
        )
    )
    width = high - low
    if width < 0.77 * truth:
        raise Mistake(
            "your interval is too narrow; draw only as many as there are, "
            "and keep the middle 95 % of the means."
        )
    if abs(width - narrower) < abs(width - truth):
        raise Mistake("that holds 90 %; take the middle 95 %.")
    if width > 1.15 * truth:
        raise Mistake(
            "your interval is too wide; draw as many as there are, take the "
            "mean of each draw, and keep the middle 95 % of the means."
        )


@tells_mistakes
def check_find_luck(find_luck: Callable[[int, int, float], float]) -> None:
    """Check a function that says how likely so many hits are by chance.

    Taught in notebooks/06_t_shirt.ipynb.
    """
    for case in ((2, 5, 0.3), (1, 10, 0.1), (3, 18, 0.01), (0, 5, 0.3)):
        hits, num, guess = case
        luck, truth = find_luck(*case), sum(list_chances(num, guess)[hits:])
        if math.isclose(luck, truth, rel_tol=1e-6):
            continue
        for rule, sentence in WRONG_LUCK:
            if math.isclose(luck, rule(*case), rel_tol=1e-6):
                raise Mistake(sentence.format(hits=hits, num=num))
        raise Mistake(f"for {hits} of {num} it is {truth:.6f}, not {luck}.")


def list_chances(num: int, guess: float) -> list[float]:
    """Return the chances of exactly 0, 1 ... num hits."""
    return [
        math.comb(num, k) * guess**k * (1 - guess) ** (num - k)
        for k in range(num + 1)
    ]


def list_single_ways(num: int, guess: float) -> list[float]:
    """Return the chances that the first 0, 1 ... num hit, and no others."""
    return [guess**k * (1 - guess) ** (num - k) for k in range(num + 1)]


WRONG_LUCK: list[tuple[Callable[[int, int, float], float], str]] = [
    (
        lambda hits, num, guess: list_chances(num, guess)[hits],
        "that is the chance of exactly {hits}; at least {hits} is asked for.",
    ),
    (
        lambda hits, num, guess: sum(list_chances(num, guess)[hits + 1 :]),
        "{hits} hits count as well; you begin one later.",
    ),
    (
        lambda hits, num, guess: sum(list_chances(num, guess)[hits:num]),
        "{num} hits count as well; `range` ends before its second number.",
    ),
    (
        lambda hits, num, guess: sum(list_chances(num, guess)[: hits + 1]),
        "that is the chance of {hits} at most; at least {hits} is asked for.",
    ),
    (
        lambda hits, num, guess: sum(list_chances(num, guess)[:hits]),
        "that is the chance of fewer than {hits}; at least {hits} is asked "
        "for.",
    ),
    (
        lambda hits, num, guess: hits / num,
        "that is the share of hits; how likely is it by guessing?",
    ),
    (
        lambda hits, num, guess: guess**hits,
        "that is the chance that the first ones hit; any of the pictures may "
        "be the ones, so count the ways (math.comb).",
    ),
    (
        lambda hits, num, guess: list_single_ways(num, guess)[hits],
        "that is the chance that the first ones hit, and no others; any of "
        "the pictures may be the ones, so count the ways (math.comb).",
    ),
    (
        lambda hits, num, guess: sum(list_single_ways(num, guess)[hits:]),
        "each number of hits can come about in several ways; count them "
        "(math.comb).",
    ),
]
