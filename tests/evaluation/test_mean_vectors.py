"""The mean of a few vectors: the more there are, the less it depends on it."""

import pytest
import torch

from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation import measure_drift


def draw(num=40, noise=1.0):
    """Return vectors about one direction."""
    generator = torch.Generator().manual_seed(0)
    return torch.ones(16) + noise * torch.randn(num, 16, generator=generator)


def test_the_mean_of_more_vectors_lies_nearer_to_that_of_the_others():
    distances = measure_drift(draw(), [1, 4, 16])
    assert distances.shape == (3, 200)
    one, four, many = distances.mean(1)
    assert one > 2.5 * four > 2.5 * many > 0


def test_equal_vectors_have_the_same_mean_however_many():
    assert abs(measure_drift(draw(noise=0), [1, 8])).max() < 1e-6


def test_the_distance_is_one_minus_the_cosine_of_the_two_means():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    distances = measure_drift(vectors, [1, 2], rounds=30)
    # Alone, the first is at a right angle to the others; one of the others
    # is at 45 degrees to the mean of the rest.
    near = round(1 - 0.5**0.5, 4)
    for row in distances:
        assert set(row.round(4)) == {1.0, near}


@pytest.mark.parametrize("counts", [[0], [1, 40], [41]])
def test_counts_that_leave_nothing_to_compare_are_refused(counts):
    with pytest.raises(TutorialError, match="from 1 to 39 for 40 vectors"):
        measure_drift(draw(), counts)
