"""Checks of the exercises of lesson 10: enough, in pairs, the true rate."""

import math
import random
from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Float

from tutorial_lib.exercises.checking import Mistake, read_pair, tells_mistakes


@tells_mistakes
def check_find_enough(
    find_enough: Callable[[list[float], list[float], list[float]], float],
) -> None:
    """Check a function that finds the smallest value that is good enough.

    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    for table in TABLES:
        places = list(range(len(table[0])))
        orders = [places, places[::-1]]
        orders += [random.sample(places, len(places)) for _ in range(3)]
        answers = [
            find_enough(*([column[i] for i in order] for column in table))
            for order in orders
        ]
        if all(answer == 30 for answer in answers):
            continue
        if answers == [order.index(2) for order in orders]:
            raise Mistake("you return the number in the list, not the value.")
        if isinstance(answers[0], Iterable):
            raise Mistake("one value is wanted, and not several.")
        if any(answer != answers[0] for answer in answers):
            raise Mistake(
                "the lists come in any order, and your answer changes with it."
            )
        if answers[0] in WORSE_VALUES:
            raise Mistake(WORSE_VALUES[answers[0]])
        raise Mistake(f"30 is enough here, and you say {answers[0]}.")


TABLES: tuple[
    tuple[list[float], ...], ...
] = (  # values, shares and lows; 30 is enough
    (
        [5, 10, 30, 60, 80, 100, 200],
        [0.1, 0.45, 0.6, 0.61, 0.66, 0.72, 0.7],
        [0, 0.3, 0.45, 0.5, 0.52, 0.6, 0.62],
    ),
    (
        [4, 8, 30, 50, 150],
        [0.1, 0.45, 0.7, 0.66, 0.72],
        [0.0, 0.3, 0.55, 0.5, 0.6],
    ),
)
WORSE_VALUES: dict[float, str] = {
    5: "5 is far below the best; compare each share with the low end of the "
    "best one's interval.",
    10: "the bar is the low end of the best value's own interval, 0.6 here, "
    "and 10 does not reach it.",
    60: "30 reaches the bar, 0.6, exactly, and that is no lower: `>=`.",
    80: "the bar is the low end of the best value's own interval, 0.6 here, "
    "not another's and no margin.",
    100: "that is the best; find the smallest as good, whose share (and not "
    "its low end) reaches the bar.",
    200: "200 is good enough, and not the smallest that is.",
    50: "50 is good enough, and so is 30; find the smallest value, not the "
    "smallest share.",
}


@tells_mistakes
def check_compare_pairs(
    compare_pairs: Callable[
        [Float[np.ndarray, " people"], Float[np.ndarray, " people"]],
        tuple[float, float],
    ],
) -> None:
    """Check a function that gives the interval of a mean difference.

    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    rng = np.random.default_rng(random.randrange(10_000))
    base = rng.permutation(np.linspace(0.05, 0.55, 12))
    gain = rng.permutation(np.linspace(-0.05, 0.3, 12))
    low, high = read_pair(compare_pairs(base, base + gain))
    means = gain[rng.integers(12, size=(20_000, 12))].mean(1)
    truth = np.percentile(means, [2.5, 97.5])
    width = truth[1] - truth[0]

    def is_near(ends: Float[np.ndarray, "2"], tolerance: float = 0.07) -> bool:
        """Return whether the answer has these ends (tolerance in widths)."""
        gaps = np.abs(np.subtract(ends, [low, high]))
        return bool(gaps.max() < tolerance * width)

    if high - low < 0.91 * width and is_near(np.percentile(means, [5, 95])):
        raise Mistake("that holds 90 %; take the middle 95 %.")
    if is_near(truth):
        return
    if is_near(-truth[::-1]):
        raise Mistake("the difference is after minus before.")
    if is_near(np.percentile(gain, [2.5, 97.5]), 0.005):
        raise Mistake(
            "that is the spread of the gains; the mean's interval is "
            "narrower: resample, then take means."
        )
    if high - low > 1.5 * width:
        raise Mistake(
            "your interval is too wide: before and after of a person are "
            "torn apart, or no mean is taken of those drawn."
        )
    raise Mistake(
        f"the interval is about {truth[0]:.3f} to {truth[1]:.3f}, and yours "
        f"{low:.3f} to {high:.3f}."
    )


@tells_mistakes
def check_effective_lr(effective_lr: Callable[..., float]) -> None:
    """Check a function that says which learning rate Adam really gets.

    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    for scaled in (True, False):
        lr = random.choice([1e-4, 5e-4, 5e-3])
        names = ("batch_size", "accumulation", "devices")
        sizes = dict(zip(names, random.sample([3, 5, 8, 11], 3), strict=True))
        rate = effective_lr(lr, scaled, **sizes)
        if not isinstance(rate, int | float):
            raise Mistake("return a number.")
        truth = lr * math.prod(sizes.values()) if scaled else lr
        if np.isclose(rate, truth, rtol=1e-9):
            continue
        if not scaled:
            raise Mistake("without scaling Adam gets lr as it is.")
        if np.isclose(rate, lr):
            raise Mistake("here the program scales the rate, and you do not.")
        for name, size in sizes.items():
            if np.isclose(rate * size, truth):
                raise Mistake(f"you leave out {name}.")
        raise Mistake(f"Adam gets {truth:g} here, and you say {rate:g}.")
