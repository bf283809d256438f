"""Lesson 09: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib.exercises import anime_illustration as lesson


def go_back(start, learned, share):
    """Go the wrong way."""
    return torch.lerp(learned, start, share)


def add_x(start, learned, share):
    """Forget the difference."""
    return start + share * learned


def stop_at_x(start, learned, share):
    """Never go beyond X."""
    return torch.lerp(start, learned, min(share, 1.0))


def lengthen(vectors, table, most):
    """Give all vectors the same norm."""
    limit = most * table.norm(dim=1).median()
    return vectors * limit / vectors.norm(dim=1, keepdim=True)


def take_the_mean(vectors, table, most):
    """Let long rows set the limit."""
    limit = most * table.norm(dim=1).mean()
    return vectors * (limit / vectors.norm(dim=1, keepdim=True)).clamp(max=1)


def clip_numbers(vectors, table, most):
    """Clip each number by itself."""
    limit = most * table.norm(dim=1).median()
    return vectors.clamp(-limit / 4, limit / 4)


def pick_person(shares, people, styles):
    """Look at the person alone."""
    return shares[people.index(max(people))]


def pick_style(shares, people, styles):
    """Look at the style alone."""
    return shares[styles.index(max(styles))]


def divide_by_zero(shares, people, styles):
    """Forget that both may be 0."""
    means = [2 * a * b / (a + b) for a, b in zip(people, styles, strict=True)]
    return shares[means.index(max(means))]


WRONG = [
    (lesson.check_go_part_way, go_back, "the other way"),
    (lesson.check_go_part_way, add_x, "their difference"),
    (lesson.check_go_part_way, stop_at_x, "beyond X"),
    (lesson.check_limit_norms, lengthen, "lengthened"),
    (lesson.check_limit_norms, take_the_mean, "the median"),
    (lesson.check_limit_norms, clip_numbers, "direction"),
    (lesson.check_find_best, pick_person, "best for the person"),
    (lesson.check_find_best, pick_style, "best for the style"),
    (lesson.check_find_best, divide_by_zero, "ZeroDivisionError"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
