"""How much the mean vector of a few images still depends on which they are."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tutorial_lib.arguments import read_seed, read_whole_number
from tutorial_lib.errors import TutorialError


def measure_drift(
    vectors: Float[Tensor, "images width"],
    counts: Sequence[int],
    rounds: int = 200,
    seed: int = 0,
) -> Float[np.ndarray, "counts rounds"]:
    """Return how far the mean of a few vectors lies from that of the others.

    For each of `counts`, so many vectors are drawn, `rounds` times, without
    replacement. The distance is 1 minus the cosine of their mean with the
    mean of those that were not drawn. The loss of similarity sees images
    only through that mean. Raises TutorialError for a count that leaves no
    others. Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    rounds = read_whole_number(rounds, "rounds", 1)
    rng = np.random.default_rng(read_seed(seed))
    if not 0 < min(counts) <= max(counts) < len(vectors):
        raise TutorialError(
            f"`counts` are from 1 to {len(vectors) - 1} for {len(vectors)} "
            "vectors: some have to be left to compare with."
        )
    total = vectors.sum(0)
    distances = np.zeros((len(counts), rounds))
    for i, count in enumerate(counts):
        for j in range(rounds):
            chosen = torch.from_numpy(rng.permutation(len(vectors))[:count])
            few = vectors[chosen].sum(0)
            cosine = functional.cosine_similarity(few, total - few, dim=0)
            distances[i, j] = 1 - float(cosine)
    return distances
