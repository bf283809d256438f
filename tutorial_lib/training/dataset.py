"""Draw the captioned pictures from which the tiny models learn.

Pictures are written in shards of 1,000, each from its own seed, so that a
stopped run goes on with the next missing shard and ends the same.
"""

import json
import multiprocessing
import os
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.evaluation import CaptionedImages
from tutorial_lib.world import (
    KIND_NAMES,
    cut_part,
    kind_of,
    label_scene,
    lookalikes,
    pattern_scene,
    person_scene,
    render_scene,
    render_wearer,
    sample_captioned_scene,
    sample_concept,
)

SHARD = 1000
LOOKALIKE_GROUP, IMAGES_PER_CONCEPT = 4, 5
CUT_SHARE = 0.25  # of a judge's pictures: heads or shirts, cut out


def render_captioned_shard(task: tuple[Path, int, int]) -> None:
    """Draw one shard of captioned pictures to a file."""
    path, number, size = task
    rng = random.Random(f"captioned {number}")
    scenes = [sample_captioned_scene(rng) for _ in range(SHARD)]
    pixels = [np.asarray(render_scene(scene, size)) for scene, _ in scenes]
    save_shard(
        path,
        pixels,
        [caption for _, caption in scenes],
        [label_scene(scene) for scene, _ in scenes],
    )


def render_judge_shard(task: tuple[Path, int, int]) -> None:
    """Draw one shard for the judges: several pictures of each concept.

    Concepts come in groups that one description fits, so that a judge has
    to look at what words leave out. Some pictures show a head or a shirt
    alone, cut out of a person in a pattern, for that is how two names in
    one prompt are judged. Labels hold the concept's number.
    """
    path, number, size = task
    kind = KIND_NAMES[number % 2]
    rng = random.Random(f"judges {number}")
    pixels, labels = [], []
    for group in range(SHARD // LOOKALIKE_GROUP // IMAGES_PER_CONCEPT):
        concept = sample_concept(kind, rng)
        alike = lookalikes(concept, LOOKALIKE_GROUP - 1, number)
        for index, member in enumerate([concept, *alike]):
            for _ in range(IMAGES_PER_CONCEPT):
                image = _render_for_judge(member, rng, size)
                pixels.append(np.asarray(image))
                labels.append(
                    {
                        "kind": kind,
                        "concept": f"{number}-{group}-{index}",
                        "group": f"{number}-{group}",
                    }
                )
    save_shard(path, pixels, [""] * len(pixels), labels)


def _render_for_judge(concept, rng: random.Random, size: int) -> Image.Image:
    """Draw a concept once, whole or as a part cut out of a picture."""
    kind = kind_of(concept)
    if rng.random() < CUT_SHARE:
        pair = {
            each: concept if each == kind else sample_concept(each, rng)
            for each in KIND_NAMES
        }
        whole = render_wearer(**pair, rng=rng, size=size, style=None)
        [part] = cut_part([whole], kind)
        return part.resize((size, size), Image.LANCZOS)
    if kind == "person":
        return render_scene(person_scene(concept, rng), size)
    subject = "corgi" if rng.random() < 0.3 else None
    return render_scene(pattern_scene(concept, rng, subject=subject), size)


def save_shard(
    path: Path,
    pixels: list,
    captions: list[str],
    labels: list[dict],
) -> None:
    """Write a shard so that a file that exists is always whole."""
    part = path.with_suffix(".part.npz")
    text = json.dumps({"captions": captions, "labels": labels})
    np.savez(part, pixels=np.stack(pixels), text=np.array(text))
    os.replace(part, path)


def render_shards(
    folder: Path,
    count: int,
    size: int,
    render_shard,
    workers: int = 2,
    first: int = 0,
) -> None:
    """Draw the shards of pictures `first` to `count` that are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [
        (folder / f"{number:04d}.npz", number, size)
        for number in list_shards(count, first)
    ]
    tasks = [task for task in tasks if not task[0].exists()]
    if not tasks:
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        done = pool.imap_unordered(render_shard, tasks)
        for _ in tqdm(done, total=len(tasks), desc=f"drawing {folder.name}"):
            pass


def list_shards(count: int, first: int = 0) -> range:
    """Return the numbers of the shards of pictures `first` to `count`."""
    return range(first // SHARD, -(-count // SHARD))


def load_images(folder: Path, count: int, first: int = 0) -> CaptionedImages:
    """Read the pictures `first` to `count` of a folder of shards."""
    pixels, captions, labels = [], [], []
    for number in list_shards(count, first):
        with np.load(folder / f"{number:04d}.npz") as shard:
            pixels.append(shard["pixels"])
            text = json.loads(str(shard["text"]))
        captions += text["captions"]
        labels += text["labels"]
    drawn = first // SHARD * SHARD
    wanted = slice(first - drawn, count - drawn)
    return CaptionedImages(
        np.concatenate(pixels)[wanted], captions[wanted], labels[wanted]
    )


def collect_labels(labels: list[dict]) -> dict[str, list[str]]:
    """List every attribute and the labels it can have, in fixed order."""
    found = defaultdict(set)
    for label in labels:
        for name, value in label.items():
            found[name].add(value)
    return {name: sorted(values) for name, values in sorted(found.items())}
