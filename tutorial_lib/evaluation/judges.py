"""The judges: their files, and what they make of images."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from safetensors.torch import load_file, save
from torch import Tensor

from tutorial_lib.arguments import read_choice, read_path
from tutorial_lib.errors import JudgeError
from tutorial_lib.evaluation.judge_networks import (
    AttributeJudge,
    EmbeddingJudge,
    ImageBatch,
)
from tutorial_lib.evaluation.quantization import dequantize, quantize
from tutorial_lib.files import write_atomically, write_json
from tutorial_lib.generation import to_pixels
from tutorial_lib.images import Images, as_images
from tutorial_lib.settings import find_data

JUDGE_NAMES = ("pattern", "person", "attributes")


@dataclass
class Judges:
    """The three judges: of patterns, of people, and of attributes."""

    pattern: EmbeddingJudge
    person: EmbeddingJudge
    attributes: AttributeJudge

    def of_kind(self, kind: str) -> EmbeddingJudge:
        """Return the judge that tells concepts of this kind apart."""
        known = {"pattern": self.pattern, "person": self.person}
        return known[read_choice(kind, "kind", known)]


# --- on disk ---------------------------------------------------------------


def build_judge(
    description: dict[str, Any],
) -> EmbeddingJudge | AttributeJudge:
    """Build an untrained judge from what its `describe()` returned."""
    options = dict(description)
    networks = {"embedding": EmbeddingJudge, "attributes": AttributeJudge}
    return networks[options.pop("judge")](**options)


def save_judges(judges: Judges, folder: str | Path) -> Path:
    """Write judges.json and one int8 safetensors file for each judge."""
    folder = read_path(folder, "folder")
    descriptions = {}
    for name in JUDGE_NAMES:
        judge = getattr(judges, name)
        tensors = quantize(judge.state_dict())
        with write_atomically(folder / f"{name}.safetensors") as unfinished:
            unfinished.write_bytes(save(tensors, metadata={"format": "pt"}))
        descriptions[name] = judge.describe()
    write_json(folder / "judges.json", descriptions)
    return folder


def load_judges(
    folder: str | Path | None = None, device: str | torch.device = "cpu"
) -> Judges:
    """Load the judges in fp32, frozen and in evaluation mode.

    `folder` is data/tiny/judges unless given. Raises JudgeError if a file is
    missing or does not fit.
    """
    folder = read_path(folder or find_data() / "tiny" / "judges", "folder")
    try:
        text = (folder / "judges.json").read_text(encoding="utf-8")
        descriptions = json.loads(text)
        loaded: dict[str, Any] = {}
        for name in JUDGE_NAMES:
            judge = build_judge(descriptions[name])
            tensors = load_file(folder / f"{name}.safetensors")
            judge.load_state_dict(dequantize(tensors))
            loaded[name] = judge.eval().requires_grad_(False).to(device)
    except FileNotFoundError as error:
        raise JudgeError(
            f"There are no judges in {folder}: "
            f"{Path(error.filename or 'a file').name} is missing. Make them "
            f"with 'python -m tutorial_lib models judges'."
        ) from error
    except Exception as error:
        raise JudgeError(
            f"The judges in {folder} cannot be read ({error}); take the "
            f"files from the repository again."
        ) from error
    return Judges(**loaded)


# --- looking at images -----------------------------------------------------


def stack_images(images: Images, size: int) -> ImageBatch:
    """Turn images into one batch, resized to `size` pixels."""
    images = as_images(images)
    return torch.cat([to_pixels(image, size) for image in images])


def stack_batches(
    judge: EmbeddingJudge | AttributeJudge,
    images: list[Image.Image],
    batch_size: int,
) -> Iterator[ImageBatch]:
    """Yield the images in batches, on the judge's own device."""
    device = next(judge.parameters()).device
    for start in range(0, len(images), batch_size):
        chunk = images[start : start + batch_size]
        yield stack_images(chunk, judge.trunk.size).to(device)


@torch.no_grad()
def embed_with_judge(
    judge: EmbeddingJudge,
    images: Images,
    batch_size: int = 64,
) -> Float[Tensor, "images dimensions"]:
    """Return the embedding of each image, a unit vector, on the CPU."""
    batches = stack_batches(judge, as_images(images), batch_size)
    return torch.cat([judge(batch).cpu() for batch in batches])


@dataclass(frozen=True)
class Reading:
    """What a judge reads in an image: labels and numbers, by their names."""

    labels: dict[str, str]
    numbers: dict[str, float]


@torch.no_grad()
def read_images(
    judge: AttributeJudge,
    images: Images,
    batch_size: int = 64,
) -> list[Reading]:
    """Return the likeliest labels and the numbers of each image.

    The numbers are those of `world.measure_scene`: periods, angles, colours,
    faces. One that an image does not show is a guess; a judge that reads
    labels only gives none.
    """
    readings = []
    images = as_images(images, allow_empty=True)
    for batch in stack_batches(judge, images, batch_size):
        features = judge.trunk(batch)
        rows = _read_labels(judge, features), _read_numbers(judge, features)
        readings += [Reading(*pair) for pair in zip(*rows, strict=True)]
    return readings


def read_attributes(
    judge: AttributeJudge,
    images: Images,
    batch_size: int = 64,
) -> list[dict[str, str]]:
    """Return the likeliest label of every attribute, for each image."""
    readings = read_images(judge, images, batch_size)
    return [reading.labels for reading in readings]


def _read_labels(
    judge: AttributeJudge, features: Float[Tensor, "batch num_features"]
) -> list[dict[str, str]]:
    """Return the likeliest label of every attribute, for each image."""
    logits = judge.read_labels(features)
    best = {name: row.argmax(-1).tolist() for name, row in logits.items()}
    return [
        {name: judge.labels[name][best[name][i]] for name in best}
        for i in range(len(features))
    ]


def _read_numbers(
    judge: AttributeJudge, features: Float[Tensor, "batch num_features"]
) -> list[dict[str, float]]:
    """Return the numbers of each image in their own units, by their names."""
    if not judge.numbers:
        return [{} for _ in features]
    mean, std = torch.tensor(list(judge.numbers.values())).T
    numbers = judge.read_numbers(features).cpu() * std + mean
    return [
        dict(zip(judge.numbers, row, strict=True)) for row in numbers.tolist()
    ]
