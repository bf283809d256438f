"""Lesson 07: typical wrong answers get a message that names the mistake."""

import math

import numpy as np
import pytest

from tutorial_lib.exercises import corgi


def forget_the_sign(counts):
    """Return a negative entropy."""
    shares = [count / sum(counts) for count in counts if count]
    return sum(p * math.log2(p) for p in shares)


def count_in_nats(counts):
    """Take the natural logarithm."""
    shares = [count / sum(counts) for count in counts if count]
    return -sum(p * math.log(p) for p in shares)


def keep_zeros(counts):
    """Take the logarithm of zero."""
    shares = [count / sum(counts) for count in counts]
    return -sum(p * math.log2(p) for p in shares)


def forget_to_divide(counts):
    """Use counts as if they were shares."""
    return -sum(c * math.log2(c) for c in counts if c)


def compare_noise(pictures):
    """Compare along the wrong axis."""
    num = pictures.shape[1]
    return np.mean([
        np.abs(pictures[:, a] - pictures[:, b]).mean()
        for a in range(num) for b in range(a)
    ])  # fmt: skip


def compare_with_itself(pictures):
    """Count pairs of equal prompts too."""
    return np.abs(pictures[:, None] - pictures[None]).mean()


def forget_absolute(pictures):
    """Let differences cancel out."""
    return (pictures[:, None] - pictures[None]).mean()


WRONG = [
    (corgi.check_measure_entropy, forget_the_sign, "the sign"),
    (corgi.check_measure_entropy, count_in_nats, "in nats"),
    (corgi.check_measure_entropy, keep_zeros, "counts of 0"),
    (corgi.check_measure_entropy, forget_to_divide, "by their sum"),
    (corgi.check_compare_prompts, compare_noise, "first axis"),
    (corgi.check_compare_prompts, compare_with_itself, "with itself"),
    (corgi.check_compare_prompts, forget_absolute, "absolute"),
    (corgi.check_expect_pictures, lambda n: n, "comes twice"),
    (corgi.check_expect_pictures,
     lambda n: sum(1 / k for k in range(1, n + 1)), "n/k"),
    (corgi.check_expect_pictures,
     lambda n: sum(n / k for k in range(1, n)), "the first picture"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
