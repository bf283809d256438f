"""Draw the captioned pictures from which the tiny models learn.

Pictures are written in shards of 1,000, each from its own seed, so that a
stopped run goes on with the next missing shard and ends the same.
"""

import json
import multiprocessing
import os
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.tiny.wearers import cut_part, draw_wearer
from tutorial_lib.world.captions import caption_scene, vary_description
from tutorial_lib.world.concepts import (
    KINDS, attributes, kind_of, lookalikes, named_concepts, sample_concept,
)
from tutorial_lib.world.scenes import (
    Scene, draw_scene, pattern_scene, person_scene,
)

SHARD = 1000
NAMED_SHARE = 0.6
LOOKALIKE_GROUP, PICTURES_PER_CONCEPT = 4, 5
SUBJECT_WEIGHTS = {"carrier": 0.50, "corgi": 0.20, "portrait": 0.30}
SHIRT_SHARE, PLAIN_CORGI_SHARE = 0.50, 0.10
CUT_SHARE = 0.25  # of a judge's pictures: heads or shirts, cut out


@dataclass
class Pictures:
    """Pictures (n, size, size, 3) uint8, with captions and labels."""

    pixels: np.ndarray
    captions: list[str]
    labels: list[dict]


def choose_concept(kind: str, rng: random.Random):
    """Return the words for a concept and the concept, named or new."""
    if rng.random() < NAMED_SHARE:
        return rng.choice(list(named_concepts(kind).items()))
    concept = sample_concept(kind, rng)
    return vary_description(concept, rng), concept


def sample_captioned_scene(rng: random.Random) -> tuple[Scene, str]:
    """Draw a scene at random and write its caption."""
    subject = rng.choices(
        list(SUBJECT_WEIGHTS), list(SUBJECT_WEIGHTS.values())
    )[0]
    pattern_words, pattern = choose_concept("pattern", rng)
    person_words, person = choose_concept("person", rng)
    if subject == "portrait":
        if rng.random() >= SHIRT_SHARE:
            pattern = None
        scene = person_scene(person, rng, pattern=pattern)
    elif subject == "corgi":
        scene = pattern_scene(pattern, rng, subject="corgi")
        if rng.random() < PLAIN_CORGI_SHARE:
            scene = Scene("corgi", scene.style, scene.seed)
    else:
        scene = pattern_scene(pattern, rng)
    return scene, caption_scene(scene, pattern_words, person_words, rng)


def label_scene(scene: Scene) -> dict[str, str]:
    """Return what can be read from a scene: its attributes.

    Those of a pattern on a person's shirt have names of their own, such as
    "shirt_motif": on so few pixels they are harder to read.
    """
    label = {"object": scene.subject, "style": scene.style}
    if scene.subject == "corgi":
        label["way"] = scene.way or "none"
    elif scene.subject == "portrait":
        label |= attributes(scene.person)
    if scene.pattern:
        prefix = "shirt_" if scene.subject == "portrait" else ""
        for name, value in attributes(scene.pattern).items():
            label[prefix + name] = value
    return label


def draw_captioned_shard(task: tuple[Path, int, int]) -> None:
    """Draw one shard of captioned pictures to a file."""
    path, number, size = task
    rng = random.Random(f"captioned {number}")
    scenes = [sample_captioned_scene(rng) for _ in range(SHARD)]
    pixels = [np.asarray(draw_scene(scene, size)) for scene, _ in scenes]
    save_shard(
        path, pixels, [caption for _, caption in scenes],
        [label_scene(scene) for scene, _ in scenes],
    )


def draw_judge_shard(task: tuple[Path, int, int]) -> None:
    """Draw one shard for the judges: several pictures of each concept.

    Concepts come in groups that one description fits, so that a judge has
    to look at what words leave out. Some pictures show a head or a shirt
    alone, cut out of a person in a pattern, for that is how two names in
    one prompt are judged. Labels hold the concept's number.
    """
    path, number, size = task
    kind = KINDS[number % 2]
    rng = random.Random(f"judges {number}")
    pixels, labels = [], []
    for group in range(SHARD // LOOKALIKE_GROUP // PICTURES_PER_CONCEPT):
        concept = sample_concept(kind, rng)
        alike = lookalikes(concept, LOOKALIKE_GROUP - 1, number)
        for index, member in enumerate([concept, *alike]):
            for _ in range(PICTURES_PER_CONCEPT):
                picture = _draw_for_judge(member, rng, size)
                pixels.append(np.asarray(picture))
                labels.append({
                    "kind": kind, "concept": f"{number}-{group}-{index}",
                    "group": f"{number}-{group}",
                })
    save_shard(path, pixels, [""] * len(pixels), labels)


def _draw_for_judge(concept, rng: random.Random, size: int) -> Image.Image:
    """Draw a concept once, whole or as a part cut out of a picture."""
    kind = kind_of(concept)
    if rng.random() < CUT_SHARE:
        pair = {
            each: concept if each == kind else sample_concept(each, rng)
            for each in KINDS
        }
        whole = draw_wearer(**pair, rng=rng, size=size, style=None)
        [part] = cut_part([whole], kind)
        return part.resize((size, size), Image.LANCZOS)
    if kind == "person":
        return draw_scene(person_scene(concept, rng), size)
    subject = "corgi" if rng.random() < 0.3 else None
    return draw_scene(pattern_scene(concept, rng, subject=subject), size)


def save_shard(
    path: Path, pixels: list, captions: list[str], labels: list[dict],
) -> None:
    """Write a shard so that a file that exists is always whole."""
    part = path.with_suffix(".part.npz")
    text = json.dumps({"captions": captions, "labels": labels})
    np.savez(part, pixels=np.stack(pixels), text=np.array(text))
    os.replace(part, path)


def draw_pictures(
    folder: Path, count: int, size: int, draw_shard, workers: int = 2,
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
        done = pool.imap_unordered(draw_shard, tasks)
        for _ in tqdm(done, total=len(tasks), desc=f"drawing {folder.name}"):
            pass


def list_shards(count: int, first: int = 0) -> range:
    """Return the numbers of the shards of pictures `first` to `count`."""
    return range(first // SHARD, -(-count // SHARD))


def load_pictures(folder: Path, count: int, first: int = 0) -> Pictures:
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
    return Pictures(
        np.concatenate(pixels)[wanted], captions[wanted], labels[wanted]
    )


def collect_labels(labels: list[dict]) -> dict[str, list[str]]:
    """List every attribute and the labels it can have, in fixed order."""
    found = defaultdict(set)
    for label in labels:
        for name, value in label.items():
            found[name].add(value)
    return {name: sorted(values) for name, values in sorted(found.items())}
