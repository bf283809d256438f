"""Checks of the exercises in lesson 01: cosines, shares, pairs."""

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


def make_vectors(num: int, width: int = 5) -> Tensor:
    """Make vectors (num, width) of random directions and lengths."""
    lengths = torch.rand(num, 1).double() * 4 + 0.5
    return torch.randn(num, width).double() * lengths


def normalize(vectors: Tensor) -> Tensor:
    """Return the vectors at length one."""
    return functional.normalize(vectors, dim=-1)


@tells_mistakes
def check_compare_all(compare_all: Callable) -> None:
    """Check a function that compares all vectors a with all vectors b.

    Taught in notebooks/01_clip_similarity.ipynb.
    """
    a, b = make_vectors(3), make_vectors(4)
    found = compare_all(a.float(), b.float())
    truth = normalize(a) @ normalize(b).T
    if isinstance(found, Tensor) and tuple(found.shape) == (4, 3):
        raise Mistake(
            "your table lies on its side: the rows belong to a, the columns "
            "to b."
        )
    found = expect_tensor(found, (3, 4))
    if is_close(found, truth):
        return
    dots = a @ b.T
    if is_close(found, dots):
        raise Mistake(
            "these are the dot products, and long vectors win; divide each "
            "vector by its length."
        )
    if is_close(found, normalize(a) @ b.T) or is_close(
        found, a @ normalize(b).T
    ):
        raise Mistake("only one of the two is divided by its length.")
    if is_close(found, dots / (a.norm() * b.norm())):
        raise Mistake(
            "`norm()` alone is one number for the whole table of vectors; "
            "each row has a length of its own (`dim=-1`)."
        )
    columns = functional.normalize(a, dim=0) @ functional.normalize(b, dim=0).T
    if is_close(found, columns):
        raise Mistake(
            "you divided by the lengths of the columns; a vector is a row "
            "(`dim=-1`)."
        )
    raise Mistake(
        f"in the first row and column stands {found[0, 0]:.3f}, and the "
        f"cosine is {truth[0, 0]:.3f}."
    )


@tells_mistakes
def check_share_texts(share_texts: Callable) -> None:
    """Check a function that turns similarities into shares of each picture.

    Taught in notebooks/01_clip_similarity.ipynb.
    """
    table = torch.rand(4, 3).double() * 1.2 - 0.3
    scale = 10.0
    found = expect_tensor(share_texts(table.float(), scale), (4, 3))
    truth = (scale * table).softmax(0)
    if not is_close(found, truth):
        name_wrong_shares(found.double(), table, scale)
        raise Mistake(
            f"the first text's share of the first picture is "
            f"{truth[0, 0]:.3f}, and yours {found[0, 0]:.3f}."
        )
    large = torch.tensor([[0.95], [0.90]])
    if not is_close(share_texts(large, 100.0), (100 * large).softmax(0)):
        raise Mistake(
            "at scale 100 your numbers overflow: exp(95) is more than "
            "float32 can hold; `softmax` takes care of that."
        )


def name_wrong_shares(found: Tensor, table: Tensor, scale: float) -> None:
    """Raise Mistake if wrong shares come of a typical mistake."""
    if is_close(found, (scale * table).softmax(1)) or is_close(
        found, table.softmax(1)
    ):
        raise Mistake(
            "your rows add up to 1; for each picture, a column, the texts "
            "should share the 1."
        )
    if is_close(found, table.softmax(0)):
        raise Mistake("the scale is not used; multiply by it first.")
    if is_close(found, (table / scale).softmax(0)):
        raise Mistake("you divide by the scale; it multiplies.")
    if is_close(found, (scale * table).exp()):
        raise Mistake("the columns do not add up to 1; divide by their sums.")
    if is_close(found, table / table.sum(0)):
        raise Mistake(
            "similarities may be negative, and shares may not; take exp() "
            "before you divide by the sums, or `softmax`."
        )


@tells_mistakes
def check_compare_within(compare_within: Callable) -> None:
    """Check a function that averages the cosine of all pairs of a set.

    Taught in notebooks/01_clip_similarity.ipynb.
    """
    num = 6
    vectors = make_vectors(num) + 3  # their mean cosine is far from 0
    found = compare_within(vectors.float())
    if torch.as_tensor(found).numel() != 1:
        raise Mistake("one number is wanted, the mean over all pairs.")
    cosines = normalize(vectors) @ normalize(vectors).T
    total = cosines.sum() - num
    pairs = num * (num - 1)
    if is_close(found, total / pairs):
        return
    dots = vectors @ vectors.T
    if is_close(found, cosines.mean()):
        raise Mistake(
            "you count each vector with itself, which is always 1; leave "
            "the diagonal out."
        )
    if is_close(found, total / num**2):
        raise Mistake(
            "you left the diagonal out of the sum, but not out of the "
            "number of pairs that you divide by."
        )
    if is_close(found, 2 * total / pairs):
        raise Mistake(
            "the sum holds each pair twice, and you divide by each once."
        )
    if is_close(found, total / 2 / pairs) or is_close(
        found, total / 2 / num**2
    ):
        raise Mistake(
            "half of the table holds each pair once, and you divide by more "
            "than that: there are n (n - 1) / 2 pairs."
        )
    if is_close(found, (dots.sum() - dots.trace()) / pairs):
        raise Mistake(
            "this is the mean dot product; divide the vectors by their "
            "lengths first."
        )
    raise Mistake(
        f"the mean is {total / pairs:.3f}, and yours {float(found):.3f}."
    )
