"""The tiny models, with which an answer is compared with the library."""

import functools

import torch
from torch import Tensor

from tutorial_lib.exercises.checking import Mistake
from tutorial_lib.models import Models, load_models

MAX_DIFFERENCE = 1e-4  # of float32 numbers that were added in another order


@functools.cache
def load_tiny_models() -> Models:
    """Load the tiny models once, on the CPU, whatever the lesson runs with.

    There an answer and the library agree to the last bits, on any machine.
    """
    return load_models("tiny", device="cpu")


def compare_with_library(value: Tensor, library: Tensor, what: str) -> float:
    """Return the largest difference of an answer's numbers and the library's.

    `what` names them in the sentence of the Mistake that is raised if they
    differ by more than rounding.
    """
    difference = (value.detach() - library.detach()).abs().max().item()
    if not difference <= MAX_DIFFERENCE * max(1.0, library.abs().max().item()):
        raise Mistake(
            f"on small examples you are right, but {what} and the library's "
            f"differ by up to {difference:.2g}."
        )
    return difference


def make_random_vectors(width: int) -> Tensor:
    """Return one vector (1, width) as long as an ordinary word's."""
    return 0.05 * torch.randn(1, width)
