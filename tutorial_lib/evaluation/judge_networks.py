"""The networks of the judges.

Small convolutional networks, trained by `tutorial_lib.training.judges` on
rendered images only.
"""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tutorial_lib.errors import JudgeError

ATTENTION_HEADS = 4
FEATURES_PER_CHANNEL = {
    "layout": 16,
    "texture": 2,
    "both": 18,
    "attention": 2 + 2 * ATTENTION_HEADS,
    "all": 18 + 2 * ATTENTION_HEADS,
}

ImageBatch = Float[Tensor, "batch 3 size size"]  # pixels from -1 to 1


def default_widths(size: int) -> tuple[int, ...]:
    """Return a width for each stage that halves the image down to 8 x 8 cells.

    `size` is the image's side in pixels (64: three stages, 128: four). Raises
    JudgeError if that cannot be halved down to 8.
    """
    stages = max(1, round(math.log2(size / 8)))
    if 8 * 2**stages != size:
        raise JudgeError(
            f"A judge looks at pictures of 16, 32, 64, 128 ... pixels, "
            f"not {size}."
        )
    return tuple(min(160, 32 * 2**i) for i in range(stages))


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (He et al., 2015)."""

    def __init__(self, width_in: int, width_out: int, stride: int) -> None:
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

    def forward(
        self, x: Float[Tensor, "batch width_in height width"]
    ) -> Float[Tensor, "batch width_out height/stride width/stride"]:
        """Return the feature map of a feature map."""
        y = functional.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        return functional.relu(y + self.shortcut(x))


class JudgeNetwork(nn.Module):
    """The trunk of every judge: from images to rows of features.

    With `pooling` "layout" the feature map is averaged to 4 x 4 cells, which
    keeps where things are in a face. With "texture" it is reduced to its mean
    and std over the whole image, because a pattern is the same wherever it
    lies; "both" joins the two. "attention" adds to "texture" the mean and
    std over four areas that the network chooses itself, because a scarf
    fills little of an image; "all" joins everything. About a million
    parameters.
    """

    def __init__(
        self,
        size: int,
        widths: tuple[int, ...] | None = None,
        pooling: str = "layout",
    ) -> None:
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
        self.attends = pooling in ("attention", "all")
        if self.attends:
            self.attention = nn.Conv2d(width_in, ATTENTION_HEADS, 1)
        self.num_features = FEATURES_PER_CHANNEL[pooling] * width_in

    def forward(self, x: ImageBatch) -> Float[Tensor, "batch num_features"]:
        """Return the features of a batch of images."""
        feature_map = self.blocks(x)
        pooled = []
        if self.pooling in ("layout", "both", "all"):
            cells = functional.adaptive_avg_pool2d(feature_map, 4)
            pooled.append(cells.flatten(1).float())
        if self.pooling != "layout":
            variance, mean = torch.var_mean(feature_map.float(), dim=(2, 3))
            pooled += [mean, (variance + 1e-5).sqrt()]
        if self.attends:
            pooled += self.pool_areas(feature_map)
        return torch.cat(pooled, dim=1)

    def pool_areas(
        self, feature_map: Float[Tensor, "batch channels height width"]
    ) -> list[Float[Tensor, "batch areas_by_channels"]]:
        """Return the mean and the std over each area that is attended to."""
        scores = self.attention(feature_map).flatten(2).float()
        weights = scores.softmax(dim=-1)
        values = feature_map.flatten(2).float().transpose(1, 2)
        with torch.autocast(values.device.type, enabled=False):
            mean = weights @ values  # bfloat16 would lose the variance
            variance = weights @ values.square() - mean.square()
        variance = variance.clamp(min=0)
        return [mean.flatten(1), (variance + 1e-5).sqrt().flatten(1)]


class EmbeddingJudge(nn.Module):
    """Tells concepts apart: embeds images, to be compared by the cosine.

    One such judge knows patterns whatever carries them, another people
    whatever the style.
    """

    def __init__(
        self,
        size: int,
        dimensions: int = 64,
        widths: tuple[int, ...] | None = None,
        pooling: str = "layout",
    ) -> None:
        super().__init__()
        self.trunk = JudgeNetwork(size, widths, pooling)
        self.head = nn.Linear(self.trunk.num_features, dimensions)

    def forward(self, x: ImageBatch) -> Float[Tensor, "batch dimensions"]:
        """Return the embedding of each image, a unit vector."""
        return functional.normalize(self.head(self.trunk(x)), dim=-1)

    def describe(self) -> dict[str, Any]:
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
    ``{"style": ["photo", "anime illustration"]}``; `numbers` maps what is
    read as a number to its mean and std over all images it learned from.
    """

    def __init__(
        self,
        size: int,
        labels: dict[str, list[str]],
        widths: tuple[int, ...] | None = None,
        pooling: str = "layout",
        numbers: dict[str, list[float]] | None = None,
    ) -> None:
        super().__init__()
        self.labels = {name: list(known) for name, known in labels.items()}
        self.numbers = dict(numbers or {})
        self.trunk = JudgeNetwork(size, widths, pooling)
        self.heads = nn.ModuleDict(
            {
                f"of_{name}": nn.Linear(self.trunk.num_features, len(known))
                for name, known in self.labels.items()
            }
        )
        if self.numbers:
            self.number_head = nn.Linear(
                self.trunk.num_features, len(self.numbers)
            )

    def forward(
        self, x: ImageBatch
    ) -> dict[str, Float[Tensor, "batch num_labels"]]:
        """Return the logits of every attribute."""
        return self.read_labels(self.trunk(x))

    def read_labels(
        self, features: Float[Tensor, "batch num_features"]
    ) -> dict[str, Float[Tensor, "batch num_labels"]]:
        """Return the logits of every attribute from the trunk's features."""
        return {
            name: self.heads[f"of_{name}"](features) for name in self.labels
        }

    def read_numbers(
        self, features: Float[Tensor, "batch num_features"]
    ) -> Float[Tensor, "batch numbers"]:
        """Return every number, in stds from its mean."""
        return self.number_head(features)

    def describe(self) -> dict[str, Any]:
        """Return what is needed to build this network again."""
        return {
            "judge": "attributes",
            "size": self.trunk.size,
            "labels": self.labels,
            "numbers": self.numbers,
            "widths": list(self.trunk.widths),
            "pooling": self.trunk.pooling,
        }
