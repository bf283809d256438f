"""Checks of the exercises of lesson 09: the dial, and how length is lost."""

import random
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.exercises.checking import (
    Mistake,
    Mistakes,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)

Vectors = Float[Tensor, "num width"]
SCORES = (  # 0.6 is the best share
    [0.1, 0.4, 0.6, 0.8, 1.2, 1.5, 2.5],  # shares
    [0.1, 0.38, 0.45, 0.5, 0.9, 0.98, 0],  # people
    [0.95, 0.82, 0.65, 0.5, 0.34, 0.1, 0],  # styles
)


@tells_mistakes
def check_go_part_way(
    go_part_way: Callable[[Vectors, Vectors, float], Vectors],
) -> None:
    """Check a function that goes a share of the way to X.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    start, learned = torch.randn(2, 2, 8, dtype=torch.float64)
    for share in (0.3, 0.0, 1.0, 2.0):
        truth = start + share * (learned - start)
        vectors = expect_tensor(go_part_way(start, learned, share), (2, 8))
        if is_close(vectors, truth):
            continue
        name_mistake(vectors, list_way_mistakes(start, learned, share))
        if share > 1 and is_close(vectors, learned):
            raise Mistake("a share above 1 goes beyond X; do not stop there.")
        raise Mistake(f"the vector at share {share} is not right.")


def list_way_mistakes(
    start: Vectors, learned: Vectors, share: float
) -> Mistakes:
    """List wrong points of the way with the mistakes behind them."""
    return [
        (
            learned + share * (start - learned),
            "you go from X to the start; go the other way.",
        ),
        (
            start + share * learned,
            "you add X itself; the way from start to X is their difference.",
        ),
        (
            start + share * (start - learned),
            "the difference is turned round: it is `learned` minus `start`.",
        ),
        (
            share * (learned - start),
            "that is the way alone; add it to the start.",
        ),
    ]


@tells_mistakes
def check_normalize_layer(
    normalize_layer: Callable[[Vectors], Vectors],
) -> None:
    """Check a function that does what layer normalisation does.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    vectors = 5 + 3 * torch.randn(4, 12, dtype=torch.float64)
    centred = vectors - vectors.mean(1, keepdim=True)
    truth = centred / centred.square().mean(1, keepdim=True).sqrt()
    normalized = expect_tensor(normalize_layer(vectors), (4, 12))
    if is_close(normalized, truth):
        return
    over = vectors - vectors.mean(0)
    mistakes = [
        (centred, "the mean is gone; now divide by the std."),
        (
            centred / vectors.std(1, keepdim=True),
            "`std` divides by n - 1 unless told `correction=0`; here it is n.",
        ),
        (
            vectors / vectors.std(1, keepdim=True, correction=0),
            "subtract the mean first.",
        ),
        (
            over / over.square().mean(0).sqrt(),
            "each vector by itself: over the last axis, dim 1.",
        ),
    ]
    name_mistake(normalized, mistakes)
    row = normalized[0]
    raise Mistake(
        f"a row should have mean 0 and std 1; yours has {row.mean():.2f} and "
        f"{row.std(correction=0):.2f}."
    )


@tells_mistakes
def check_find_best(
    find_best: Callable[[list[float], list[float], list[float]], float],
) -> None:
    """Check a function that finds the best share of X.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    orders = [list(range(7)), [6, 0, 1, 2, 3, 4, 5]]
    orders += [random.sample(range(7), 7) for _ in range(3)]
    try:
        answers = [
            find_best(*([column[i] for i in order] for column in SCORES))
            for order in orders
        ]
    except ZeroDivisionError:
        raise Mistake(
            "both scores may be 0; their mean is 0 then, do not divide."
        ) from None
    if answers == [order.index(2) for order in orders]:
        raise Mistake("you return the number in the list, not the share.")
    for share, sentence in WORSE_SHARES.items():
        if answers == [share] * len(orders):
            raise Mistake(sentence)
    for share in answers:
        if share == 2.5:
            raise Mistake("at 2.5 both scores are 0, and so is their mean.")
        if share != 0.6:
            raise Mistake(f"the best share is 0.6 here, and you say {share}.")


WORSE_SHARES = {
    1.2: "that has the highest ordinary mean, (a + b) / 2; the harmonic mean "
    "is 2ab / (a + b).",
    0.4: "that has the highest product, ab; the harmonic mean is "
    "2ab / (a + b).",
    0.8: "there the lower of the two scores is highest; the harmonic mean is "
    "2ab / (a + b).",
    1.5: "that is best for the person; the style counts as well.",
    0.1: "that is best for the style; the person counts as well. (Mind the "
    "brackets: 2ab / (a + b).)",
}
