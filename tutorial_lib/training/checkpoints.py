"""Checkpoints of a training: whole files that any device can read."""

import pickle
import zipfile
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers.training_utils import EMAModel
from torch import nn

from tutorial_lib.errors import CommandError
from tutorial_lib.files import write_atomically
from tutorial_lib.training.config import PretrainingConfig

FORMAT = 2  # raised when older checkpoints cannot be read any more
DAMAGES = (
    EOFError,
    KeyError,
    OSError,
    RuntimeError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)

Model = TypeVar("Model", bound=nn.Module)
Checkpoint = dict[str, Any]


def write_checkpoint(path: Path, content: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all."""
    content = content | {"format": FORMAT}
    with write_atomically(path) as unfinished, unfinished.open("wb") as file:
        torch.save(content, file)  # to a path, torch hides a full disk


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint onto the CPU, whatever device it was made on.

    Raises CommandError if it is damaged or of an older version.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        version = content.get("format")
    except (*DAMAGES, AttributeError):
        raise CommandError(
            f"'{path}' cannot be read as a checkpoint, it may be damaged; "
            f"delete it, and its model is trained from the beginning."
        ) from None
    if version != FORMAT:
        raise CommandError(
            f"'{path}' is a checkpoint of an older version; delete it, or "
            f"name another folder with --work."
        )
    return content


def check_config(
    path: Path, content: Checkpoint, config: PretrainingConfig
) -> None:
    """Raise CommandError if a checkpoint was made with other settings."""
    for name, value in config.weights_depend_on.items():
        before = content["config"].get(name)
        if before != value:
            raise CommandError(
                f"'{path}' was made with `{name}` = {before}, and now it is "
                f"{value}; set it back, or delete the file to train its "
                f"model from the beginning."
            )


def load_weights(
    path: Path, content: Checkpoint, model: nn.Module, ema: EMAModel | None
) -> None:
    """Load a checkpoint into a model and its moving average.

    Raises CommandError if it is of a model of other sizes.
    """
    try:
        model.load_state_dict(content["model"])
        if ema is not None:
            ema.load_state_dict(content["ema"])
            ema.to(next(model.parameters()).device)
    except (*DAMAGES, AttributeError, ValueError):
        raise CommandError(
            f"'{path}' holds a model of other sizes; delete it, or name "
            f"another folder with --work."
        ) from None


def require_trained(path: Path, stage: str) -> Checkpoint:
    """Return the checkpoint of a finished training.

    `stage` is what trains it. Raises CommandError, naming the stage to run,
    if it is missing or was not brought to its end.
    """
    remedy = f"run `textual-inversion models {stage}` first"
    if not path.exists():
        raise CommandError(
            f"A trained model is needed, and '{path}' is not there; {remedy}."
        )
    content = read_checkpoint(path)
    if not content["finished"]:
        raise CommandError(
            f"The training in '{path}' has not come to its end; {remedy}."
        )
    return content


def load_trained(path: Path, model: Model, stage: str) -> Model:
    """Load a finished training into a model, its moving average if any.

    Raises CommandError as `require_trained` does.
    """
    content = require_trained(path, stage)
    ema = EMAModel(model.parameters()) if content["ema"] else None
    load_weights(path, content, model, ema)
    if ema:
        ema.copy_to(model.parameters())
    return model.eval().requires_grad_(False)
