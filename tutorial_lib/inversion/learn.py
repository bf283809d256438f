"""Learning a word in one line."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.errors import WordError
from tutorial_lib.images import Concept
from tutorial_lib.inversion.checkpoints import (
    fingerprint_run,
    load_checkpoint,
    save_checkpoint,
)
from tutorial_lib.inversion.config import TrainingConfig
from tutorial_lib.inversion.trainer import Callback, TextualInversionTrainer
from tutorial_lib.models import Models
from tutorial_lib.words import Entry, LearnedWord


def learn_word(
    models: Models,
    concept: Concept | Iterable[Image.Image],
    config: TrainingConfig | None = None,
    *,
    callbacks: Iterable[Callback] = (),
    checkpoint: str | Path | None = None,
    progress: bool = True,
    keep_stopped: bool = True,
    **settings: Any,
) -> LearnedWord:
    """Learn a word from the images of a concept.

    Args:
        models: What `load_models` returns; nothing in it is changed.
        concept: A Concept, or a list of images.
        config: The settings, by default the usual ones.
        callbacks: Each gets the history's entry of every step.
        checkpoint: A file from which a broken-off run goes on, bit by bit.
        progress: Whether to show a bar.
        keep_stopped: Whether Ctrl-C returns the word as it is, or is raised.
        **settings: Fields of the TrainingConfig, such as `steps=50`.

    Raises WordError for settings that cannot be met, another run's checkpoint
    and a loss that is no number any more. Sources: the article's steps 1 to 3;
    Gal et al. (2022), An Image is Worth One Word, section 3. Taught in
    notebooks/03_learn_x_by_similarity.ipynb and 05_textual_inversion.ipynb.
    """
    trainer = TextualInversionTrainer(
        models,
        concept,
        change_config(config or TrainingConfig(), settings),
        callbacks=callbacks,
        progress=progress,
    )
    save = prepare_checkpoint(checkpoint, trainer)
    try:
        return trainer.fit()
    except KeyboardInterrupt:
        if not keep_stopped:
            raise
        word = trainer.get_word()
        tqdm.write(f'Stopped; "{word.word}" is as its last step left it.')
        return word
    finally:
        save()


def change_config(
    config: TrainingConfig, settings: dict[str, Any]
) -> TrainingConfig:
    """Return a config with some settings changed.

    Raises WordError for a setting that there is none of.
    """
    known = {field.name for field in fields(TrainingConfig)}
    for name in settings:
        if name not in known:
            listed = ", ".join(sorted(known))
            raise WordError(
                f'There is no setting "{name}" of learning; the settings are '
                f"{listed}."
            )
    return replace(config, **settings)


def prepare_checkpoint(
    path: str | Path | None, trainer: TextualInversionTrainer
) -> Callable[[], None]:
    """Go on from a checkpoint if there is one, and keep it up to date.

    Returns a function that writes the checkpoint; without a path it does
    nothing.
    """
    if path is None:
        return lambda: None
    path = Path(path)
    run = fingerprint_run(trainer)
    if path.exists():
        load_checkpoint(path, trainer, run)

    def save_when_evaluated(entry: Entry) -> None:
        """Write the checkpoint with every evaluation."""
        if entry["evaluation"] is not None:
            save_checkpoint(path, trainer, run)

    trainer.callbacks.insert(0, save_when_evaluated)
    return partial(save_checkpoint, path, trainer, run)
