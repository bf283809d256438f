"""How a word is learned: the settings, and the phases they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tutorial_lib.errors import WordError
from tutorial_lib.inversion.early_stopping import MIN_DELTA, PATIENCE
from tutorial_lib.kinds import KINDS
from tutorial_lib.settings import Profile
from tutorial_lib.words import LearnedWord

RECIPES = {
    "similarity": ("similarity",),
    "denoising": ("denoising",),
    "both": ("similarity", "denoising"),
}
MAX_NORM = 10  # times the norm of an ordinary word's embedding


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of a training run; None stands for the usual value.

    `recipe` is "similarity" (the article's loss), "denoising" (the paper's)
    or "both": the first, then the second from there. `steps` (at most) and
    `lr` belong to the last recipe; they and `batch_size` are the profile's
    if None. The learning rate is the optimizer's, multiplied by nothing.
    `kind` is "pattern" or "person", the concept's if None; `initializer` (a
    word, phrase or LearnedWord that X begins as) and `templates` (sentences
    with a gap {}) are the kind's if None. Early stopping ends a phase whose
    last `patience` evaluations, one every `evaluate_every` steps, gained
    less than `min_delta` of all progress. No vector gets longer than
    `max_norm` times an ordinary embedding. `autocast`: see `use_autocast`.
    """

    word: str = "X"
    recipe: str = "both"
    kind: str | None = None
    initializer: str | LearnedWord | None = None
    templates: Sequence[str] | None = None
    num_vectors: int = 1
    steps: int | None = None
    lr: float | None = None
    batch_size: int | None = None
    seed: int = 0
    max_norm: float = MAX_NORM
    patience: int = PATIENCE
    min_delta: float = MIN_DELTA
    evaluate_every: int = 10
    autocast: bool | None = None


@dataclass(frozen=True)
class Phase:
    """One loss with its number of steps and its learning rate."""

    recipe: str
    steps: int
    lr: float


def complete_config(config: TrainingConfig, kind: str) -> TrainingConfig:
    """Return the settings with those filled in that depend on the kind.

    `kind` is that of the concept. Raises WordError for settings that there
    are none of.
    """
    kind = config.kind or kind
    for value, known in ((config.recipe, RECIPES), (kind, KINDS)):
        if value not in known:
            names = ", ".join(f'"{name}"' for name in known)
            raise WordError(f'"{value}" is unknown; say one of {names}.')
    return replace(
        config,
        kind=kind,
        initializer=config.initializer or KINDS[kind].initializer,
        templates=tuple(config.templates or KINDS[kind].templates),
    )


def plan_phases(profile: Profile, config: TrainingConfig) -> list[Phase]:
    """Return the phases of a recipe, one or two.

    `config.steps` and `config.lr` are the last one's, by default the
    profile's.
    """
    phases = [
        Phase(
            recipe=recipe,
            steps=getattr(profile, f"{recipe}_steps"),
            lr=getattr(profile, f"{recipe}_lr"),
        )
        for recipe in RECIPES[config.recipe]
    ]
    last = phases[-1]
    steps = last.steps if config.steps is None else config.steps
    lr = last.lr if config.lr is None else config.lr
    return [*phases[:-1], replace(last, steps=steps, lr=lr)]
