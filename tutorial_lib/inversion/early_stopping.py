"""Early stopping: ending a run that gains nothing any more."""

from collections.abc import Sequence

PATIENCE = 4  # evaluations without a gain
MIN_DELTA = 0.02  # of all that was gained so far; less does not count


def should_stop_early(
    evaluations: Sequence[float],
    patience: int = PATIENCE,
    min_delta: float = MIN_DELTA,
) -> bool:
    """Return whether the last evaluations brought next to nothing.

    `evaluations` are losses on a fixed batch, the first of them from before
    learning. A fresh batch would not do: its loss jumps about far more than
    learning lowers it (DVAR, Voronov et al., 2023). This asks whether the
    last `patience` evaluations make up less than `min_delta` of all progress
    so far. Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """
    if len(evaluations) <= patience:
        return False
    before = min(evaluations[:-patience])
    best = min(evaluations)
    return before - best <= min_delta * (evaluations[0] - best)
