"""The judges' networks: building, loading and looking at pictures.

Small convolutional networks, trained by `tutorial_lib/tiny/judges.py` on
drawn pictures only. What they are asked is in `tutorial_lib/judging.py`.
"""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from tutorial_lib import settings


class JudgeError(ValueError):
    """Judges that are missing or cannot be read."""


# --- the networks ----------------------------------------------------------

NUM_SUMS = {"layout": 16, "texture": 2, "both": 18}  # features per channel


def default_widths(size: int) -> tuple[int, ...]:
    """Return one width per halving stage, so that 8 x 8 cells remain.

    `size` is the picture's side in pixels (64: three stages, 128: four).
    """
    stages = max(1, round(math.log2(size / 8)))
    if 8 * 2**stages != size:
        raise ValueError(
            f"A judge looks at pictures of 16, 32, 64, 128 ... pixels, "
            f"not {size}."
        )
    return tuple(min(160, 32 * 2**i) for i in range(stages))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (He et al., 2015)."""

    def __init__(self, width_in: int, width_out: int, stride: int):
        super().__init__()
        self.first = nn.Conv2d(
            width_in, width_out, 3, stride, padding=1, bias=False
        )
        self.first_norm = nn.GroupNorm(8, width_out)
        self.second = nn.Conv2d(width_out, width_out, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(8, width_out)
        same = stride == 1 and width_in == width_out
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Conv2d(width_in, width_out, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, width_in, h, w) to (n, width_out, h/stride, w/stride)."""
        y = functional.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return functional.relu(y + self.shortcut(x))


class JudgeNetwork(nn.Module):
    """The trunk of every judge: pictures in, a row of features out.

    Input (n, 3, size, size) in [-1, 1], output (n, num_features). With
    `pooling` "layout" the map is averaged to 4 x 4 cells, so that it is
    not lost where things are in a face; with "texture" it is summed up by
    its mean and deviation over the whole picture, for a pattern is the
    same wherever it lies; with "both" it is both. Under a million
    parameters at 64 px.
    """

    def __init__(
        self,
        size: int,
        widths: tuple[int, ...] | None = None,
        pooling: str = "layout",
    ):
        super().__init__()
        self.size = size
        self.pooling = pooling
        self.widths = tuple(widths or default_widths(size))
        blocks, width_in = [], 3
        for width in self.widths:
            blocks.append(ResidualBlock(width_in, width, stride=2))
            width_in = width
        blocks.append(ResidualBlock(width_in, width_in, stride=1))
        self.blocks = nn.Sequential(*blocks)
        self.num_features = NUM_SUMS[pooling] * width_in

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of a batch of pictures."""
        found = self.blocks(x)
        sums = []
        if self.pooling != "texture":
            sums.append(functional.adaptive_avg_pool2d(found, 4).flatten(1))
        if self.pooling != "layout":
            variance, mean = torch.var_mean(found.float(), dim=(2, 3))
            sums += [mean, (variance + 1e-5).sqrt()]
        return torch.cat(sums, dim=1)


class EmbeddingJudge(nn.Module):
    """Tells instances apart: pictures to unit vectors, compared by cosine.

    One such judge knows patterns whatever carries them, another people
    whatever the style. Output (n, dimensions).
    """

    def __init__(
        self,
        size: int,
        dimensions: int = 64,
        widths: tuple[int, ...] | None = None,
        pooling: str = "layout",
    ):
        super().__init__()
        self.trunk = JudgeNetwork(size, widths, pooling)
        self.head = nn.Linear(self.trunk.num_features, dimensions)

    def forward(self, x: Tensor) -> Tensor:
        """Return one unit vector per picture."""
        return functional.normalize(self.head(self.trunk(x)), dim=-1)

    def describe(self) -> dict:
        """Return what is needed to build this network again."""
        return {
            "judge": "embedding",
            "size": self.trunk.size,
            "dimensions": self.head.out_features,
            "widths": list(self.trunk.widths),
            "pooling": self.trunk.pooling,
        }


class AttributeJudge(nn.Module):
    """Reads object, style and attributes: one linear head for each.

    `labels` maps each attribute to its list of labels, for example
    ``{"style": ["photo", "anime illustration"]}``. The output maps each
    attribute to logits of shape (n, number of its labels).
    """

    def __init__(
        self,
        size: int,
        labels: dict[str, list[str]],
        widths: tuple[int, ...] | None = None,
        pooling: str = "layout",
    ):
        super().__init__()
        self.labels = {name: list(each) for name, each in labels.items()}
        self.trunk = JudgeNetwork(size, widths, pooling)
        self.heads = nn.ModuleDict(
            {
                f"of_{name}": nn.Linear(self.trunk.num_features, len(each))
                for name, each in self.labels.items()
            }
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the logits of every attribute."""
        features = self.trunk(x)
        return {
            name: self.heads[f"of_{name}"](features) for name in self.labels
        }

    def describe(self) -> dict:
        """Return what is needed to build this network again."""
        return {
            "judge": "attributes",
            "size": self.trunk.size,
            "labels": self.labels,
            "widths": list(self.trunk.widths),
            "pooling": self.trunk.pooling,
        }


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


def stack_pictures(pictures: list[Image.Image], size: int) -> Tensor:
    """Turn pictures into one batch (n, 3, size, size) in [-1, 1]."""
    arrays = []
    for picture in pictures:
        picture = picture.convert("RGB")
        if picture.size != (size, size):
            picture = picture.resize((size, size), Image.LANCZOS)
        arrays.append(np.asarray(picture, dtype=np.float32))
    batch = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
    return batch.contiguous() / 127.5 - 1


def _batches(judge: nn.Module, pictures: list, batch_size: int):
    """Yield batches on the judge's own device."""
    device = next(judge.parameters()).device
    for start in range(0, len(pictures), batch_size):
        part = pictures[start : start + batch_size]
        yield stack_pictures(part, judge.trunk.size).to(device)


@torch.no_grad()
def embed_with_judge(
    judge: EmbeddingJudge,
    pictures: list[Image.Image],
    batch_size: int = 64,
) -> Tensor:
    """Return one unit vector per picture, (n, dimensions), on the CPU."""
    batches = _batches(judge, pictures, batch_size)
    return torch.cat([judge(batch).cpu() for batch in batches])


@torch.no_grad()
def read_attributes(
    judge: AttributeJudge,
    pictures: list[Image.Image],
    batch_size: int = 64,
) -> list[dict[str, str]]:
    """Return, for each picture, the likeliest label of every attribute."""
    readings = []
    for batch in _batches(judge, pictures, batch_size):
        logits = judge(batch)
        best = {name: row.argmax(-1).tolist() for name, row in logits.items()}
        readings += [
            {name: judge.labels[name][best[name][i]] for name in best}
            for i in range(len(batch))
        ]
    return readings
