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


def pick(score):
    """Return a function that finds the share with the highest score."""

    def find(shares, people, styles):
        scores = list(map(score, people, styles))
        return shares[scores.index(max(scores))]

    return find


def take_harmonic_mean(person, style, of_zeros=0.0):
    """Return the harmonic mean, that of two zeros by itself."""
    total = person + style
    return 2 * person * style / total if total else of_zeros


def return_place(shares, people, styles):
    """Return the place in the list."""
    return shares.index(pick(take_harmonic_mean)(shares, people, styles))


def leave_zeros_out(shares, people, styles):
    """Drop means, and not the shares that they belong to."""
    pairs = zip(people, styles, strict=True)
    means = [take_harmonic_mean(a, b) for a, b in pairs if a + b]
    return shares[means.index(max(means))]


def add_in_place(start, learned, share):
    """Change what was given."""
    start += share * (learned - start)
    return start


def divide_by_zero(shares, people, styles):
    """Forget that both may be 0."""
    means = [2 * a * b / (a + b) for a, b in zip(people, styles, strict=True)]
    return shares[means.index(max(means))]


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
    (lesson.check_find_best, pick(take_harmonic_mean), "Right."),
    (lesson.check_find_best, pick(lambda a, b: a), "best for the person"),
    (lesson.check_find_best, pick(lambda a, b: b), "best for the style"),
    (lesson.check_find_best, pick(lambda a, b: (a + b) / 2), "ordinary mean"),
    (lesson.check_find_best, pick(lambda a, b: a * b), "highest product"),
    (
        lesson.check_find_best,
        pick(lambda a, b: (a * b) ** 0.5),
        "highest product",
    ),
    (lesson.check_find_best, pick(min), "the lower of the two"),
    (
        lesson.check_find_best,
        pick(lambda a, b: take_harmonic_mean(a, b, 1)),
        "both scores are 0",
    ),
    (
        lesson.check_find_best,
        pick(lambda a, b: take_harmonic_mean(a, b, float("nan"))),
        "both scores",
    ),
    (lesson.check_find_best, return_place, "number in the list"),
    (lesson.check_find_best, leave_zeros_out, "the best share is 0.6"),
    (lesson.check_find_best, divide_by_zero, "both scores may be 0"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
