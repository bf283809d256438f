"""The judges' networks.

Small convolutional networks, trained by `tutorial_lib.training.judges` on
drawn images only.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

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
