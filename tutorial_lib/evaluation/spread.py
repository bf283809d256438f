"""Where scores differ: between concepts, or when one is learned again."""

import numpy as np
from jaxtyping import Float

from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation.statistics import Share

Scores = Float[np.ndarray, "*rounds concepts repeats"]


def split_spread(
    scores: Scores,
) -> tuple[Float[np.ndarray, "*rounds"], Float[np.ndarray, "*rounds"]]:
    """Return the standard deviation between concepts, and within them.

    A row of `scores` holds those of one concept, learned again and again.
    The variance of the rows' means contains that of learning again, divided
    by how often it was learned; it is taken off, and what is left is at
    least 0. Source: one-way analysis of variance with random effects (Searle,
    Casella and McCulloch, 1992, Variance Components, section 3.6).
    """
    repeats = scores.shape[-1]
    within = scores.var(-1, ddof=1).mean(-1)
    between = scores.mean(-1).var(-1, ddof=1) - within / repeats
    return np.sqrt(np.maximum(between, 0)), np.sqrt(within)


def estimate_spread(
    scores: Float[np.ndarray, "concepts repeats"],
    rounds: int = 4000,
    seed: int = 0,
) -> dict[str, Share]:
    """Return both standard deviations of `split_spread`, with intervals.

    They are "between" and "within"; the 95 % intervals come from the
    bootstrap over concepts. Raises TutorialError unless there are at least
    two concepts, each learned at least twice.
    """
    if scores.ndim != 2 or min(scores.shape) < 2:
        raise TutorialError(
            "A spread needs at least two concepts that were learned twice; "
            "sweep more of them."
        )
    num = len(scores)
    chosen = np.random.default_rng(seed).integers(num, size=(rounds, num))
    spread = {}
    for name, value, drawn in zip(
        ("between", "within"),
        split_spread(scores),
        split_spread(scores[chosen]),
        strict=True,
    ):
        low, high = np.percentile(drawn, [2.5, 97.5])
        spread[name] = {
            "value": float(value),
            "low": float(low),
            "high": float(high),
        }
    return spread
