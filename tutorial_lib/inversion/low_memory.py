"""What is done when the memory of a device is full."""

from collections.abc import Callable
from typing import TypeVar

from tqdm.auto import tqdm

from tutorial_lib.devices import free_cache, is_out_of_memory
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
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        # Until here the error kept what filled the memory.
        free_cache(loss.models.device)
        tqdm.write(loss.save_memory())
