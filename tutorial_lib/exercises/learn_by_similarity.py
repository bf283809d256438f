"""Checks of the exercises in lesson 03: the best text, a step, the end."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    tells_mistakes,
)

WINDOW, LEAST_SHARE = 4, 0.02  # of the task, as in the library's loop
CLIMBS = (  # similarities, and whether they have settled
    ([0.1, 0.8, 0.81, 0.811, 0.811, 0.811, 0.811], True),
    ([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85], False),
    ([0.1, 0.8, 0.8, 0.8], False),
    ([0.5, 0.5, 0.5, 0.5], False),
    ([0.1, 0.4, 0.8, 0.79, 0.78, 0.79, 0.795], True),
    ([0.1, 0.4, 0.8, 0.7, 0.9, 0.6, 0.5], False),
    ([0.10, 0.11, 0.12, 0.13, 0.135, 0.14, 0.145], False),
    ([0.1, 0.5, 0.8, 0.806, 0.812, 0.818, 0.819], False),
    ([0.1, 0.5, 0.8, 0.81, 0.815, 0.818, 0.82, 0.82], True),
)


def make_pictures(num: int, width: int) -> Tensor:
    """Make vectors of pictures, (num, width) float64 of length one."""
    rows = torch.randn(num, width, dtype=torch.float64) + 1
    return functional.normalize(rows, dim=1)


@tells_mistakes
def check_find_best_vector(answer: Callable[[Tensor], Tensor]) -> None:
    """Check a function that finds the vector most similar to all pictures.

    Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """
    for num, width in ((6, 4), (20, 8)):
        pictures = make_pictures(num, width)
        found = answer(pictures.clone())
        if isinstance(found, Tensor) and tuple(found.shape) == (num,):
            raise Mistake(
                "average over the pictures (dim 0); you average over the "
                "numbers of each."
            )
        found = expect_tensor(found, (width,)).double()
        truth = functional.normalize(pictures.mean(0), dim=0)
        if is_close(found, truth):
            continue
        if is_close(functional.normalize(found, dim=0), truth):
            raise Mistake(
                "the direction is right, but a text's vector has length "
                f"one, and yours {found.norm():.2f}."
            )
        if functional.cosine_similarity(pictures, found[None]).max() > 0.9999:
            raise Mistake(
                "that is the direction of one of the pictures; a vector "
                "between all of them is more similar on average."
            )
        mean, best = ((pictures @ v).mean() for v in (found, truth))
        raise Mistake(
            f"the mean cosine of your vector is {mean:.3f}, and {best:.3f} "
            "is possible."
        )


@tells_mistakes
def check_step_uphill(
    answer: Callable[[Tensor, Tensor, float], Tensor],
) -> None:
    """Check a function that takes one step towards more similarity.

    Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """
    for lr in (0.3, 0.05):
        pictures = make_pictures(7, 5)
        vector = 2 * torch.randn(5, dtype=torch.float64)
        given = vector.clone()
        found = expect_tensor(answer(given, pictures.clone(), lr), (5,))
        if not torch.equal(given.detach(), vector):
            raise Mistake(
                "the vector that was handed to you has changed; copy it "
                "first (`vector.clone()`)."
            )
        if found.requires_grad:
            raise Mistake(
                "the new vector still asks for a gradient; `detach()` it, "
                "or step under `torch.no_grad()`."
            )
        compare_step(found.double() - vector, vector, pictures, lr)


def compare_step(
    step: Tensor, vector: Tensor, pictures: Tensor, lr: float
) -> None:
    """Raise Mistake if a step is not `lr` times the gradient, and say why."""
    leaf = vector.clone().requires_grad_(True)
    (functional.normalize(leaf, dim=0) @ pictures.T).mean().backward()
    gradient = leaf.grad
    if is_close(step, lr * gradient):
        return
    if is_close(step, -lr * gradient):
        raise Mistake(
            "the similarity falls; go along its gradient, or against that "
            "of one minus the similarity."
        )
    if is_close(step, lr * pictures.mean(0)):
        raise Mistake(
            "a cosine does not grow with the vector's length; divide the "
            "vector by its length before you compare."
        )
    if is_close(step, gradient):
        raise Mistake("the step is not multiplied by `lr`.")
    if is_close(step, lr * len(pictures) * gradient):
        raise Mistake("take the mean over the pictures, not the sum.")
    raise Mistake(
        f"the first number should change by {lr * gradient[0]:.4f}, and "
        f"changes by {step[0]:.4f}."
    )


@tells_mistakes
def check_shorten_vectors(answer: Callable[[Tensor, float], Tensor]) -> None:
    """Check a function that shortens the vectors that are too long.

    Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """
    for limit in (2.0, 0.7):
        lengths = limit * torch.tensor([0.2, 0.9, 1.5, 4.0]).double()
        vectors = make_pictures(4, 6) * lengths[:, None]
        given = vectors.clone()
        found = expect_tensor(answer(given, limit), (4, 6)).double()
        norms = vectors.norm(dim=1, keepdim=True)
        if is_close(found, vectors * (limit / norms).clamp(max=1)):
            continue
        if is_close(found, vectors * limit / norms):
            raise Mistake(
                "you lengthen the short ones too; let a vector be that is "
                "within the limit."
            )
        if is_close(found, vectors * (limit / vectors.norm()).clamp(max=1)):
            raise Mistake(
                "you took the norm of all vectors together; each row has "
                "its own (`dim=1`)."
            )
        if is_close(found, vectors.clamp(-limit, limit)):
            raise Mistake(
                "you limit each number; it is the length of the vector that "
                "is limited, and its direction stays."
            )
        wanted, yours = limit, found.norm(dim=1)[-1]
        raise Mistake(
            f"the longest vector should come out with norm {wanted:.2f}, "
            f"and has {yours:.2f}, or its direction has changed."
        )


@tells_mistakes
def check_has_settled(answer: Callable[[list[float]], bool]) -> None:
    """Check a function that says whether the similarity no longer grows.

    Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """
    said = [bool(answer(list(found))) for found, _ in CLIMBS]
    truth = [settled for _, settled in CLIMBS]
    if said == truth:
        return
    typical = (
        (
            [True if len(f) <= WINDOW else t for f, t in CLIMBS],
            "with four measures or fewer it is too early to say so.",
        ),
        (
            [len(f) > WINDOW and is_flat(f, share=False) for f, _ in CLIMBS],
            "2 % of all progress so far, not a gain of 0.02.",
        ),
        (
            [len(f) > WINDOW and is_flat(f, last=True) for f, _ in CLIMBS],
            "compare the best values; the last one may have dipped.",
        ),
    )
    for wrong, sentence in typical:
        if said == wrong:
            raise Mistake(sentence)
    i = next(i for i, each in enumerate(truth) if each != said[i])
    raise Mistake(f"for {CLIMBS[i][0]} the answer is {truth[i]}.")


def is_flat(
    found: list[float], share: bool = True, last: bool = False
) -> bool:
    """Say whether similarities stand still, by a rule that may be wrong.

    Without `share` the least gain is a fixed one; with `last` the last
    value counts and not the best.
    """
    before, best = max(found[:-WINDOW]), max(found)
    if last:
        before, best = found[-WINDOW - 1], found[-1]
    return best - before <= LEAST_SHARE * (best - found[0] if share else 1)
