"""What is done when the memory of a GPU is full."""

from collections.abc import Callable
from typing import TypeVar

import torch
from tqdm.auto import tqdm

from tutorial_lib.inversion.losses import DenoisingLoss, SimilarityLoss

Result = TypeVar("Result")


def with_less_memory(
    loss: SimilarityLoss | DenoisingLoss, compute: Callable[[], Result]
) -> Result:
    """Compute something; while the memory is full, take less of it.

    Each time this is said aloud. Raises WordError if nothing helps.
    """
    while True:
        try:
            return compute()
        except torch.cuda.OutOfMemoryError:
            pass  # until here the error keeps what filled the memory
        torch.cuda.empty_cache()
        tqdm.write(loss.save_memory())
