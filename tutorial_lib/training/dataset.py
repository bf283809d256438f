"""Render the captioned images that the tiny models learn from.

Images are written in shards of 1,000, each from its own seed, so that a
stopped run resumes with the next missing shard and ends the same. A shard
is a safetensors file, which can be read row by row.
"""

import json
import multiprocessing
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Int, UInt8
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.evaluation import CaptionedImages
from tutorial_lib.files import write_atomically
from tutorial_lib.training import judge_images
from tutorial_lib.training.annotations import annotate
from tutorial_lib.training.batches import map_shard, name_shard
from tutorial_lib.training.training_run import TrainingRun
from tutorial_lib.world import (
    Scene,
    label_scene,
    render_scene,
    sample_captioned_scene,
    sample_wearer_scene,
)

SHARD_SIZE = 1000
ShardTask = tuple[Path, int, int]  # the file, the shard's number, the size


# --- rendering -------------------------------------------------------------


def render_captioned_shard(task: ShardTask) -> None:
    """Render one shard of captioned images to a file."""
    _render_scenes(task, "captioned", sample_captioned_scene)


def render_wearer_shard(task: ShardTask) -> None:
    """Render one shard of people in patterns to a file."""
    _render_scenes(task, "wearers", sample_wearer_scene)


def _render_scenes(
    task: ShardTask,
    name: str,
    sample_scene: Callable[[random.Random], tuple[Scene, str]],
) -> None:
    """Render one shard of scenes with captions, and what CLIP is asked."""
    path, number, size = task
    rng = random.Random(f"{name} {number}")
    scenes = [sample_scene(rng) for _ in range(SHARD_SIZE)]
    pixels = [np.asarray(render_scene(scene, size)) for scene, _ in scenes]
    captions = [caption for _, caption in scenes]
    labels = [label_scene(scene) for scene, _ in scenes]
    columns = annotate(captions, labels, seed=number)
    save_shard(path, pixels, captions, labels, columns)


# --- shards ----------------------------------------------------------------


def save_shard(
    path: Path,
    pixels: list[np.ndarray],
    captions: list[str],
    labels: list[dict[str, Any]],
    columns: dict[str, Tensor] | None = None,
) -> None:
    """Write a shard; a file that exists is always whole.

    `columns` are further tensors, with a row for each image.
    """
    stacked = torch.from_numpy(np.stack(pixels))
    text = {"captions": json.dumps(captions), "labels": json.dumps(labels)}
    with write_atomically(path) as unfinished:
        save_file(
            {"pixels": stacked, **(columns or {})}, unfinished, metadata=text
        )


def render_shards(
    folder: Path,
    numbers: dict[str, list[int]],
    size: int,
    workers: int = 2,
) -> None:
    """Render the shards that are missing in some folders of RENDERERS.

    `numbers` names the shards of each. All are rendered `size` pixels wide.
    """
    tasks = list_tasks(folder, numbers, size)
    if not tasks:
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        shards = pool.imap_unordered(render_task, tasks)
        for _ in tqdm(shards, total=len(tasks), desc="rendering images"):
            pass


def number_shards(run: TrainingRun) -> dict[str, list[int]]:
    """Return the numbers of the shards in each folder of a run's images."""
    return run.number_shards(SHARD_SIZE, judge_images.SHARD_SIZE)


def path_of(folder: Path, name: str, number: int) -> Path:
    """Return the path of a shard in one of the folders of RENDERERS."""
    if name == "judges":
        return judge_images.shard_path(folder / name, number)
    return name_shard(folder / name, number)


def list_tasks(
    folder: Path, numbers: dict[str, list[int]], size: int
) -> list[ShardTask]:
    """List what is to be rendered: the shards that are missing."""
    paths = [
        (path_of(folder, name, number), number)
        for name, wanted in numbers.items()
        for number in wanted
    ]
    return [
        (path, number, size) for path, number in paths if not path.exists()
    ]


RENDERERS: dict[str, Callable[[ShardTask], None]] = {
    "held-out": render_captioned_shard,
    "captioned": render_captioned_shard,
    "wearers": render_wearer_shard,
    "judges": lambda task: judge_images.render_judge_shard(*task),
}


def render_task(task: ShardTask) -> None:
    """Render a shard of the folder that it lies in."""
    RENDERERS[task[0].parent.name](task)


def read_texts(path: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the captions and the labels of a shard."""
    with safe_open(path, framework="pt") as shard:
        text = shard.metadata()
    return json.loads(text["captions"]), json.loads(text["labels"])


def load_images(
    folder: Path, numbers: range | list[int], count: int | None = None
) -> CaptionedImages:
    """Return the (first `count`) images of some shards of a folder.

    Their pixels stay on disk, and are read where they are used.
    """
    captions: list[str] = []
    labels: list[dict[str, Any]] = []
    paths = [name_shard(folder, number) for number in numbers]
    pixels = MappedPixels([map_shard(path)["pixels"] for path in paths])
    for path in paths:
        more_captions, more_labels = read_texts(path)
        captions += more_captions
        labels += more_labels
    pixels.count = len(captions[:count])
    return CaptionedImages(
        cast(np.ndarray, pixels), captions[:count], labels[:count]
    )


class MappedPixels:
    """The pixels of several shards as if they were one array."""

    def __init__(
        self, shards: list[UInt8[Tensor, "num_images height width 3"]]
    ) -> None:
        self.shards = [shard.numpy() for shard in shards]
        self.ends = np.cumsum([len(shard) for shard in shards])
        self.count = int(self.ends[-1])

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[UInt8[np.ndarray, "height width 3"]]:
        """Yield the pixels of one image after the other."""
        return (self[np.array([index])][0] for index in range(self.count))

    def __getitem__(
        self, indices: Int[np.ndarray, " batch"]
    ) -> UInt8[np.ndarray, "batch height width 3"]:
        """Read the pixels of some images."""
        numbers = np.searchsorted(self.ends, indices, side="right")
        rows = indices - np.append(0, self.ends)[numbers]
        return np.stack(
            [self.shards[n][r] for n, r in zip(numbers, rows, strict=True)]
        )
