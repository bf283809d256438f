"""Lesson 09: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib.exercises import lesson_09 as lesson


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
    """Forget the std."""
    return vectors - vectors.mean(1, keepdim=True)


def divide_by_less(vectors):
    """Use the std of a sample."""
    return only_centre(vectors) / vectors.std(1, keepdim=True)


def keep_the_mean(vectors):
    """Divide, and do not subtract."""
    return vectors / vectors.std(1, keepdim=True, correction=0)


def take_the_wrong_axis(vectors):
    """Normalise over the vectors instead of in each."""
    over = vectors - vectors.mean(0)
    return over / over.std(0, correction=0)


def add_in_place(start, learned, share):
    """Change what was given."""
    start += share * (learned - start)
    return start


def mean_of(maps):
    """Return each map's own mean, ready to divide by."""
    return maps.mean(dim=(1, 2), keepdim=True)


CELLS = lesson.check_assign_cells
WRONG = [
    (lesson.check_go_part_way, go_back, "the other way"),
    (lesson.check_go_part_way, add_x, "their difference"),
    (lesson.check_go_part_way, stop_at_x, "beyond X"),
    (lesson.check_go_part_way, add_in_place, "has changed"),
    (lesson.check_go_part_way, lambda s, x, k: k * (x - s), "the way alone"),
    (lesson.check_go_part_way, lambda s, x, k: s + k * (s - x), "round"),
    (lesson.check_normalize_layer, only_centre, "now divide"),
    (lesson.check_normalize_layer, divide_by_less, "correction=0"),
    (lesson.check_normalize_layer, keep_the_mean, "subtract the mean"),
    (lesson.check_normalize_layer, take_the_wrong_axis, "last axis"),
    (CELLS, lambda m: (m / mean_of(m)).argmax(0), "Right."),
    (CELLS, lambda m: m.argmax(0), "wins everywhere"),
    (CELLS, lambda m: (m / m.mean()).argmax(0), "wins everywhere"),
    (CELLS, lambda m: (m / m.sum(0)).argmax(0), "wins everywhere"),
    (CELLS, lambda m: (m / m.amax((1, 2), True)).argmax(0), "highest cell"),
    (CELLS, lambda m: (m / mean_of(m)).argmin(0), "takes in least"),
    (CELLS, lambda m: (m - mean_of(m)).argmax(0), "you subtract the mean"),
    (CELLS, lambda m: m.argmax(0) * 0 + 5, "to the wrong word"),
    (CELLS, lambda m: (m / mean_of(m)).amax(0), "to the wrong word"),
    (CELLS, lambda m: m.argmax(1), "should have shape (6, 8)"),
    (CELLS, lambda m: m.div_(mean_of(m)).argmax(0), "has changed"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
