"""What a loss may know of the step that it is computed for."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """How far a training is, and the random numbers of one step.

    `generator` is that of the whole batch, the same in all processes: it
    decides what holds for a whole batch. What is drawn for each image comes
    from `randn` and `rand`, so that one process draws what several do.
    `batch_size` counts the whole batch, `rows` are those of it that are at
    hand; `progress` is from 0 to 1.
    """

    generator: torch.Generator
    batch_size: int
    rows: slice
    progress: float

    def randn(self, *shape: int) -> Float[Tensor, "..."]:
        """Draw normal noise of a shape for each image at hand, on the CPU."""
        size = (self.batch_size, *shape)
        return torch.randn(size, generator=self.generator)[self.rows]

    def rand(self, *shape: int) -> Float[Tensor, "..."]:
        """Draw numbers from 0 to 1 for each image at hand, on the CPU."""
        size = (self.batch_size, *shape)
        return torch.rand(size, generator=self.generator)[self.rows]
