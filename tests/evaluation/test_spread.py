"""Where scores differ: what is between concepts, and what is within them."""

import numpy as np
import pytest

from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation.spread import estimate_spread, split_spread


def draw(between, within, num=400, repeats=2):
    """Return scores of concepts with these standard deviations."""
    rng = np.random.default_rng(1)
    concepts = rng.normal(0.5, between, (num, 1))
    return concepts + rng.normal(0, within, (num, repeats))


@pytest.mark.parametrize(
    ("between", "within"), [(0.2, 0.05), (0.05, 0.1), (0.1, 0.0), (0.0, 0.1)]
)
def test_both_parts_are_recovered(between, within):
    measured = split_spread(draw(between, within))
    assert measured == pytest.approx((between, within), abs=0.03)


def test_the_spread_of_means_alone_would_be_too_large():
    scores = draw(0.05, 0.2)
    between, _ = split_spread(scores)
    assert between < 0.6 * scores.mean(1).std()


def test_the_intervals_hold_the_values_and_shrink_with_more_concepts():
    widths = {}
    for num in (12, 400):
        spread = estimate_spread(draw(0.2, 0.05, num=num))
        assert set(spread) == {"between", "within"}
        for share in spread.values():
            assert share["low"] < share["value"] < share["high"]
        widths[num] = spread["between"]["high"] - spread["between"]["low"]
    assert widths[400] < widths[12] / 2


@pytest.mark.parametrize("shape", [(0,), (1, 2), (5, 1)])
def test_too_few_are_refused(shape):
    with pytest.raises(TutorialError, match="learned twice"):
        estimate_spread(np.zeros(shape))
