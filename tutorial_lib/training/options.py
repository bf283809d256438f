"""Options of `textual-inversion models` that no training can have."""

import torch

from tutorial_lib.errors import CommandError
from tutorial_lib.training import dataset, judge_images
from tutorial_lib.training.training_run import MIN_JUDGE_SHARDS, TrainingRun
from tutorial_lib.training.vae import BLOCK_WIDTHS

JUDGE_CONFIGS = ("judge-pattern", "judge-person", "judge-attributes")


def check_run(run: TrainingRun) -> None:
    """Raise CommandError for options that nothing can be trained with."""
    if run.size not in BLOCK_WIDTHS:
        sizes = " or ".join(map(str, BLOCK_WIDTHS))
        raise CommandError(f"--size must be {sizes}, not {run.size}.")
    if not 0 < run.share <= 1:
        raise CommandError(
            f"--share must be over 0 and at most 1, not {run.share}."
        )
    if run.workers < 1:
        raise CommandError("--workers must be at least 1.")
    for option, count, smallest in (
        ("--pictures", run.num_images, 2 * dataset.SHARD_SIZE),
        (
            "--judged",
            run.num_judge_images,
            MIN_JUDGE_SHARDS * judge_images.SHARD_SIZE,
        ),
    ):
        if count < smallest:
            raise CommandError(f"{option} must be at least {smallest:,}.")
    for folder in (run.work_folder, run.target):
        for place in (folder, *folder.parents):
            if place.is_file():
                raise CommandError(
                    f"{place} is a file, so nothing can be put into it; name "
                    f"another folder."
                )
    if run.device != "cpu" and not torch.cuda.is_available():
        raise CommandError(
            f"--device {run.device}: torch finds no GPU; use --device cpu."
        )
    for name in ("vae", "clip", "unet", "decoder", *JUDGE_CONFIGS):
        run.read_config(name)
