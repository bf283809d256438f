"""Checkpoints: a training run that was broken off goes on from its file.

A checkpoint is the trainer's state, kilobytes, with a text that says to which
run it belongs.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch

from tutorial_lib.errors import WordError
from tutorial_lib.files import write_atomically
from tutorial_lib.inversion.trainer import TextualInversionTrainer
from tutorial_lib.models import fingerprint_models


def fingerprint_run(trainer: TextualInversionTrainer) -> str:
    """Return a text that two trainers share only if they train the same.

    It is asked for before the first step: it holds a digest of the vectors.
    """
    images = hashlib.sha256()
    for image in trainer.images:
        images.update(repr(image.size).encode() + image.tobytes())
    start = trainer.word.vectors.detach().cpu().numpy().tobytes()
    config = vars(trainer.config).copy()
    del config["initializer"]  # `start` says what it came to
    settings = {
        **config,
        **trainer.word.describe(),
        "models": fingerprint_models(trainer.models),
        "start": hashlib.sha256(start).hexdigest(),
        "phases": [asdict(phase) for phase in trainer.phases],
        "images": images.hexdigest(),
    }
    return json.dumps(settings, sort_keys=True)


def save_checkpoint(
    path: Path, trainer: TextualInversionTrainer, run: str
) -> None:
    """Save a trainer's state; `run` is its fingerprint before the start."""
    with write_atomically(path) as unfinished:
        torch.save({"run": run, **trainer.state_dict()}, unfinished)


def load_checkpoint(
    path: Path, trainer: TextualInversionTrainer, run: str
) -> None:
    """Let a trainer go on from a checkpoint.

    Raises WordError if the file is broken or another run's.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        owner = state.pop("run")
    except Exception as error:  # a broken file can raise nearly anything
        raise WordError(
            f"'{path}' is no checkpoint that can be read "
            f"({type(error).__name__}); delete it to begin anew, or name "
            "another file."
        ) from None
    if owner != run:
        raise WordError(
            f"'{path}' is the checkpoint of another run (another word, "
            "other pictures, models or settings) or of another version of "
            "this library; delete it to begin anew, or name another file."
        )
    trainer.load_state_dict(state)
