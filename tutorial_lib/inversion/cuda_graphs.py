"""A learning step as a CUDA graph: recorded once, then replayed.

A step at a small batch size is thousands of short kernels, and Python takes
longer to launch them than the GPU to run them. A CUDA graph launches all of
them at once.
"""

import warnings
from collections.abc import Callable
from typing import TypeAlias, cast

import torch
from torch import Tensor

ComputeLoss: TypeAlias = Callable[..., Tensor]


def record_loss(
    compute: ComputeLoss, examples: tuple[Tensor, ...]
) -> ComputeLoss | None:
    """Record a loss and its gradient as CUDA graphs, and return the replay.

    `compute` takes tensors like `examples`, on the GPU, and may neither wait
    for the GPU nor read from the CPU. Gradients reach those of them that
    require one. Without a GPU, or where recording fails, a warning gives the
    reason and None is returned. Running out of memory is raised.
    Source: torch.cuda.make_graphed_callables.
    """
    try:
        replay = torch.cuda.make_graphed_callables(compute, examples)
        return cast(ComputeLoss, replay)
    except torch.cuda.OutOfMemoryError:
        raise
    except Exception as error:  # what cannot be recorded fails in many ways
        reason = str(error).strip().splitlines() or [type(error).__name__]
        warnings.warn(
            "The learning step could not be recorded as a CUDA graph "
            f"({reason[0]}); it is launched piece by piece, which is slower "
            "and gives the same result.",
            stacklevel=2,
        )
        return None
