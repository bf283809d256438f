"""The models that a training wrote: how large, and where they are."""

import dataclasses
import json

from tutorial_lib.errors import CommandError
from tutorial_lib.settings import Profile, pick_profile
from tutorial_lib.training.training_run import TrainingRun


def read_size(run: TrainingRun) -> int:
    """Return the side of an image that the written models generate."""
    path = run.target / "stable-diffusion" / "vae" / "config.json"
    if not path.exists():
        raise CommandError(
            f"There are no models in '{run.target}'; "
            f"run `textual-inversion models write` first."
        )
    return json.loads(path.read_text(encoding="utf-8"))["sample_size"]


def make_profile(run: TrainingRun, size: int) -> Profile:
    """Return the profile of the written models, for images of a size."""
    return dataclasses.replace(
        pick_profile("tiny"),
        size=size,
        pipeline=str(run.target / "stable-diffusion"),
        clip_model=f"local-dir:{run.target / 'clip'}",
    )
