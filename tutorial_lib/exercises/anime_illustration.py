"""Checks of the exercises in lesson 09: the dial, and how length is lost."""

import random

import torch

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    tells_mistakes,
)


@tells_mistakes
def check_go_part_way(go_part_way) -> None:
    """Check a function that goes a share of the way to X.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    start, learned = torch.randn(2, 2, 8, dtype=torch.float64)
    for share in (0.3, 0.0, 1.0, 2.0):
        truth = start + share * (learned - start)
        found = expect_tensor(go_part_way(start, learned, share), (2, 8))
        if is_close(found, truth):
            continue
        if is_close(found, learned + share * (start - learned)):
            raise Mistake("you go from X to the start; go the other way.")
        if is_close(found, start + share * learned):
            raise Mistake(
                "you add X itself; the way from start to X is their "
                "difference."
            )
        if share > 1 and is_close(found, learned):
            raise Mistake("a share above 1 goes beyond X; do not stop there.")
        raise Mistake(f"the vector at share {share} is not right.")


@tells_mistakes
def check_normalize_layer(normalize_layer) -> None:
    """Check a function that does what layer normalisation does.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    vectors = 5 + 3 * torch.randn(4, 12, dtype=torch.float64)
    given = vectors.clone()
    centred = vectors - vectors.mean(1, keepdim=True)
    truth = centred / centred.square().mean(1, keepdim=True).sqrt()
    found = expect_tensor(normalize_layer(vectors), (4, 12))
    if not torch.equal(vectors, given):
        raise Mistake("the vectors you were given have changed.")
    if is_close(found, truth):
        return
    if is_close(found, centred):
        raise Mistake("the mean is gone; now divide by the deviation.")
    if is_close(found, centred / vectors.std(1, keepdim=True)):
        raise Mistake(
            "`std` divides by n - 1 unless told `correction=0`; here it is n."
        )
    if is_close(found, vectors / vectors.std(1, keepdim=True, correction=0)):
        raise Mistake("subtract the mean first.")
    over = vectors - vectors.mean(0)
    if is_close(found, over / over.square().mean(0).sqrt()):
        raise Mistake("each vector by itself: over the last axis, dim 1.")
    raise Mistake(
        f"a row should have mean 0 and deviation 1; yours has "
        f"{found[0].mean():.2f} and {found[0].std(correction=0):.2f}."
    )


@tells_mistakes
def check_find_best(find_best) -> None:
    """Check a function that finds the best share of X.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    shares = [0.1, 0.5, 1, 1.5, 2.5]
    people, styles = [0, 0.5, 0.7, 0.85, 0], [0.9, 0.8, 0.75, 0.4, 0]
    order = random.sample(range(5), 5)
    found = find_best(
        *([each[i] for i in order] for each in (shares, people, styles))
    )
    if found == 1:
        return
    if found == order.index(2):
        raise Mistake("you return the number in the list, not the share.")
    if found == 1.5:
        raise Mistake("that is best for the person; the style counts as well.")
    if found == 0.1:
        raise Mistake("that is best for the style; the person counts as well.")
    raise Mistake(f"the best share is 1 here, and you say {found}.")
