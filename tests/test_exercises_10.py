"""Lesson 10: typical wrong answers get a message that names the mistake."""

import numpy as np
import pytest

from tutorial_lib.exercises import more_pictures as lesson


def take_best(values, shares, lows):
    """Take the best share, however little it is ahead."""
    return values[shares.index(max(shares))]


def use_lowest_bar(values, shares, lows):
    """Take the bar from the worst value's interval."""
    good = [v for v, s in zip(values, shares, strict=True) if s >= min(lows)]
    return min(good)


def return_place(values, shares, lows):
    """Return the place in the list."""
    bar = lows[shares.index(max(shares))]
    good = [v for v, s in zip(values, shares, strict=True) if s >= bar]
    return values.index(min(good))


def subtract_wrong(before, after):
    """Take before minus after."""
    return right(after, before)


def right(before, after):
    """Resample the differences."""
    gain = np.asarray(after) - np.asarray(before)
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(gain), size=(20_000, len(gain)))
    return np.percentile(gain[chosen].mean(1), [2.5, 97.5])


def spread_of_concepts(before, after):
    """Forget to take means."""
    return np.percentile(np.asarray(after) - before, [2.5, 97.5])


def break_pairs(before, after):
    """Resample before and after apart."""
    rng, num = np.random.default_rng(0), len(before)
    means = [
        np.asarray(each)[rng.integers(num, size=(20_000, num))].mean(1)
        for each in (before, after)
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


def forget_devices(lr, scaled, batch_size, accumulation, devices):
    """Leave out one of the three."""
    return lr * batch_size * accumulation if scaled else lr


WRONG = [
    (lesson.check_find_enough, take_best, "smallest"),
    (lesson.check_find_enough, use_lowest_bar, "best one's interval"),
    (lesson.check_find_enough, return_place, "the number in the list"),
    (lesson.check_compare_pairs, subtract_wrong, "after minus before"),
    (lesson.check_compare_pairs, spread_of_concepts, "spread"),
    (lesson.check_compare_pairs, break_pairs, "too wide"),
    (lesson.check_compare_pairs, one_number, "two numbers"),
    (lesson.check_effective_lr, never_scale, "scales the rate"),
    (lesson.check_effective_lr, always_scale, "as it is"),
    (lesson.check_effective_lr, forget_devices, "devices"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(20):
        check(answer)
        assert said in capsys.readouterr().out
