"""Checks of the exercises in lesson 09: the dial of X and its limits."""

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
def check_limit_norms(limit_norms) -> None:
    """Check a function that shortens vectors that are too long.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    table = torch.randn(60, 8, dtype=torch.float64)
    table[:5] *= 100
    vectors = torch.randn(3, 8, dtype=torch.float64)
    vectors *= torch.tensor([[0.1], [1.0], [50.0]])
    limit = 2 * table.norm(dim=1).median()
    norms = vectors.norm(dim=1, keepdim=True)
    truth = vectors * (limit / norms).clamp(max=1)
    found = expect_tensor(limit_norms(vectors.clone(), table, 2), (3, 8))
    if is_close(found, truth):
        return
    if is_close(found, vectors * limit / norms):
        raise Mistake("short vectors stay as they are; yours are lengthened.")
    mean_limit = 2 * table.norm(dim=1).mean()
    if is_close(found, vectors * (mean_limit / norms).clamp(max=1)):
        raise Mistake("a few long rows pull the mean up; take the median.")
    same = is_close(found[2] / found[2].norm(), vectors[2] / norms[2])
    if not same:
        raise Mistake("the direction changed; shorten all numbers alike.")
    raise Mistake(
        f"the long vector should have norm {limit:.2f}, and yours has "
        f"{found[2].norm():.2f}."
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
