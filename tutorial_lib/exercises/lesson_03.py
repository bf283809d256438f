"""Checks of the exercises in lesson 03: the best text, a step, the end."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    name_mistake,
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
    ([0.70, 0.75, 0.78, 0.79, 0.79, 0.79, 0.80, 0.80], False),
    ([0.1, 0.5, 0.9, 0.9, 0.9, 0.912, 0.7, 0.5, 0.5], True),
    ([0.1, 0.8, 0.7, 0.75, 0.8, 0.8, 0.8], True),
    ([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], True),
    ([0.1, 0.5, 0.7, 0.8, 0.82, 0.82, 0.82, 0.82], False),
    ([0.3, 0.8, 0.8, 0.8, 0.8, 0.8101], True),
)


def make_images(num: int, width: int) -> Tensor:
    """Make vectors of pictures, (num, width) float64 of length one."""
    rows = torch.randn(num, width, dtype=torch.float64) + 1
    return functional.normalize(rows, dim=1)


@tells_mistakes
def check_find_best_vector(answer: Callable[[Tensor], Tensor]) -> None:
    """Check a function that finds the vector most similar to all pictures.

    Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """
    for num, width in ((6, 4), (20, 8)):
        images = make_images(num, width)
        found = answer(images.clone())
        if isinstance(found, Tensor) and tuple(found.shape) == (num,):
            raise Mistake(
                "average over the pictures (dim 0); you average over the "
                "numbers of each."
            )
        found = expect_tensor(found, (width,)).double()
        truth = functional.normalize(images.mean(0), dim=0)
        if is_close(found, truth):
            continue
        if is_close(functional.normalize(found, dim=0), truth):
            raise Mistake(
                "the direction is right, but a text's vector has length "
                f"one, and yours {found.norm():.2f}."
            )
        if functional.cosine_similarity(images, found[None]).max() > 0.9999:
            raise Mistake(
                "that is the direction of one of the pictures; a vector "
                "between all of them is more similar on average."
            )
        mean, best = ((images @ v).mean() for v in (found, truth))
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
        images = make_images(7, 5)
        vector = torch.randn(5, dtype=torch.float64)
        vector *= 2 / vector.norm()
        found = expect_tensor(answer(vector, images, lr), (5,))
        if found.requires_grad:
            raise Mistake(
                "the new vector still asks for a gradient; `detach()` it, "
                "or step under `torch.no_grad()`."
            )
        compare_step(found.double() - vector, vector, images, lr)


def compare_step(
    step: Tensor, vector: Tensor, images: Tensor, lr: float
) -> None:
    """Raise Mistake if a step is not `lr` times the gradient, and say why."""
    leaf = vector.clone().requires_grad_(True)
    (functional.normalize(leaf, dim=0) @ images.T).mean().backward()
    gradient = leaf.grad
    if is_close(step, lr * gradient):
        return
    name_mistake(step, {
        "the similarity falls; go along its gradient, or against that of "
        "one minus the similarity.": -lr * gradient,
        "a cosine does not grow with the vector's length; divide the vector "
        "by its length before you compare.": lr * images.mean(0),
        "the step is not multiplied by `lr`.": gradient,
        "take the mean over the pictures, not the sum.":
            lr * len(images) * gradient,
        "that is the step alone; add it to the vector.":
            lr * gradient - vector,
        "that is the gradient alone; add `lr` times it to the vector.":
            gradient - vector,
        "you took the gradient at the vector of length one; make the leaf of "
        "the vector itself, and divide by its norm after that.":
            lr * vector.norm() * gradient,
    })  # fmt: skip
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
        vectors = make_images(4, 6) * lengths[:, None]
        found = expect_tensor(answer(vectors, limit), (4, 6)).double()
        norms = vectors.norm(dim=1, keepdim=True)
        factors = limit / norms
        if is_close(found, vectors * factors.clamp(max=1)):
            continue
        name_mistake(found, {
            "you lengthen the short ones too; let a vector be that is within "
            "the limit.": vectors * factors,
            "you took the norm of all vectors together; each row has its own "
            "(`dim=1`).": vectors * (limit / vectors.norm()).clamp(max=1),
            "you took the norms of the columns; each row has its own "
            "(`dim=1`).": vectors * (limit / vectors.norm(dim=0)).clamp(max=1),
            "you limit each number; it is the length of the vector that is "
            "limited, and its direction stays.": vectors.clamp(-limit, limit),
            "you give long vectors the length 1, and not `limit`.":
                vectors / torch.where(norms > limit, norms, 1),
            "you give all vectors the length 1; those that are longer than "
            "`limit` get that length, the others stay.": vectors / norms,
            "a row's factor is never *more* than 1: `clamp(max=1)`.":
                vectors * factors.clamp(min=1),
        })  # fmt: skip
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
    climbs, truth = zip(*CLIMBS, strict=True)
    said = [bool(answer(list(climb))) for climb in climbs]
    for sentence, rule in WRONG_RULES.items():
        if said == [len(each) > WINDOW and rule(each) for each in climbs]:
            raise Mistake(sentence)
    for climb, each, settled in zip(climbs, said, truth, strict=True):
        if each != settled and len(climb) <= WINDOW:
            raise Mistake(
                "with four measures or fewer it is too early to say so."
            )
        if each != settled:
            raise Mistake(f"for {climb} the answer is {settled}.")


def find_gain(found: list[float]) -> float:
    """Return by how much the last few similarities raised the best."""
    return max(found) - max(found[:-WINDOW])


def find_limit(found: list[float]) -> float:
    """Return the least gain that counts."""
    return LEAST_SHARE * (max(found) - found[0])


WRONG_RULES = {  # what may be said of more than four similarities
    "2 % of all progress so far, not a gain of 0.02.":
        lambda s: find_gain(s) <= LEAST_SHARE,
    "2 % of all progress so far (the best minus the first), not of the best.":
        lambda s: find_gain(s) <= LEAST_SHARE * max(s),
    "all progress goes up to the best, and not to the last one.":
        lambda s: find_gain(s) <= LEAST_SHARE * (s[-1] - s[0]),
    "all progress goes up to the best of all, the last four among them.":
        lambda s: find_gain(s) <= find_limit(s[:-WINDOW]),
    "`<=`, and not `<`: a gain of 0 is no more than 2 % of 0.":
        lambda s: find_gain(s) < find_limit(s),
    "compare the best values; the last one may have dipped.":
        lambda s: s[-1] - s[-WINDOW - 1] <= find_limit(s),
    "the last one may have dipped; take the best of all instead.":
        lambda s: s[-1] - max(s[:-WINDOW]) <= find_limit(s),
    "compare with the best of all before the last four, and not with the one "
    "just before them.":
        lambda s: max(s) - s[-WINDOW - 1] <= find_limit(s),
    "`[:-3]` leaves out the last three; leave out the last four.":
        lambda s: max(s) - max(s[:-3]) <= find_limit(s),
    "`[:4]` are the first four; `[:-4]` are those before the last four.":
        lambda s: max(s) - max(s[:WINDOW]) <= find_limit(s),
}  # fmt: skip
