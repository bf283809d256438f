"""Learning a word in one line."""

import difflib
from collections.abc import Iterable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from tutorial_lib.errors import WordError
from tutorial_lib.images import Images
from tutorial_lib.inversion.checkpoints import CheckpointKeeper
from tutorial_lib.inversion.config import TrainingConfig, read_config
from tutorial_lib.inversion.trainer import Callback, TextualInversionTrainer
from tutorial_lib.models import Models
from tutorial_lib.processes import is_main_process
from tutorial_lib.words import LearnedWord

OTHER_NAMES = {  # of settings, in diffusers' training script -> here
    "learning_rate": "lr",
    "max_train_steps": "steps",
    "train_batch_size": "batch_size",
    "placeholder_token": "word",
    "initializer_token": "initializer",
}


def learn_word(
    models: Models,
    concept: Images,
    config: TrainingConfig | None = None,
    *,
    callbacks: Callback | Iterable[Callback] | None = (),
    checkpoint: str | Path | None = None,
    progress: bool = True,
    keep_stopped: bool = True,
    **settings: Any,
) -> LearnedWord:
    """Learn a word from the images of a concept.

    Args:
        models: What `load_models` returns; nothing in it is changed.
        concept: A Concept, its name, a folder or images (see `as_images`).
        config: The settings, by default the usual ones.
        callbacks: Each gets the history's entry of every step.
        checkpoint: A file from which a broken-off run goes on, bit by bit.
            If it cannot be written, a warning says so, and learning goes on.
        progress: Whether to show a bar.
        keep_stopped: Whether Ctrl-C returns the word as it is, or is raised;
            before the first step it is raised, for nothing was learned.
        **settings: Fields of the TrainingConfig, such as `steps=50`.

    Several processes share each batch, and all return the same word. Raises
    WordError for settings that cannot be met, another run's checkpoint, a
    loss that is no number any more, and a word that does not move. Sources:
    the article's steps 1 to 3; Gal et al. (2022), An Image is Worth One Word,
    section 3. Taught in notebooks/03_learn_x_by_similarity.ipynb and
    05_textual_inversion.ipynb.
    """
    config = change_config(read_config(config), settings)
    trainer = TextualInversionTrainer(
        models, concept, config, callbacks=callbacks, progress=progress
    )
    if progress and trainer.config.recipe != config.recipe:
        tqdm.write(
            f'"{models.profile.name}" has two text encoders: the word is '
            f"learned by {trainer.config.recipe} alone, from "
            "the initializer on."
        )
    return fit_with_checkpoint(trainer, checkpoint, keep_stopped)


def fit_with_checkpoint(
    trainer: TextualInversionTrainer,
    checkpoint: str | Path | None,
    keep_stopped: bool,
) -> LearnedWord:
    """Let a trainer train to the end, or until Ctrl-C, and keep its state.

    It goes on from the checkpoint if there is one.
    """
    keeper = CheckpointKeeper(checkpoint, trainer)
    trainer.callbacks.insert(0, keeper.save_when_evaluated)
    try:
        trainer.fit()
    except KeyboardInterrupt:
        if not keep_stopped or trainer.get_word().steps == 0:
            raise
        name = trainer.config.word
        if is_main_process():
            tqdm.write(f'Stopped; "{name}" is as its last step left it.')
    finally:
        keeper.save_at_the_end(keep_stopped)
    return trainer.get_word()


def change_config(
    config: TrainingConfig, settings: dict[str, Any]
) -> TrainingConfig:
    """Return a config with some settings changed.

    Raises WordError for a setting that there is none of.
    """
    known = sorted(field.name for field in fields(TrainingConfig))
    for name in settings:
        if name not in known:
            alike = difflib.get_close_matches(name, known, n=1)
            meant = OTHER_NAMES.get(name) or "".join(alike)
            hint = f'perhaps "{meant}" is meant: ' if meant else ""
            raise WordError(
                f'There is no setting "{name}" of learning; {hint}the '
                f"settings are {', '.join(known)}."
            )
    return replace(config, **settings)
