"""From step to step: which images a training sees, and how they come."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import BatchSampler, DataLoader

from tutorial_lib.training.batches import (
    SEED_STRIDE,
    BatchSource,
    Sample,
    ShardDataset,
)
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.resident import ResidentShards

SAMPLING = 2**40  # what keeps a step's sampling apart from its noise
ENDLESS = 2**31  # steps of a training that ends by the clock


class StepSampler(BatchSampler):
    """The indices of each step's batch, which depend on its number alone."""

    def __init__(
        self, sample: Sample, config: PretrainingConfig, first_step: int
    ) -> None:
        self.sample = sample
        self.config = config
        self.steps = range(first_step, config.steps or ENDLESS)
        self.batch_size = config.batch_size // config.accumulation
        self.drop_last = True

    def __iter__(self) -> Iterator[list[Any]]:
        """Yield indices, a step's batch in `accumulation` parts."""
        for step in self.steps:
            seed = self.config.seed * SEED_STRIDE + step + SAMPLING
            generator = torch.Generator().manual_seed(seed)
            indices = self.sample(self.config.batch_size, generator)
            for start in range(0, len(indices), self.batch_size):
                yield list(indices[start : start + self.batch_size])

    def __len__(self) -> int:
        """Return how many parts of batches there are."""
        return len(self.steps) * self.config.accumulation


def make_loader(
    source: BatchSource,
    config: PretrainingConfig,
    first_step: int,
    device: torch.device,
) -> DataLoader:
    """Make the DataLoader of a training that begins at some step.

    Batches are read by the config's workers, for a GPU into memory that it
    fetches from by itself; or all images stay on `device`.
    """
    dataset, workers = source.dataset, config.workers
    pin = device.type == "cuda"
    if config.data_on_device and isinstance(dataset, ShardDataset):
        dataset, workers, pin = ResidentShards(dataset, device), 0, False
    return DataLoader(
        dataset,
        batch_sampler=StepSampler(source.sample, config, first_step),
        collate_fn=keep,
        num_workers=workers,
        pin_memory=pin,
    )


def keep(batch: Any) -> Any:
    """Return a batch as its dataset made it: whole already."""
    return batch
