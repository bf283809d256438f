"""What to train and where: the options of `textual-inversion models`."""

from dataclasses import dataclass, field
from pathlib import Path

from tutorial_lib.settings import DATA, ROOT, choose_device


@dataclass(frozen=True)
class TrainingRun:
    """One training of all models: its sizes, its device and its folders.

    `size` is the side of an image in pixels, 64 or 128. `num_images` counts
    captioned images, `num_judge_images` those that the judges of patterns
    and people learn from, and `num_captions` the captions that are generated
    for the model card. `step_share` is the share of the steps to take, below
    1 for a rehearsal. `work` is the folder of images and checkpoints (None:
    one of its own for each size), `target` the folder that the models are
    written to, and `card` the file of the model card (None: card.json in
    `target`). `workers` processes render images.
    """

    size: int = 64
    num_images: int = 80_000
    num_judge_images: int = 64_000
    num_captions: int = 1000
    step_share: float = 1.0
    device: str = field(default_factory=choose_device)
    work: Path | None = None
    target: Path = DATA / "tiny"
    card: Path | None = None
    workers: int = 2

    @property
    def work_folder(self) -> Path:
        """The folder of images and checkpoints."""
        return self.work or ROOT / ".work" / f"tiny{self.size}"
