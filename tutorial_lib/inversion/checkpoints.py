"""Checkpoints: a training run that was broken off goes on from its file.

A checkpoint is the trainer's state, kilobytes, with a text that says to which
run it belongs.
"""

import hashlib
import io
import json
import os
import warnings
from dataclasses import asdict
from pathlib import Path

import torch

from tutorial_lib.arguments import read_path
from tutorial_lib.errors import FileError, WordError
from tutorial_lib.files import write_atomically
from tutorial_lib.inversion.interrupts import delay_interrupt
from tutorial_lib.inversion.trainer import TextualInversionTrainer
from tutorial_lib.models import fingerprint_models
from tutorial_lib.processes import is_main_process
from tutorial_lib.words import Entry


def fingerprint_run(trainer: TextualInversionTrainer) -> str:
    """Return a text that two trainers share only if they train the same.

    It is asked for before the first step: it holds a digest of the vectors.
    """
    images = hashlib.sha256()
    for image in trainer.images:
        images.update(repr(image.size).encode() + image.tobytes())
    vectors = trainer.word.copy_vectors().values()
    start = b"".join(tensor.numpy().tobytes() for tensor in vectors)
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
    """Save a trainer's state; `run` is its fingerprint before the start.

    Raises FileError if it cannot be done.
    """
    content = io.BytesIO()  # torch would hide what the disk says
    with write_atomically(path) as unfinished:
        torch.save({"run": run, **trainer.state_dict()}, content)
        unfinished.write_bytes(content.getvalue())


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


class CheckpointKeeper:
    """Keeps a run's checkpoint up to date, as long as the disk allows.

    Without a path it keeps none. Learning goes on without a checkpoint that
    cannot be written, and the first time a warning says so. Of several
    processes the main one writes it.
    """

    def __init__(
        self, path: str | Path | None, trainer: TextualInversionTrainer
    ) -> None:
        self.trainer = trainer
        self.has_warned = False
        self.path = None
        if path is not None:
            self.path = check_checkpoint_path(path)
            self.run = fingerprint_run(trainer)
            if os.path.exists(self.path):
                load_checkpoint(self.path, trainer, self.run)

    def save(self) -> None:
        """Write the checkpoint, or warn that it cannot be written.

        Ctrl-C waits until that is done.
        """
        if self.path is None or not is_main_process():
            return
        with delay_interrupt():
            try:
                save_checkpoint(self.path, self.trainer, self.run)
            except FileError as error:
                self._warn(f"Learning goes on without a checkpoint: {error}")

    def _warn(self, text: str) -> None:
        """Warn, but once only."""
        if not self.has_warned:
            self.has_warned = True
            warnings.warn(text, stacklevel=3)

    def save_at_the_end(self, keep_stopped: bool) -> None:
        """Write the checkpoint once more.

        With `keep_stopped` a word is about to be handed over, and Ctrl-C in
        this moment does not lose it.
        """
        try:
            self.save()
        except KeyboardInterrupt:
            if not keep_stopped:
                raise

    def save_when_evaluated(self, entry: Entry) -> None:
        """Write the checkpoint with every evaluation."""
        if entry["evaluation"] is not None:
            self.save()


def check_checkpoint_path(path: str | Path) -> Path:
    """Return the path of a checkpoint, "~" being the reader's home.

    Raises WordError where none can ever be: it is a folder, or within a file.
    """
    path = read_path(path, "checkpoint")
    if os.path.isdir(path):
        raise WordError(
            f"The checkpoint '{path}' is a folder; name a file in it, such "
            f"as '{path / 'X.ckpt'}'."
        )
    for parent in path.parents:
        if os.path.isfile(parent):
            raise WordError(
                f"The checkpoint '{path}' cannot be, for '{parent}' is a "
                "file, no folder; name another file."
            )
    return path
