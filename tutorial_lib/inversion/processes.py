"""Learning one word in several processes, as in one.

Each process computes the loss on its rows of every batch. The gradient of the
vectors is all that they exchange in a step: a few kilobytes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.errors import WordError
from tutorial_lib.inversion.interrupts import delay_interrupt
from tutorial_lib.processes import (
    average_tensor,
    count_processes,
    get_process_index,
)


def pick_rows(batch_size: int) -> slice:
    """Return which rows of a batch are this process's, as even as can be.

    Raises WordError if there are more processes than rows.
    """
    count, index = count_processes(), get_process_index()
    if batch_size < count:
        raise WordError(
            f"{count} processes cannot share a batch of {batch_size}; set "
            f"`batch_size` to at least {count}, or start fewer processes."
        )
    return slice(
        batch_size * index // count, batch_size * (index + 1) // count
    )


@contextmanager
def stop_together() -> Iterator[list[Any]]:
    """Let Ctrl-C wait for `average_gradients`, if there are several processes.

    One that stopped by itself would leave the others waiting. Yields a list
    that is empty until Ctrl-C was pressed.
    """
    if count_processes() == 1:
        yield []
        return
    with delay_interrupt() as pressed:
        yield pressed


def average_gradients(
    tensors: Sequence[Float[Tensor, "num_vectors _"]],
    loss: Float[Tensor, ""],
    must_stop: bool,
    device: torch.device | str,
) -> Float[Tensor, ""]:
    """Average the tensors' gradients over all processes, and return the loss.

    The loss is averaged as well. It all travels together, from `device`. If
    any process must stop, KeyboardInterrupt is raised in each of them.
    """
    if count_processes() == 1:
        return loss
    gradients = [part.grad for part in tensors if part.grad is not None]
    stop = torch.tensor(float(must_stop))
    sent = torch.cat([part.flatten() for part in (*gradients, loss, stop)])
    mean = average_tensor(sent.to(device)).to(sent.device)
    *received, loss, stop = mean.split(
        [*(gradient.numel() for gradient in gradients), 1, 1]
    )
    for gradient, values in zip(gradients, received, strict=True):
        gradient.copy_(values.view_as(gradient))
    if stop > 0:
        raise KeyboardInterrupt
    return loss.squeeze()
