"""How sure we may be: shares, differences, and their 95 % intervals."""

import numpy as np

# --- how sure we may be ----------------------------------------------------


def bootstrap_interval(
    hits: list[bool],
    clusters: list | None = None,
    level: float = 0.95,
    rounds: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval (low, high) of a share, by the bootstrap.

    Whole clusters are drawn with replacement, `rounds` times, and the
    middle `level` of the shares is kept (Efron, 1979). `clusters` says
    which concept each picture belongs to: pictures of one concept are
    not independent of each other. With a single concept, pictures are
    drawn instead. Where all hits are alike the bootstrap sees no spread;
    the exact binomial bound (Clopper and Pearson, 1934) on the number of
    clusters stands in.
    """
    values, index = _group(hits, clusters)
    num = index.max() + 1
    if values.min() == values.max():
        bound = float(((1 - level) / 2) ** (1 / num))
        return (bound, 1.0) if values[0] else (0.0, 1 - bound)
    return _resample(values, index, level, rounds, seed)


def estimate_share(
    hits: list[bool], clusters: list | None = None
) -> dict[str, float]:
    """Return a share, or a mean, with its 95 % interval.

    `hits` and `clusters` as in `bootstrap_interval`. The dict holds
    `value`, `low`, `high`.
    """
    low, high = bootstrap_interval(hits, clusters=clusters)
    return {"value": float(np.mean(hits)), "low": low, "high": high}


def paired_interval(
    hits: list[bool],
    others: list[bool],
    clusters: list | None = None,
    level: float = 0.95,
    rounds: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval (low, high) of a difference between two shares.

    `hits[i]` and `others[i]` belong to the same concept, prompt and noise,
    so whatever makes a concept hard is hard for both, and the difference
    is steadier than either share. Clusters as in `bootstrap_interval`.
    Where the difference is the same for every cluster, the exact bound
    stands in again, to both sides.
    """
    if len(hits) != len(others):
        raise ValueError(
            f"{len(hits)} pictures cannot be paired with {len(others)}: "
            "draw as many for both rows."
        )
    apart = np.asarray(hits, dtype=float) - np.asarray(others, dtype=float)
    values, index = _group(apart, clusters)
    means = np.bincount(index, weights=values) / np.bincount(index)
    if np.ptp(means) == 0:
        reach = 1 - float(((1 - level) / 2) ** (1 / len(means)))
        return max(-1.0, means[0] - reach), min(1.0, means[0] + reach)
    return _resample(values, index, level, rounds, seed)


def _group(values, clusters) -> tuple[np.ndarray, np.ndarray]:
    """Return the values, and for each the number of its cluster."""
    values = np.asarray(values, dtype=float)
    if not len(values):
        raise ValueError("There are no pictures to take an interval of.")
    if clusters is None or len(set(clusters)) == 1:
        clusters = range(len(values))
    _, index = np.unique(np.asarray(list(clusters)), return_inverse=True)
    return values, index


def _resample(
    values: np.ndarray, index: np.ndarray, level: float, rounds: int, seed: int
) -> tuple[float, float]:
    """Return the middle `level` of the means of resampled clusters."""
    num = index.max() + 1
    sums = np.bincount(index, weights=values)
    sizes = np.bincount(index)
    chosen = np.random.default_rng(seed).integers(num, size=(rounds, num))
    means = sums[chosen].sum(1) / sizes[chosen].sum(1)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)
