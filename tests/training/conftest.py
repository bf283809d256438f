"""A few rendered images and a small VAE, for all tests of the training."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from mini_training import SHARD_SIZE

from tutorial_lib.training import dataset
from tutorial_lib.training.batches import name_shard

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


@pytest.fixture
def small_vae():
    """A small untrained VAE for images of 16 pixels, latents of 4 x 4."""
    torch.manual_seed(0)
    widths = (8, 8, 16)
    return AutoencoderKL(
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        norm_num_groups=4,
        sample_size=16,
        mid_block_add_attention=False,
        scaling_factor=0.5,
    )


@pytest.fixture
def edges(tmp_path):
    """A folder with a shard of eight images of sharp edges, 32 pixels wide."""
    pixels = np.full((8, 32, 32, 3), 60, np.uint8)
    for number, image in enumerate(pixels):
        image[:, 4 * number :] = 220
    path = name_shard(tmp_path / "captioned", 0)
    path.parent.mkdir()
    dataset.save_shard(
        path,
        list(pixels),
        [""] * 8,
        [{}] * 8,
        {"token_ids": torch.arange(8)[:, None]},
    )
    return tmp_path
