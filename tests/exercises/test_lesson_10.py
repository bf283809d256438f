"""Lesson 10: typical wrong answers get a message that names the mistake."""

import math

import numpy as np
import pytest

from tutorial_lib.exercises import lesson_10 as lesson


def take_best(values, shares, lows):
    """Take the best share, however little it is ahead."""
    return values[shares.index(max(shares))]


def list_good(values, shares, bar):
    """Return the values whose share is not below a bar, in their order."""
    return [v for v, s in zip(values, shares, strict=True) if s >= bar]


def find_bar(shares, lows):
    """Return the low end of the best share's interval."""
    return lows[shares.index(max(shares))]


def take_smallest_over(bar_of):
    """Return a function that finds the smallest value over another bar."""
    return lambda *lists: min(list_good(*lists[:2], bar_of(*lists)))


def want_more(values, shares, lows):
    """Leave out what just reaches the bar."""
    bar = find_bar(shares, lows)
    return min(v for v, s in zip(values, shares, strict=True) if s > bar)


def take_first(values, shares, lows):
    """Take the first good one of the list."""
    return list_good(values, shares, find_bar(shares, lows))[0]


def take_largest(values, shares, lows):
    """Take the largest good one."""
    return max(list_good(values, shares, find_bar(shares, lows)))


def take_all(values, shares, lows):
    """Return all good ones."""
    return list_good(values, shares, find_bar(shares, lows))


def take_smallest_share(values, shares, lows):
    """Take the good one with the smallest share."""
    bar = find_bar(shares, lows)
    return values[shares.index(min(s for s in shares if s >= bar))]


def compare_lows(values, shares, lows):
    """Compare low ends, and not shares, with the bar."""
    return min(list_good(values, lows, find_bar(shares, lows)))


def return_place(values, shares, lows):
    """Return the place in the list."""
    good = list_good(values, shares, find_bar(shares, lows))
    return values.index(min(good))


def subtract_wrong(before, after):
    """Take before minus after."""
    return right(after, before)


def right(before, after, ends=(2.5, 97.5), rounds=20_000):
    """Resample the differences."""
    gain = np.asarray(after) - np.asarray(before)
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(gain), size=(rounds, len(gain)))
    return np.percentile(gain[chosen].mean(1), ends)


def forget_means(before, after):
    """Resample the differences, and take no means."""
    gain = np.asarray(after) - np.asarray(before)
    chosen = np.random.default_rng(0).integers(12, size=(2000, 12))
    return np.percentile(gain[chosen], [2.5, 97.5])


def subtract_in_place(before, after):
    """Change what was given."""
    after -= before
    return right(0 * after, after)


def spread_of_gains(before, after):
    """Forget to take means."""
    return np.percentile(np.asarray(after) - before, [2.5, 97.5])


def break_pairs(before, after):
    """Resample before and after apart."""
    rng, num = np.random.default_rng(0), len(before)
    means = [
        np.asarray(shares)[rng.integers(num, size=(20_000, num))].mean(1)
        for shares in (before, after)
    ]
    return np.percentile(means[1] - means[0], [2.5, 97.5])


def one_number(before, after):
    """Return the mean alone."""
    return float(np.mean(np.asarray(after) - before))


def never_scale(lr, scaled, batch_size, accumulation, devices):
    """Ignore the switch."""
    return lr


def always_scale(lr, scaled, batch_size, accumulation, devices):
    """Ignore the switch, the other way."""
    return lr * batch_size * accumulation * devices


def scale_by(*chosen):
    """Return a function that scales by some of the three alone."""

    def scale(lr, scaled, **sizes):
        return lr * math.prod(sizes[n] for n in chosen) if scaled else lr

    return scale


def add_sizes(lr, scaled, **sizes):
    """Scale by a sum."""
    return lr * sum(sizes.values()) if scaled else lr


def know_by_heart(lr, scaled, batch_size, accumulation, devices):
    """Use the numbers of an example."""
    return lr * 24 if scaled else lr


WRONG = [
    (lesson.check_find_enough, take_best, "smallest"),
    (
        lesson.check_find_enough,
        take_smallest_over(lambda v, s, low: min(low)),
        "best one's interval",
    ),
    (lesson.check_find_enough, want_more, "`>=`"),
    (
        lesson.check_find_enough,
        take_smallest_over(lambda v, s, low: max(low)),
        "not another's and no margin",
    ),
    (
        lesson.check_find_enough,
        take_smallest_over(lambda v, s, low: low[v.index(max(v))]),
        "not another's and no margin",
    ),
    (
        lesson.check_find_enough,
        take_smallest_over(lambda v, s, low: max(s) - 0.1),
        "not another's and no margin",
    ),
    (
        lesson.check_find_enough,
        take_smallest_over(lambda v, s, low: 0.9 * max(s)),
        "not another's and no margin",
    ),
    (
        lesson.check_find_enough,
        take_smallest_over(lambda v, s, low: sum(low) / len(low)),
        "10 does not reach it",
    ),
    (
        lesson.check_find_enough,
        take_smallest_over(lambda v, s, low: low[-1]),
        "in any order",
    ),
    (lesson.check_find_enough, take_first, "in any order"),
    (lesson.check_find_enough, take_largest, "not the smallest that is"),
    (lesson.check_find_enough, take_smallest_share, "not the smallest share"),
    (lesson.check_find_enough, compare_lows, "not its low end"),
    (lesson.check_find_enough, take_all, "not several"),
    (lesson.check_find_enough, return_place, "the number in the list"),
    (lesson.check_compare_pairs, subtract_wrong, "after minus before"),
    (lesson.check_compare_pairs, subtract_in_place, "has changed"),
    (
        lesson.check_compare_pairs,
        lambda before, after: right(before, after, (5, 95)),
        "holds 90 %",
    ),
    (
        lesson.check_compare_pairs,
        lambda before, after: right(before, after, (5, 95), 2000),
        "holds 90 %",
    ),
    (
        lesson.check_compare_pairs,
        lambda before, after: right(before, after)[::-1],
        "comes first",
    ),
    (lesson.check_compare_pairs, forget_means, "or no mean is taken"),
    (lesson.check_compare_pairs, spread_of_gains, "spread"),
    (lesson.check_compare_pairs, break_pairs, "too wide"),
    (lesson.check_compare_pairs, one_number, "two numbers"),
    (lesson.check_effective_lr, never_scale, "scales the rate"),
    (lesson.check_effective_lr, always_scale, "as it is"),
    (
        lesson.check_effective_lr,
        scale_by("batch_size", "accumulation"),
        "leave out devices",
    ),
    (
        lesson.check_effective_lr,
        scale_by("batch_size", "devices"),
        "leave out accumulation",
    ),
    (
        lesson.check_effective_lr,
        scale_by("accumulation", "devices"),
        "leave out batch_size",
    ),
    (lesson.check_effective_lr, add_sizes, "Adam gets"),
    (lesson.check_effective_lr, know_by_heart, "Not yet"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(20):
        check(answer)
        assert said in capsys.readouterr().out
