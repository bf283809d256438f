"""Checks of the exercises of lesson 01: cosines, shares, pairs."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)


def make_vectors(num: int, width: int = 5) -> Float[Tensor, "num width"]:
    """Make vectors of random directions and lengths, in double precision."""
    lengths = torch.rand(num, 1).double() * 4 + 0.5
    return torch.randn(num, width).double() * lengths


def normalize(
    vectors: Float[Tensor, "num width"],
) -> Float[Tensor, "num width"]:
    """Return the vectors at length one."""
    return functional.normalize(vectors, dim=-1)


@tells_mistakes
def check_compare_all(
    compare_all: Callable[
        [Float[Tensor, "n width"], Float[Tensor, "m width"]],
        Float[Tensor, "n m"],
    ],
) -> None:
    """Check a function that compares all vectors a with all vectors b.

    Taught in notebooks/01_clip_similarity.ipynb.
    """
    a, b = make_vectors(3), make_vectors(4)
    cosines = compare_all(a.float(), b.float())
    truth = normalize(a) @ normalize(b).T
    if isinstance(cosines, Tensor) and tuple(cosines.shape) == (4, 3):
        raise Mistake(
            "your table lies on its side: the rows belong to a, the columns "
            "to b."
        )
    cosines = expect_tensor(cosines, (3, 4))
    if is_close(cosines, truth):
        return
    name_wrong_cosines(cosines, a, b)
    raise Mistake(
        f"in the first row and column stands {cosines[0, 0]:.3f}, and the "
        f"cosine is {truth[0, 0]:.3f}."
    )


def name_wrong_cosines(
    cosines: Float[Tensor, "n m"],
    a: Float[Tensor, "n width"],
    b: Float[Tensor, "m width"],
) -> None:
    """Raise Mistake if wrong cosines come of a typical mistake."""
    dots = a @ b.T
    one_normalized = "only one of the two is divided by its length."
    columns = functional.normalize(a, dim=0) @ functional.normalize(b, dim=0).T
    mistakes = [
        (
            dots,
            "these are the dot products, and long vectors win; divide each "
            "vector by its length.",
        ),
        (normalize(a) @ b.T, one_normalized),
        (a @ normalize(b).T, one_normalized),
        (
            dots / (a.norm() * b.norm()),
            "`norm()` alone is one number for the whole table of vectors; "
            "each row has a length of its own (`dim=-1`).",
        ),
        (
            columns,
            "you divided by the lengths of the columns; a vector is a row "
            "(`dim=-1`).",
        ),
    ]
    name_mistake(cosines, mistakes)


@tells_mistakes
def check_share_texts(
    share_texts: Callable[
        [Float[Tensor, "texts images"], float], Float[Tensor, "texts images"]
    ],
) -> None:
    """Check a function that turns similarities into shares of each picture.

    Taught in notebooks/01_clip_similarity.ipynb.
    """
    table = torch.rand(4, 3).double() * 1.2 - 0.3
    scale = 10.0
    shares = expect_tensor(share_texts(table.float(), scale), (4, 3))
    truth = (scale * table).softmax(0)
    if not is_close(shares, truth):
        name_wrong_shares(shares.double(), table, scale)
        raise Mistake(
            f"the first text's share of the first picture is "
            f"{truth[0, 0]:.3f}, and yours {shares[0, 0]:.3f}."
        )
    large = torch.tensor([[0.95], [0.90]])
    if not is_close(share_texts(large, 100.0), (100 * large).softmax(0)):
        raise Mistake(
            "at scale 100 your numbers overflow: exp(95) is more than "
            "float32 can hold; `softmax` takes care of that."
        )


def name_wrong_shares(
    shares: Float[Tensor, "texts images"],
    table: Float[Tensor, "texts images"],
    scale: float,
) -> None:
    """Raise Mistake if wrong shares come of a typical mistake."""
    wrong_axis = (
        "your rows add up to 1; for each picture, a column, the texts "
        "should share the 1."
    )
    mistakes = [
        ((scale * table).softmax(1), wrong_axis),
        (table.softmax(1), wrong_axis),
        (table.softmax(0), "the scale is not used; multiply by it first."),
        (
            (table / scale).softmax(0),
            "you divide by the scale; it multiplies.",
        ),
        (
            (scale * table).exp(),
            "the columns do not add up to 1; divide by their sums.",
        ),
        (
            table / table.sum(0),
            "similarities may be negative, and shares may not; take exp() "
            "before you divide by the sums, or `softmax`.",
        ),
    ]
    name_mistake(shares, mistakes)


@tells_mistakes
def check_compare_within(
    compare_within: Callable[[Float[Tensor, "num width"]], Float[Tensor, ""]],
) -> None:
    """Check a function that averages the cosine of all pairs of a set.

    Taught in notebooks/01_clip_similarity.ipynb.
    """
    num = 6
    vectors = make_vectors(num) + 3  # their mean cosine is far from 0
    mean = torch.as_tensor(compare_within(vectors.float()))
    if mean.numel() != 1:
        raise Mistake("one number is wanted, the mean over all pairs.")
    cosines = normalize(vectors) @ normalize(vectors).T
    truth = (cosines.sum() - num) / (num * (num - 1))
    if is_close(mean, truth):
        return
    name_wrong_mean(mean, vectors)
    raise Mistake(f"the mean is {truth:.3f}, and yours {float(mean):.3f}.")


def name_wrong_mean(
    mean: Float[Tensor, ""], vectors: Float[Tensor, "num width"]
) -> None:
    """Raise Mistake if a wrong mean cosine comes of a typical mistake."""
    num, dots = len(vectors), vectors @ vectors.T
    cosines = normalize(vectors) @ normalize(vectors).T
    total, pairs = cosines.sum() - num, num * (num - 1)
    half = (
        "half of the table holds each pair once, and you divide by more "
        "than that: there are n (n - 1) / 2 pairs."
    )
    mistakes = [
        (
            cosines.mean(),
            "you count each vector with itself, which is always 1; leave "
            "the diagonal out.",
        ),
        (
            total / num**2,
            "you left the diagonal out of the sum, but not out of the "
            "number of pairs that you divide by.",
        ),
        (
            2 * total / pairs,
            "the sum holds each pair twice, and you divide by each once.",
        ),
        (total / 2 / pairs, half),
        (total / 2 / num**2, half),
        (
            (dots.sum() - dots.trace()) / pairs,
            "this is the mean dot product; divide the vectors by their "
            "lengths first.",
        ),
    ]
    name_mistake(mean, mistakes)
