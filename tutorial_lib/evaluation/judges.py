"""The judges: loading them, and letting them look at images."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tutorial_lib import settings
from tutorial_lib.errors import JudgeError
from tutorial_lib.evaluation.judge_networks import (
    AttributeJudge,
    EmbeddingJudge,
)


@dataclass
class Judges:
    """The three judges: of patterns, of people, and of attributes."""

    pattern: EmbeddingJudge
    person: EmbeddingJudge
    attributes: AttributeJudge

    def of_kind(self, kind: str) -> EmbeddingJudge:
        """Return the judge that tells concepts of this kind apart."""
        return {"pattern": self.pattern, "person": self.person}[kind]


# --- on disk ---------------------------------------------------------------

NAMES = ("pattern", "person", "attributes")


def build_judge(description: dict) -> nn.Module:
    """Build an untrained judge from what its `describe()` returned."""
    options = dict(description)
    kinds = {"embedding": EmbeddingJudge, "attributes": AttributeJudge}
    return kinds[options.pop("judge")](**options)


def save_judges(judges: Judges, folder: str | Path) -> Path:
    """Write judges.json and one fp16 safetensors file for each judge."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    descriptions = {}
    for name in NAMES:
        judge = getattr(judges, name)
        tensors = {
            key: value.detach().cpu().half().contiguous()
            for key, value in judge.state_dict().items()
        }
        temporary = folder / f".{name}.safetensors"
        save_file(tensors, temporary, metadata={"format": "pt"})
        os.replace(temporary, folder / f"{name}.safetensors")
        descriptions[name] = judge.describe()
    text = json.dumps(descriptions, indent=1, ensure_ascii=False) + "\n"
    (folder / "judges.json").write_text(text, encoding="utf-8")
    return folder


def load_judges(
    folder: str | Path | None = None, device: str | torch.device = "cpu"
) -> Judges:
    """Load the judges in fp32, frozen and in evaluation mode.

    `folder` is data/tiny/judges unless given. Raises `JudgeError` where
    a file is missing or does not fit.
    """
    folder = Path(folder or settings.find_data() / "tiny" / "judges")
    try:
        text = (folder / "judges.json").read_text(encoding="utf-8")
        descriptions = json.loads(text)
        loaded = {}
        for name in NAMES:
            judge = build_judge(descriptions[name])
            tensors = load_file(folder / f"{name}.safetensors")
            judge.load_state_dict({k: v.float() for k, v in tensors.items()})
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


# --- looking at pictures ---------------------------------------------------


def stack_images(images: list[Image.Image], size: int) -> Tensor:
    """Turn pictures into one batch (n, 3, size, size) in [-1, 1]."""
    arrays = []
    for image in images:
        image = image.convert("RGB")
        if image.size != (size, size):
            image = image.resize((size, size), Image.LANCZOS)
        arrays.append(np.asarray(image, dtype=np.float32))
    batch = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
    return batch.contiguous() / 127.5 - 1


def _batches(judge: nn.Module, images: list, batch_size: int):
    """Yield batches on the judge's own device."""
    device = next(judge.parameters()).device
    for start in range(0, len(images), batch_size):
        part = images[start : start + batch_size]
        yield stack_images(part, judge.trunk.size).to(device)


@torch.no_grad()
def embed_with_judge(
    judge: EmbeddingJudge,
    images: list[Image.Image],
    batch_size: int = 64,
) -> Tensor:
    """Return one unit vector per picture, (n, dimensions), on the CPU."""
    batches = _batches(judge, images, batch_size)
    return torch.cat([judge(batch).cpu() for batch in batches])


@torch.no_grad()
def read_attributes(
    judge: AttributeJudge,
    images: list[Image.Image],
    batch_size: int = 64,
) -> list[dict[str, str]]:
    """Return, for each picture, the likeliest label of every attribute."""
    readings = []
    for batch in _batches(judge, images, batch_size):
        logits = judge(batch)
        best = {name: row.argmax(-1).tolist() for name, row in logits.items()}
        readings += [
            {name: judge.labels[name][best[name][i]] for name in best}
            for i in range(len(batch))
        ]
    return readings
