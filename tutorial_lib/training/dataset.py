"""Render the captioned images that the tiny models learn from.

Images are written in shards of 1,000, each from its own seed, so that a
stopped run resumes with the next missing shard and ends the same.
"""

import json
import multiprocessing
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.evaluation import CaptionedImages
from tutorial_lib.files import write_atomically
from tutorial_lib.training.judge_images import NO_LABEL
from tutorial_lib.world import (
    label_scene,
    render_scene,
    sample_captioned_scene,
)

SHARD_SIZE = 1000

ShardTask = tuple[Path, int, int]  # the file, the shard's number, the size


# --- rendering -------------------------------------------------------------


def render_captioned_shard(task: ShardTask) -> None:
    """Render one shard of captioned images to a file."""
    path, number, size = task
    rng = random.Random(f"captioned {number}")
    scenes = [sample_captioned_scene(rng) for _ in range(SHARD_SIZE)]
    pixels = [np.asarray(render_scene(scene, size)) for scene, _ in scenes]
    save_shard(
        path,
        pixels,
        [caption for _, caption in scenes],
        [label_scene(scene) for scene, _ in scenes],
    )


# --- shards ----------------------------------------------------------------


def save_shard(
    path: Path,
    pixels: list[np.ndarray],
    captions: list[str],
    labels: list[dict[str, Any]],
) -> None:
    """Write a shard; a file that exists is always whole."""
    text = json.dumps({"captions": captions, "labels": labels})
    with write_atomically(path) as unfinished:
        np.savez(unfinished, pixels=np.stack(pixels), text=np.array(text))


def render_shards(
    folder: Path,
    count: int,
    size: int,
    render_shard: Callable[[ShardTask], None],
    workers: int = 2,
    first: int = 0,
) -> None:
    """Render the shards of images `first` to `count` that are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [
        (folder / f"{number:04d}.npz", number, size)
        for number in list_shards(count, first)
    ]
    tasks = [task for task in tasks if not task[0].exists()]
    if not tasks:
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        shards = pool.imap_unordered(render_shard, tasks)
        for _ in tqdm(
            shards, total=len(tasks), desc=f"rendering {folder.name}"
        ):
            pass


def list_shards(count: int, first: int = 0) -> range:
    """Return the numbers of the shards of images `first` to `count`."""
    return range(first // SHARD_SIZE, -(-count // SHARD_SIZE))


def load_images(folder: Path, count: int, first: int = 0) -> CaptionedImages:
    """Load the images `first` to `count` of a folder of shards."""
    pixels: list[np.ndarray] = []
    captions: list[str] = []
    labels: list[dict[str, Any]] = []
    for number in list_shards(count, first):
        with np.load(folder / f"{number:04d}.npz") as shard:
            pixels.append(shard["pixels"])
            text = json.loads(str(shard["text"]))
        captions += text["captions"]
        labels += text["labels"]
    start = first // SHARD_SIZE * SHARD_SIZE
    wanted = slice(first - start, count - start)
    return CaptionedImages(
        np.concatenate(pixels)[wanted], captions[wanted], labels[wanted]
    )


# --- labels ----------------------------------------------------------------


def collect_labels(labels: list[dict[str, Any]]) -> dict[str, list[str]]:
    """List every attribute and the labels it can have, in fixed order."""
    values_of = defaultdict(set)
    for label in labels:
        for name, value in label.items():
            values_of[name].add(value)
    return {name: sorted(values) for name, values in sorted(values_of.items())}


def encode_labels(
    labels: list[dict[str, Any]], known: dict[str, list[str]]
) -> dict[str, Int[Tensor, " num_images"]]:
    """Return the index of each image's label, by attribute.

    `known` is what `collect_labels` gives; `NO_LABEL` stands where an image
    has no such attribute.
    """
    return {
        name: torch.tensor(
            [
                values.index(label[name]) if name in label else NO_LABEL
                for label in labels
            ]
        )
        for name, values in known.items()
    }
