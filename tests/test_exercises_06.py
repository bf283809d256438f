"""Lesson 06: typical wrong answers get a message that names the mistake."""

import math

import pytest
import torch
from torch.nn import functional

from tutorial_lib.exercises import t_shirt


def cosines(vector, references):
    """Return the cosines of a vector with each reference."""
    return functional.cosine_similarity(references, vector[None])


def count_from_zero(vector, references):
    """Be one too small."""
    found = cosines(vector, references)
    return int((found > found[0]).sum())


def forget_lengths(vector, references):
    """Compare by the dot product."""
    found = references @ vector
    return 1 + int((found > found[0]).sum())


def count_from_the_end(vector, references):
    """Count the less similar ones."""
    found = cosines(vector, references)
    return 1 + int((found < found[0]).sum())


def resample(hits, replacement=True, count=2000):
    """Return the sorted shares of samples drawn from hits."""
    values, num = torch.tensor(hits).double(), len(hits)
    if replacement:
        chosen = torch.randint(num, (count, num))
    else:
        chosen = torch.rand(count, num).argsort(1)
    return values[chosen].mean(1).sort().values


def take_all(hits):
    """Keep the outermost shares too."""
    return resample(hits)[0].item(), resample(hits)[-1].item()


def draw_without_replacement(hits):
    """Only change the order."""
    shares = resample(hits, replacement=False)
    return shares[50].item(), shares[-50].item()


def swap_ends(hits):
    """Give the upper end first."""
    shares = resample(hits)
    return shares[-50].item(), shares[50].item()


def terms(hits, num, guess):
    """Return the chances of exactly `hits`, one more ... `num` hits."""
    return [
        math.comb(num, k) * guess**k * (1 - guess) ** (num - k)
        for k in range(hits, num + 1)
    ]


WRONG = [
    (t_shirt.check_find_place, count_from_zero, "begin at 1"),
    (t_shirt.check_find_place, forget_lengths, "by cosine"),
    (t_shirt.check_find_place, count_from_the_end, "less similar"),
    (t_shirt.check_find_interval, take_all, "too wide"),
    (t_shirt.check_find_interval, draw_without_replacement, "no width"),
    (t_shirt.check_find_interval, swap_ends, "comes first"),
    (t_shirt.check_find_interval, lambda hits: 0.5, "two numbers"),
    (t_shirt.check_find_luck, lambda *a: terms(*a)[0], "exactly"),
    (t_shirt.check_find_luck, lambda *a: sum(terms(*a)[1:]), "one later"),
    (t_shirt.check_find_luck, lambda h, n, g: g**h, "math.comb"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
