"""Rows of shards that stay on the device that trains with them.

A GPU takes batches faster than processes can read them; but a million
latents fit into its memory, and a batch of them is then one lookup.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from tutorial_lib.training.batches import Index, ShardDataset

FIRST_ROWS = 4096  # there is room for at the beginning


class ResidentShards(Dataset):
    """The rows of a ShardDataset, on one device.

    A shard is read when one of its rows is first asked for, and stays.
    """

    def __init__(self, shards: ShardDataset, device: torch.device) -> None:
        self.shards = shards
        self.device = device
        self.columns: dict[str, Tensor] = {}
        self.starts: dict[tuple[str, int], int] = {}
        self.count = 0

    def __getitems__(self, indices: Sequence[Index]) -> dict[str, Tensor]:
        """Return the rows of a whole batch."""
        for name, number in dict.fromkeys(index[:2] for index in indices):
            if (name, number) not in self.starts:
                self._take_in(name, number)
        starts = self.starts
        rows = torch.tensor([starts[n, s] + row for n, s, row in indices])
        rows = rows.to(self.device, non_blocking=True)
        return {
            name: column.index_select(0, rows)
            for name, column in self.columns.items()
        }

    def _take_in(self, name: str, number: int) -> None:
        """Read a shard, and put its rows behind those that are there."""
        shard = self.shards.read_shard(name, number, self.device)
        start = self.count
        stop = start + len(next(iter(shard.values())))
        for column, values in shard.items():
            if stop > len(self.columns.get(column, ())):
                self._make_room(column, values, stop)
            self.columns[column][start:stop] = values
        self.starts[name, number] = start
        self.count = stop

    def _make_room(self, column: str, values: Tensor, count: int) -> None:
        """Make room for `count` rows, and for as many again."""
        shape = (max(2 * count, FIRST_ROWS), *values.shape[1:])
        larger = torch.empty(shape, dtype=values.dtype, device=self.device)
        if column in self.columns:
            larger[: self.count] = self.columns[column][: self.count]
        self.columns[column] = larger
