"""What to train and where: the options of `textual-inversion models`."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tutorial_lib.settings import DATA, ROOT, choose_device
from tutorial_lib.training.config import (
    CONFIGS,
    PretrainingConfig,
    read_config,
)

# The 1,000 images that nothing is trained on have always had this number.
HELD_OUT_NUMBER = 79
MIN_JUDGE_SHARDS = 4  # one of each content
WEARER_SHARE = 0.25  # of the captioned images: people in patterns


@dataclass(frozen=True)
class TrainingRun:
    """One training of all models: its sizes, its device and its folders.

    `size` is the side of an image in pixels, 64 or 128. `num_images` counts
    captioned images, `num_judge_images` those that the judges of patterns
    and people learn from, and `num_captions` the captions that are generated
    for the model card. `share` is below 1 for a rehearsal: that share of all
    images, steps and captions. `preset` is a table of the configs, which lie
    in the folder `configs`. `work` is the folder of images and checkpoints
    (None: one of its own for each size), `target` the folder that the models
    are written to, and `card` the file of the model card (None: card.json in
    `target`). `workers` processes render images. `tensorboard` writes the
    losses as TensorBoard reads them, into the work folder.
    """

    size: int = 128
    num_images: int = 80_000
    num_judge_images: int = 64_000
    num_captions: int = 1000
    share: float = 1.0
    preset: str = "cpu"
    configs: Path = CONFIGS
    device: str = field(default_factory=choose_device)
    work: Path | None = None
    target: Path = DATA / "tiny"
    card: Path | None = None
    workers: int = 2
    tensorboard: bool = False

    @property
    def work_folder(self) -> Path:
        """The folder of images and checkpoints."""
        return self.work or ROOT / ".work" / f"tiny{self.size}"

    @property
    def is_timed(self) -> bool:
        """Whether the U-Net learns for a time, and images keep coming."""
        return self.read_config("unet").seconds is not None

    def read_config(self, name: str) -> PretrainingConfig:
        """Read the config of a model, a share of it in a rehearsal.

        Raises CommandError if it is missing or wrong.
        """
        return read_config(
            name, self.preset, self.share, self.configs, self.tensorboard
        )

    def number_shards(
        self, shard_size: int, judge_shard_size: int
    ) -> dict[str, list[int]]:
        """Return the numbers of the shards in each folder of images."""
        total = math.ceil(self.num_images * self.share / shard_size)
        wearers = max(1, round(total * WEARER_SHARE))
        captioned = max(1, total - wearers)
        judge_shards = self.num_judge_images * self.share / judge_shard_size
        judges = max(MIN_JUDGE_SHARDS, math.ceil(judge_shards))
        return {
            "captioned": list(itertools.islice(number_captioned(), captioned)),
            "wearers": list(range(wearers)),
            "judges": list(range(judges)),
            "held-out": [HELD_OUT_NUMBER],
        }


def number_captioned() -> Iterator[int]:
    """Count all shards of captioned images but the one that is held out."""
    return (n for n in itertools.count() if n != HELD_OUT_NUMBER)
