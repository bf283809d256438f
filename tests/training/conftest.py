"""A few rendered images, for all tests of the training."""

import pytest
from mini_training import SHARD_SIZE

from tutorial_lib.training import dataset

SIZE = 64
NUMBERS = {
    "held-out": [79],
    "captioned": [0, 1],
    "wearers": [0],
}


@pytest.fixture(scope="session")
def shards(tmp_path_factory):
    """Return a folder with small shards of every kind of images."""
    folder = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "SHARD_SIZE", SHARD_SIZE)
        for task in dataset.list_tasks(folder, NUMBERS, SIZE):
            dataset.render_task(task)
    return folder
