"""Which images a batch is made of: mixtures, and groups of lookalikes."""

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from tutorial_lib.errors import CommandError
from tutorial_lib.training.batches import (
    BatchSource,
    Index,
    ShardDataset,
    map_shard,
    name_shard,
    open_shard,
)

GROUP_SIZE, NUM_GROUPS = 32, 4  # half of a batch of 256
LOOK_AGAIN = 2.0  # seconds after which a folder is looked at again


class ImagePool:
    """The shards in some folders, which may grow while a model is trained.

    `numbers` names the shards of each folder. Without it, whatever is there
    counts, and new shards are noticed.
    """

    def __init__(
        self, folder: Path, numbers: dict[str, list[int]] | None = None
    ) -> None:
        self.folder = folder
        self.numbers = dict(numbers or {})
        self.grows = numbers is None
        self.looked_at: dict[str, float] = {}

    def list_numbers(self, name: str) -> list[int]:
        """Return the numbers of the shards in a folder, in order.

        Raises CommandError if there are none.
        """
        since = time.monotonic() - self.looked_at.get(name, -LOOK_AGAIN)
        if self.grows and since >= LOOK_AGAIN:
            paths = (self.folder / name).glob("[0-9]*.safetensors")
            self.numbers[name] = sorted(int(path.stem) for path in paths)
            self.looked_at[name] = time.monotonic()
        if not self.numbers.get(name):
            raise CommandError(
                f"There are no images in '{self.folder / name}'; "
                f"run `textual-inversion models pictures` first."
            )
        return self.numbers[name]

    def count_rows(self, name: str) -> int:
        """Return how many images each shard of a folder has."""
        number = self.list_numbers(name)[0]
        shard = map_shard(name_shard(self.folder / name, number))
        return len(next(iter(shard.values())))


class MixtureSampler:
    """Chooses images at random, a share of them from a second folder."""

    def __init__(
        self,
        pool: ImagePool,
        share: float = 0.0,
        names: tuple[str, str] = ("captioned", "wearers"),
    ) -> None:
        self.pool = pool
        self.share = share
        self.names = names

    def __call__(self, count: int, generator: torch.Generator) -> list[Index]:
        """Return the indices of `count` images."""
        draws = torch.rand((3, count), generator=generator).tolist()
        indices = []
        known = {
            name: (self.pool.list_numbers(name), self.pool.count_rows(name))
            for name in (self.names if self.share else self.names[:1])
        }
        for choice, shard, row in zip(*draws, strict=True):
            name = self.names[choice < self.share]
            numbers, num_rows = known[name]
            number = numbers[int(shard * len(numbers))]
            indices.append((name, number, int(row * num_rows)))
        return indices


class LookalikeSampler:
    """Chooses half of a batch from a few groups of images that look alike.

    They are hard negatives (Robinson et al. 2021): among images sampled at
    random, colours alone tell the captions apart, and CLIP would never need
    to learn what a heart or a star is. The other half is a mixture. For each
    image two numbers are kept in memory, and nothing else.
    """

    def __init__(
        self,
        pool: ImagePool,
        share: float = 0.0,
        names: tuple[str, str] = ("captioned", "wearers"),
    ) -> None:
        self.mixture = MixtureSampler(pool, share, names)
        self.pool = pool
        self.names = names if share else names[:1]
        self.known: list[tuple[str, int]] = []  # shards: a folder, a number
        self.order: Int[Tensor, " num_images"] = torch.empty(0).long()
        self.ends: Int[Tensor, " num_groups"] = torch.empty(0).long()

    def __call__(self, count: int, generator: torch.Generator) -> list[Index]:
        """Return the indices of `count` images: groups first."""
        self._group_shards()
        size = min(GROUP_SIZE, count // (2 * NUM_GROUPS))
        chosen = torch.randint(
            len(self.ends), (NUM_GROUPS,), generator=generator
        )
        starts = torch.cat([torch.zeros(1).long(), self.ends])[:-1]
        indices: list[Index] = []
        for start, end in zip(
            starts[chosen].tolist(), self.ends[chosen].tolist(), strict=True
        ):
            members = torch.randint(start, end, (size,), generator=generator)
            indices += self._find(self.order[members].tolist())
        return indices + self.mixture(count - len(indices), generator)

    def _find(self, places: Sequence[int]) -> list[Index]:
        """Return the indices of images by their places among all."""
        rows = self.pool.count_rows(self.names[0])
        return [(*self.known[p // rows], p % rows) for p in places]

    def _group_shards(self) -> None:
        """Sort all images by their lookalikes, if there are new shards."""
        known = [
            (name, number)
            for name in self.names
            for number in self.pool.list_numbers(name)
        ]
        if known == self.known:
            return
        self.known = known
        keys = torch.cat(
            [
                open_shard(name_shard(self.pool.folder / name, number))[
                    "lookalike_keys"
                ]
                for name, number in known
            ]
        )
        self.order = keys.argsort(stable=True)
        _, counts = keys[self.order].unique_consecutive(return_counts=True)
        self.ends = counts.cumsum(0)


def make_source(
    pool: ImagePool,
    columns: Sequence[str],
    share: float = 0.0,
    names: tuple[str, str] = ("captioned", "wearers"),
) -> BatchSource:
    """Make batches of some columns of a pool, mixed of two of its folders.

    `share` is how much of a batch the second folder is.
    """
    dataset = ShardDataset(pool.folder, columns)
    return BatchSource(dataset, MixtureSampler(pool, share, names))
