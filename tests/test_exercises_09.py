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


def only_centre(vectors):
    """Forget the deviation."""
    return vectors - vectors.mean(1, keepdim=True)


def divide_by_less(vectors):
    """Use the deviation of a sample."""
    return only_centre(vectors) / vectors.std(1, keepdim=True)


def keep_the_mean(vectors):
    """Divide, and do not subtract."""
    return vectors / vectors.std(1, keepdim=True, correction=0)


def take_the_wrong_axis(vectors):
    """Normalise over the vectors instead of in each."""
    over = vectors - vectors.mean(0)
    return over / over.std(0, correction=0)


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
    (lesson.check_normalize_layer, only_centre, "now divide"),
    (lesson.check_normalize_layer, divide_by_less, "correction=0"),
    (lesson.check_normalize_layer, keep_the_mean, "subtract the mean"),
    (lesson.check_normalize_layer, take_the_wrong_axis, "last axis"),
    (lesson.check_find_best, pick_person, "best for the person"),
    (lesson.check_find_best, pick_style, "best for the style"),
    (lesson.check_find_best, divide_by_zero, "ZeroDivisionError"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
