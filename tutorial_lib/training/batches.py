"""Batches out of shards on disk: read when they are needed, by their rows.

Shards are mapped into memory: of any number of images only the rows of a
batch are read, and the system forgets them again when memory gets short.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset

from tutorial_lib.errors import DataError

SEED_STRIDE = 1_000_003

Index = tuple[str, int, int]  # a folder, the number of a shard in it, a row
Sample = Callable[[int, torch.Generator], Sequence[Any]]


@dataclass(frozen=True)
class BatchSource:
    """A dataset, and what chooses the indices of a whole batch of it."""

    dataset: Dataset
    sample: Sample


class ShardDataset(Dataset):
    """The rows of all shards below a folder, by their columns.

    Images, the column "pixels", are resized to `side` if that is given, as
    Pillow does it (bicubic).
    """

    def __init__(
        self, folder: Path, columns: Sequence[str], side: int | None = None
    ) -> None:
        self.folder = folder
        self.columns = tuple(columns)
        self.side = side

    def __getitem__(self, index: Index) -> dict[str, Tensor]:
        """Return one row."""
        batch = self.__getitems__([index])
        return {name: rows[0] for name, rows in batch.items()}

    def __getitems__(self, indices: Sequence[Index]) -> dict[str, Tensor]:
        """Return the rows of a whole batch, shard by shard."""
        places: dict[tuple[str, int], list[int]] = {}
        for place, (name, number, _) in enumerate(indices):
            places.setdefault((name, number), []).append(place)
        order = torch.tensor(list(itertools.chain(*places.values())))
        parts: dict[str, list[Tensor]] = {name: [] for name in self.columns}
        for (name, number), own in places.items():
            rows = torch.tensor([indices[place][2] for place in own])
            shard = map_shard(name_shard(self.folder / name, number))
            for column in self.columns:
                parts[column].append(shard[column][rows])
        back = order.argsort()
        return self._resize(
            {name: torch.cat(rows)[back] for name, rows in parts.items()}
        )

    def read_shard(
        self, name: str, number: int, device: torch.device
    ) -> dict[str, Tensor]:
        """Return all rows of a shard, on a device."""
        shard = open_shard(name_shard(self.folder / name, number))
        return self._resize(
            {column: shard[column].to(device) for column in self.columns}
        )

    def _resize(self, rows: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return rows with images of the wanted size."""
        if self.side and rows["pixels"].shape[1] != self.side:
            by_floats = rows["pixels"].device.type != "cpu"
            smaller = resize(rows["pixels"], self.side, by_floats)
            return rows | {"pixels": smaller}
        return rows


def name_shard(folder: Path, number: int) -> Path:
    """Return the path of a shard."""
    return folder / f"{number:04d}.safetensors"


def open_shard(path: Path) -> dict[str, Tensor]:
    """Map a shard's columns into memory; nothing is read until it is used.

    Raises DataError if it is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as shard:
            return {name: shard.get_tensor(name) for name in shard.keys()}
    except Exception as error:
        raise DataError(
            f"The images in '{path}' cannot be read ({error}); delete the "
            f"file and run `textual-inversion models pictures`."
        ) from None


@functools.lru_cache(maxsize=4096)
def map_shard(path: Path) -> dict[str, Tensor]:
    """Return a shard as `open_shard` does, and keep it mapped."""
    return open_shard(path)


def resize(
    pixels: UInt8[Tensor, "batch height width 3"],
    side: int,
    by_floats: bool = False,
) -> UInt8[Tensor, "batch side side 3"]:
    """Make images smaller, as Pillow does it.

    Computing with bytes, as a CPU can, is faster; a GPU needs floats.
    """
    planes = pixels.permute(0, 3, 1, 2)
    if by_floats:
        planes = planes.float()
    smaller = functional.interpolate(
        planes, size=side, mode="bicubic", antialias=True
    )
    if smaller.is_floating_point():
        smaller = smaller.round().clamp(0, 255).to(torch.uint8)
    return smaller.permute(0, 2, 3, 1)


def scale_pixels(
    pixels: UInt8[Tensor, "batch height width 3"],
) -> Float[Tensor, "batch 3 height width"]:
    """Return images as networks take them, with pixels from -1 to 1."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1
