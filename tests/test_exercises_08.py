"""Lesson 08: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib.exercises import face_photo


def take_the_farthest(colors, count=6):
    """Choose those farthest from photo 0."""
    distances = torch.cdist(colors, colors)
    return [0, *distances[0].topk(count - 1).indices.tolist()]


def add_up(colors, count=6):
    """Choose by the sum of distances."""
    distances, chosen = torch.cdist(colors, colors), [0]
    while len(chosen) < count:
        sums = distances[chosen].sum(0)
        sums[chosen] = -1
        chosen.append(int(sums.argmax()))
    return chosen


def choose_twice(colors, count=6):
    """Choose the nearest, again and again."""
    return [0] * count


def count_any(people, told):
    """Count people with one of the features."""
    return sum(any(p[k] == v for k, v in told.items()) for p in people)


def list_fitting(people, told):
    """Return the people instead of their number."""
    return [p for p in people if all(p[k] == v for k, v in told.items())]


def forget_the_unsaid(people, told):
    """Let a description of nothing fit nobody."""
    if not told:
        return 0
    return len(list_fitting(people, told))


def keep_the_tie(table, ids):
    """Leave the start in the table's graph."""
    return table.weight[ids].mean(0, keepdim=True)


def ask_for_nothing(table, ids):
    """Return a start without a gradient."""
    return keep_the_tie(table, ids).detach()


def take_the_sum(table, ids):
    """Add the rows up."""
    return table.weight[ids].detach().sum(0, keepdim=True).requires_grad_()


def drop_the_row(table, ids):
    """Return (width,) instead of (1, width)."""
    return table.weight[ids].detach().mean(0).requires_grad_()


WRONG = [
    (face_photo.check_choose_varied, take_the_farthest, "every photo"),
    (face_photo.check_choose_varied, add_up, "add up the distances"),
    (face_photo.check_choose_varied, choose_twice, "twice"),
    (face_photo.check_count_fitting, count_any, "must have all"),
    (face_photo.check_count_fitting, list_fitting, "not who"),
    (face_photo.check_count_fitting, forget_the_unsaid, "fits everybody"),
    (face_photo.check_start_between, keep_the_tie, "tied to the table"),
    (face_photo.check_start_between, ask_for_nothing, "no gradient"),
    (face_photo.check_start_between, take_the_sum, "the sum"),
    (face_photo.check_start_between, drop_the_row, "shape (1, 8)"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        line = capsys.readouterr().out.replace("\n", " ")
        assert said in line
