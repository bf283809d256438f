"""Checks of the exercises in lesson 10: enough, paired, and the true rate."""

import random

import numpy as np

from tutorial_lib.exercises.checking import Mistake, tells_mistakes


@tells_mistakes
def check_find_enough(find_enough) -> None:
    """Check a function that finds the smallest value that is good enough.

    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    values, shares = [5, 10, 30, 100, 200], [0.1, 0.45, 0.7, 0.66, 0.72]
    lows = [0.0, 0.3, 0.55, 0.5, 0.6]
    order = random.sample(range(5), 5)
    found = find_enough(
        *([each[i] for i in order] for each in (values, shares, lows))
    )
    if found == 30:
        return
    if found == order.index(2):
        raise Mistake("you return the number in the list, not the value.")
    if found == 200:
        raise Mistake("that is the best; find the smallest as good.")
    if found == 5:
        raise Mistake(
            "5 is far below the best; compare each share with the low end "
            "of the best one's interval."
        )
    if found == 10:
        raise Mistake(
            "the bar is the low end of the best value's own interval, 0.6 "
            "here, not of another's."
        )
    if found == 100:
        raise Mistake(
            "100 is good enough, and so is a smaller value; the lists come "
            "in any order."
        )
    raise Mistake(f"30 is enough here, and you say {found}.")


@tells_mistakes
def check_compare_pairs(compare_pairs) -> None:
    """Check a function that gives the interval of a mean difference.

    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    rng = np.random.default_rng(random.randrange(10_000))
    base = rng.uniform(0.1, 0.7, 12)
    gain = rng.uniform(0.05, 0.15, 12)
    low, high = _read_pair(compare_pairs(base, base + gain))
    chosen = rng.integers(12, size=(20_000, 12))
    means = gain[chosen].mean(1)
    truth = np.percentile(means, [2.5, 97.5])
    if np.allclose([low, high], truth, atol=0.004):
        return
    if np.allclose([-high, -low], truth, atol=0.004):
        raise Mistake("the difference is after minus before.")
    if np.allclose([low, high], np.percentile(gain, [2.5, 97.5]), atol=0.004):
        raise Mistake(
            "that is the spread of the concepts; the mean's interval is "
            "narrower: resample, then take means."
        )
    if high - low > 2 * (truth[1] - truth[0]):
        raise Mistake(
            "your interval is too wide: draw concepts, and keep before and "
            "after of each concept together."
        )
    if np.allclose([low, high], np.percentile(means, [5, 95]), atol=0.002):
        raise Mistake("that holds 90 %; take the middle 95 %.")
    raise Mistake(
        f"the interval is about {truth[0]:.3f} to {truth[1]:.3f}, and yours "
        f"{low:.3f} to {high:.3f}."
    )


def _read_pair(found) -> tuple[float, float]:
    try:
        low, high = (float(each) for each in found)
    except (TypeError, ValueError):
        raise Mistake("return two numbers, low and high.") from None
    if low > high:
        raise Mistake("the low end comes first.")
    return low, high


@tells_mistakes
def check_effective_lr(effective_lr) -> None:
    """Check a function that says which learning rate Adam really gets.

    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    for scaled in (True, False):
        lr = random.choice([1e-4, 5e-4, 5e-3])
        sizes = {"batch_size": 3, "accumulation": 4, "devices": 2}
        found = effective_lr(lr, scaled, **sizes)
        if not isinstance(found, int | float):
            raise Mistake("return a number.")
        truth = lr * 24 if scaled else lr
        if np.isclose(found, truth, rtol=1e-9):
            continue
        if not scaled:
            raise Mistake("without scaling Adam gets lr as it is.")
        if np.isclose(found, lr):
            raise Mistake("here the program scales the rate, and you do not.")
        for name, size in sizes.items():
            if np.isclose(found * size, truth):
                raise Mistake(f"you leave out {name}.")
        raise Mistake(f"Adam gets {truth:g} here, and you say {found:g}.")
