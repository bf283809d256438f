"""Lesson 07: typical wrong answers get a message that names the mistake."""

import math
from itertools import combinations

import numpy as np
import pytest

from tutorial_lib.exercises import lesson_07 as lesson


def get_shares(counts):
    """Return the shares of all ways that occur."""
    return [count / sum(counts) for count in counts if count]


def forget_the_sign(counts):
    """Return a negative entropy."""
    return sum(p * math.log2(p) for p in get_shares(counts))


def count_in_nats(counts):
    """Take the natural logarithm."""
    return -sum(p * math.log(p) for p in get_shares(counts))


def count_in_tens(counts):
    """Take the decimal logarithm."""
    return -sum(p * math.log10(p) for p in get_shares(counts))


def forget_the_factor(counts):
    """Add up mere logarithms."""
    return -sum(math.log2(p) for p in get_shares(counts))


def take_the_mean(counts):
    """Take the mean for the sum."""
    return -np.mean([p * math.log2(p) for p in get_shares(counts)])


def keep_zeros(counts):
    """Take the logarithm of zero."""
    shares = [count / sum(counts) for count in counts]
    return -sum(p * math.log2(p) for p in shares)


def forget_to_divide(counts):
    """Use counts as if they were shares."""
    return -sum(c * math.log2(c) for c in counts if c)


def compare_noise(images):
    """Compare along the wrong axis."""
    num = images.shape[1]
    return np.mean(
        [
            np.abs(images[:, a] - images[:, b]).mean()
            for a in range(num)
            for b in range(a)
        ]
    )


def compare_with_itself(images):
    """Count pairs of equal prompts too."""
    return np.abs(images[:, None] - images[None]).mean()


def forget_absolute(images):
    """Let differences cancel out."""
    return (images[:, None] - images[None]).mean()


def list_pairs(images):
    """Return the differences of all pairs of prompts."""
    return [a - b for a, b in combinations(images, 2)]


def find_with(
    dtype=int, absolute=np.abs, reduce=np.max, add=1, order=(0, 1, 2, 3)
):
    """Return an answer that finds the box, rightly or with a mistake."""

    def answer(image, other, limit):
        """Return left, top, right and bottom of what changed."""
        difference = absolute(image.astype(dtype) - other.astype(dtype))
        y, x = (reduce(difference, axis=2) > limit).nonzero()
        box = x.min(), y.min(), x.max() + add, y.max() + add
        return tuple(int(box[i]) for i in order)

    return answer


def to_size(left, top, right, bottom):
    """Return width and height for right and bottom."""
    return left, top, right - left, bottom - top


CHANGED = lesson.check_find_changed
WRONG = [
    (lesson.check_measure_entropy, forget_the_sign, "the sign"),
    (lesson.check_measure_entropy, count_in_nats, "in nats"),
    (lesson.check_measure_entropy, keep_zeros, "counts of 0"),
    (lesson.check_measure_entropy, forget_to_divide, "by their sum"),
    (lesson.check_measure_entropy, count_in_tens, "the base of 10"),
    (lesson.check_measure_entropy, forget_the_factor, "counts p times"),
    (lesson.check_measure_entropy, take_the_mean, "you take the mean"),
    (lesson.check_measure_entropy, lambda counts: None, "returns nothing"),
    (lesson.check_compare_prompts, compare_noise, "first axis"),
    (lesson.check_compare_prompts, compare_with_itself, "with itself"),
    (lesson.check_compare_prompts, forget_absolute, "absolute"),
    (
        lesson.check_compare_prompts,
        lambda p: np.mean(list_pairs(p)),
        "cancel out",
    ),
    (
        lesson.check_compare_prompts,
        lambda p: -np.mean(list_pairs(p)),
        "cancel out",
    ),
    (
        lesson.check_compare_prompts,
        lambda p: np.mean([abs(d.mean()) for d in list_pairs(p)]),
        "cancel out",
    ),
    (
        lesson.check_compare_prompts,
        lambda p: np.mean(np.square(list_pairs(p))),
        "you take squares",
    ),
    (
        lesson.check_compare_prompts,
        lambda p: sum(np.abs(d).mean() for d in list_pairs(p)),
        "up the pairs",
    ),
    (
        lesson.check_compare_prompts,
        lambda p: np.abs(list_pairs(p)).sum(2).mean(),
        "up the values",
    ),
    (CHANGED, find_with(), "Right."),
    (CHANGED, lambda *g: np.array(find_with()(*g)), "Right."),
    (CHANGED, find_with(add=0), "just *behind* the last pixel"),
    (CHANGED, find_with(order=(1, 0, 3, 2)), "`nonzero` gives the rows first"),
    (CHANGED, lambda *g: to_size(*find_with()(*g)), "width and height"),
    (CHANGED, find_with(dtype=np.uint8), "3 - 5 is 254"),
    (
        CHANGED,
        lambda a, b, limit: find_with(dtype=np.uint8)(b, a, limit),
        "3 - 5 is 254",
    ),
    (CHANGED, find_with(absolute=lambda d: d), "in the first picture"),
    (CHANGED, find_with(absolute=np.negative), "in the second picture"),
    (CHANGED, find_with(reduce=np.mean), "average the channels"),
    (CHANGED, find_with(reduce=np.min), "all channels to differ"),
    (CHANGED, lambda a, b, limit: find_with()(a, b, 0), "do not count"),
    (CHANGED, lambda a, b, limit: find_with()(b, a, limit), "Right."),
    (CHANGED, lambda a, b, limit: (0, 0, 9, 9), "and yours is"),
    (CHANGED, lambda a, b, limit: 7, "four numbers are wanted"),
    (CHANGED, lambda a, b, limit: (7, 7), "four numbers are wanted"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
