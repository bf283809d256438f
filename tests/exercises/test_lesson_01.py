"""Lesson 01: typical wrong answers get a message that names the mistake."""

import pytest
import torch
from torch.nn import functional

from tutorial_lib.exercises import lesson_01 as lesson


def unit(vectors, dim=-1):
    """Return the vectors at length one."""
    return functional.normalize(vectors, dim=dim)


def within(vectors):
    """Return all cosines of a set, and the number of vectors."""
    return unit(vectors) @ unit(vectors).T, len(vectors)


def count_itself(vectors):
    """Take the diagonal along."""
    return within(vectors)[0].mean()


def divide_by_all(vectors):
    """Drop the diagonal from the sum alone."""
    cosines, num = within(vectors)
    return (cosines.sum() - cosines.trace()) / num**2


def count_pairs_once(vectors):
    """Divide a sum over both orders by the number of pairs."""
    cosines, num = within(vectors)
    return (cosines.sum() - cosines.trace()) / (num * (num - 1) / 2)


def forget_lengths(vectors):
    """Average dot products."""
    dots, num = vectors @ vectors.T, len(vectors)
    return (dots.sum() - dots.trace()) / (num * (num - 1))


def shorten_in_place(a, b):
    """Change the vectors that were given."""
    a /= a.norm(dim=-1, keepdim=True)
    b /= b.norm(dim=-1, keepdim=True)
    return a @ b.T


def compare_in_place(vectors):
    """Change the vectors that were given."""
    num = len(vectors)
    return (shorten_in_place(vectors, vectors).sum() - num) / num / (num - 1)


def divide_half_by_all(vectors):
    """Add each pair once, and divide by both orders."""
    cosines, num = within(vectors)
    return cosines.triu(1).sum() / (num * (num - 1))


def divide_exps(table, scale):
    """Be right, but not for large numbers."""
    exps = (scale * table).exp()
    return exps / exps.sum(0)


WRONG = [
    (lesson.check_compare_all, lambda a, b: a @ b.T, "long vectors win"),
    (lesson.check_compare_all, lambda a, b: unit(b) @ unit(a).T, "its side"),
    (lesson.check_compare_all, lambda a, b: unit(a) @ b.T, "only one"),
    (
        lesson.check_compare_all,
        lambda a, b: (a / a.norm()) @ (b / b.norm()).T,
        "one number",
    ),
    (
        lesson.check_compare_all,
        lambda a, b: unit(a, 0) @ unit(b, 0).T,
        "columns",
    ),
    (lesson.check_compare_all, lambda a, b: a - a, "has (3, 5)"),
    (lesson.check_compare_all, lambda a, b: a @ b.T / 9, "the cosine is"),
    (lesson.check_compare_all, shorten_in_place, "has changed"),
    (
        lesson.check_share_texts,
        lambda table, scale: (scale * table).softmax(1),
        "rows add up",
    ),
    (
        lesson.check_share_texts,
        lambda table, scale: table.softmax(0),
        "not used",
    ),
    (
        lesson.check_share_texts,
        lambda table, scale: (table / scale).softmax(0),
        "it multiplies",
    ),
    (
        lesson.check_share_texts,
        lambda table, scale: (scale * table).exp(),
        "do not add up",
    ),
    (
        lesson.check_share_texts,
        lambda table, scale: table / table.sum(0),
        "negative",
    ),
    (lesson.check_share_texts, divide_exps, "overflow"),
    (lesson.check_compare_within, count_itself, "with itself"),
    (lesson.check_compare_within, divide_by_all, "number of pairs"),
    (lesson.check_compare_within, count_pairs_once, "twice"),
    (lesson.check_compare_within, forget_lengths, "dot product"),
    (lesson.check_compare_within, compare_in_place, "has changed"),
    (lesson.check_compare_within, divide_half_by_all, "half of the table"),
    (
        lesson.check_compare_within,
        lambda v: within(v)[0].triu(1).mean(),
        "half of the table",
    ),
    (lesson.check_compare_within, lambda v: within(v)[0], "one number"),
    (lesson.check_compare_within, lambda v: None, "returns nothing"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for seed in range(5):
        torch.manual_seed(seed)
        check(answer)
        assert said in capsys.readouterr().out
