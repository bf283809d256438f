"""Shares and differences of shares, with their 95 % intervals."""

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from tutorial_lib.arguments import read_seed, read_whole_number
from tutorial_lib.errors import TutorialError

Share = dict[str, float]  # its `value`, and its interval from `low` to `high`


def bootstrap_interval(
    hits: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    rounds: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the bootstrap interval (low, high) of a share.

    Whole clusters are sampled with replacement, `rounds` times, and the
    middle `level` of the shares is kept (Efron, 1979, Bootstrap Methods).
    `clusters` says which concept each image belongs to: images of one
    concept are not independent of each other. With a single concept, images
    are sampled instead. If all hits are 0, or all 1, the bootstrap sees no
    spread; then the exact binomial bound (Clopper and Pearson, 1934) on the
    number of clusters takes its place. Raises TutorialError without any hits.
    """
    values, index = _number_clusters(hits, clusters)
    num_clusters = index.max() + 1
    if values.min() == values.max() and values[0] in (0, 1):
        bound = float(((1 - level) / 2) ** (1 / num_clusters))
        return (bound, 1.0) if values[0] else (0.0, 1 - bound)
    return _resample(values, index, level, rounds, seed)


def estimate_share(
    hits: Sequence[float], clusters: Sequence[Hashable] | None = None
) -> Share:
    """Return a share, or a mean, with its 95 % interval.

    `hits` and `clusters` are those of `bootstrap_interval`.
    """
    low, high = bootstrap_interval(hits, clusters=clusters)
    return {"value": float(np.mean(hits)), "low": low, "high": high}


def estimate_mean(
    cosines: Sequence[float], clusters: Sequence[Hashable] | None = None
) -> Share:
    """Return a mean of cosines, -1 to 1, with its 95 % interval.

    `clusters` are those of `bootstrap_interval`. One cosine says nothing of
    how far others would be from it: its interval is from -1 to 1. Raises
    TutorialError without any.
    """
    values, index = _number_clusters(cosines, clusters)
    low, high = (-1.0, 1.0)
    if len(values) > 1:
        low, high = _resample(values, index, level=0.95, rounds=4000, seed=0)
    return {"value": float(values.mean()), "low": low, "high": high}


def format_share(share: Share) -> str:
    """Write a share with its interval, as in "83 % (67 to 96)"."""
    value, low, high = (
        round(100 * share[key]) for key in ("value", "low", "high")
    )
    return f"{value} % ({low} to {high})"


def format_cosine(share: Share) -> str:
    """Write a cosine with its interval, and the `worst` if that is lower.

    For example "0.97 (0.96 to 0.98), worst 0.91".
    """
    value, low, high, worst = (
        f"{share[key]:.2f}" for key in ("value", "low", "high", "worst")
    )
    text = f"{value} ({low} to {high})"
    return text if worst == value else f"{text}, worst {worst}"


def paired_interval(
    hits: Sequence[float],
    others: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    rounds: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval (low, high) of the difference of two shares.

    `hits[i]` and `others[i]` belong to the same concept, prompt and noise,
    so whatever makes a concept hard is hard for both, and the difference
    is steadier than either share. `clusters` as in `bootstrap_interval`. If
    the difference is the same for every cluster, the exact bound takes the
    place of the bootstrap again, on both sides. Raises TutorialError if the
    two are not of equal length.
    """
    _check_pairs(hits, others)
    differences = np.asarray(hits, float) - np.asarray(others, float)
    values, index = _number_clusters(differences, clusters)
    means = np.bincount(index, weights=values) / np.bincount(index)
    if np.ptp(means) == 0:
        reach = 1 - float(((1 - level) / 2) ** (1 / len(means)))
        return max(-1.0, means[0] - reach), min(1.0, means[0] + reach)
    return _resample(values, index, level, rounds, seed)


def ratio_interval(
    hits: Sequence[float],
    others: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    rounds: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval (low, high) of the ratio of two shares.

    `hits` and `others` are paired as in `paired_interval`: a cluster that is
    drawn again is drawn again for both. If the ratio is always the same, the
    exact bound on a share widens it on both sides. Raises TutorialError if
    the two are not of equal length, or if all `others` are 0.
    """
    _check_pairs(hits, others)
    values, index = _number_clusters(hits, clusters)
    divisors = np.asarray(others, float)
    if not divisors.any():
        raise TutorialError("A ratio to a share of 0 says nothing.")
    chosen = _draw_clusters(index.max() + 1, rounds, seed)
    above, below = (
        np.bincount(index, weights=row)[chosen].sum(1)
        for row in (values, divisors)
    )
    ratios = above[below > 0] / below[below > 0]
    tail = (1 - level) / 2
    if np.ptp(ratios) == 0:
        bound = float(tail ** (1 / (index.max() + 1)))
        ratio = float(ratios[0])
        return ratio * bound, max(ratio / bound, 1 - bound)
    low, high = np.percentile(ratios, [100 * tail, 100 * (1 - tail)])
    return float(low), float(high)


def _check_pairs(hits: Sequence[float], others: Sequence[float]) -> None:
    """Raise TutorialError if two rows are not of equal length."""
    if len(hits) != len(others):
        raise TutorialError(
            f"{len(hits)} pictures cannot be paired with {len(others)}: "
            "generate as many for both rows."
        )


def _number_clusters(
    hits: ArrayLike, clusters: Sequence[Hashable] | None
) -> tuple[Float[np.ndarray, " images"], Int[np.ndarray, " images"]]:
    """Return the hits as an array, and the number of each one's cluster."""
    values = np.asarray(hits, dtype=float)
    if not len(values):
        raise TutorialError("There are no pictures to take an interval of.")
    if clusters is None or len(set(clusters)) == 1:
        clusters = range(len(values))
    _, index = np.unique(np.asarray(list(clusters)), return_inverse=True)
    return values, index


def _resample(
    values: Float[np.ndarray, " images"],
    index: Int[np.ndarray, " images"],
    level: float,
    rounds: int,
    seed: int,
) -> tuple[float, float]:
    """Return the middle `level` of the means of resampled clusters."""
    num_clusters = index.max() + 1
    sums = np.bincount(index, weights=values)
    sizes = np.bincount(index)
    chosen = _draw_clusters(num_clusters, rounds, seed)
    means = sums[chosen].sum(1) / sizes[chosen].sum(1)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def _draw_clusters(
    num_clusters: int, rounds: int, seed: int
) -> Int[np.ndarray, "rounds clusters"]:
    """Draw as many clusters as there are, with replacement, in each round."""
    rounds = read_whole_number(rounds, "rounds", 1)
    return np.random.default_rng(read_seed(seed)).integers(
        num_clusters, size=(rounds, num_clusters)
    )
