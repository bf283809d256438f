"""What a loss may know of the step that it is computed for."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.training.batches import SEED_STRIDE
from tutorial_lib.training.config import PretrainingConfig


@dataclass(frozen=True)
class Step:
    """How far a training is, and the random numbers of one step.

    `generator` is that of the whole batch, the same in all processes, on the
    CPU: it decides what holds for a whole batch. What is drawn for each image
    comes from `randn` and `rand`, so that one process draws what several do;
    they draw with `noise_generator`, on its device (None: with `generator`).
    `batch_size` counts the whole batch, `rows` are those of it that are at
    hand; `progress` is from 0 to 1.
    """

    generator: torch.Generator
    batch_size: int
    rows: slice
    progress: float
    noise_generator: torch.Generator | None = None

    def randn(self, *shape: int) -> Float[Tensor, "..."]:
        """Draw normal noise of a shape for each image at hand."""
        return self._draw(torch.randn, shape)

    def rand(self, *shape: int) -> Float[Tensor, "..."]:
        """Draw numbers from 0 to 1 for each image at hand."""
        return self._draw(torch.rand, shape)

    def _draw(
        self, draw: Callable[..., Tensor], shape: tuple[int, ...]
    ) -> Float[Tensor, "..."]:
        """Draw for the whole batch, and return what is at hand."""
        generator = self.noise_generator or self.generator
        size = (self.batch_size, *shape)
        drawn = draw(size, generator=generator, device=generator.device)
        return drawn[self.rows]


def make_step(
    config: PretrainingConfig,
    number: tuple[int, int],
    progress: float,
    process: tuple[int, int],
    device: torch.device,
) -> Step:
    """Make the step of one process.

    `number` is the step's and that of the part of its batch, `process` the
    process's and how many there are. On a GPU noise is drawn there: what a
    CPU draws would keep it waiting.
    """
    step, part = number
    index, num_processes = process
    total = config.batch_size // config.accumulation
    count = total // num_processes
    first = part * total + count * index
    seed = config.seed * SEED_STRIDE + step
    generator = torch.Generator().manual_seed(seed)
    return Step(
        generator=generator,
        batch_size=config.batch_size,
        rows=slice(first, first + count),
        progress=progress,
        noise_generator=None
        if device.type == "cpu"
        else torch.Generator(device).manual_seed(seed),
    )
