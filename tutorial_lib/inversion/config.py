"""How a word is learned: the settings, and the phases they stand for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tutorial_lib.arguments import (
    describe,
    read_choice,
    read_number,
    read_seed,
    read_text,
    read_texts,
    read_whole_number,
    refuse,
)
from tutorial_lib.errors import ArgumentError, WordError
from tutorial_lib.images import Concept
from tutorial_lib.inversion.early_stopping import MIN_DELTA, PATIENCE
from tutorial_lib.kinds import LEARNABLE_KINDS
from tutorial_lib.settings import Profile
from tutorial_lib.words import LearnedWord, check_word

RECIPES = {
    "similarity": ("similarity",),
    "denoising": ("denoising",),
    "both": ("similarity", "denoising"),
}
MAX_STEPS = 10_000_000  # more than a lifetime on a laptop
MAX_BATCH_SIZE = 4096  # more than any memory holds
MAX_NORM = 10  # times the norm of an ordinary word's embedding


@dataclass(frozen=True)
class TrainingConfig:
    """The settings of a training run; None stands for the usual value.

    `recipe` is "similarity" (the article's loss), "denoising" (the paper's)
    or "both": the first, then the second from there (`choose_recipe` says what
    models with two text encoders do). `steps` (at most) and
    `lr` belong to the last recipe; they and `batch_size` are the profile's
    if None. The learning rate is the optimizer's, multiplied by nothing.
    `kind` is "pattern", "person" or "object", the concept's if None;
    `initializer` (a word, phrase or LearnedWord that X begins as) is the
    concept's or else the kind's if None, `templates` (sentences with a gap {})
    are the kind's. Early stopping ends a phase whose
    last `patience` evaluations, one every `evaluate_every` steps, gained
    less than `min_delta` of all progress. No vector gets longer than
    `max_norm` times an ordinary embedding. `autocast`: see `use_autocast`.

    How a denoising step is computed changes its speed and memory, not what
    it computes: see `StepPlan` for `micro_batch_size` and
    `gradient_checkpointing`, chosen by the GPU's free memory if None; with
    `cuda_graph` the step is recorded once and replayed (by default on every
    GPU); `compile` lets torch.compile translate the U-Net, which takes a
    minute or two before the first step.
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
    micro_batch_size: int | None = None
    gradient_checkpointing: bool | None = None
    cuda_graph: bool | None = None
    compile: bool = False

    def __post_init__(self) -> None:
        """Raise WordError for a setting that cannot be used."""
        for name, read in READERS.items():
            value = getattr(self, name)
            if value is None and name in OPTIONAL:
                continue
            try:
                object.__setattr__(self, name, read(value, name))
            except ArgumentError as error:
                raise WordError(str(error)) from None


def read_initializer(value: Any, name: str) -> str | LearnedWord:
    """Return the text or the word that learning begins with."""
    if isinstance(value, LearnedWord):
        return value
    text = read_text(value, name, "pattern")
    if not text.strip():
        raise ArgumentError(
            f"`{name}` is empty; name an ordinary word for what the pictures "
            'show, such as "pattern" or "person".'
        )
    return text


def read_templates(value: Any, name: str) -> tuple[str, ...]:
    """Return one or several templates as a tuple."""
    return tuple(read_texts(value, name, "a photo of {}"))


def read_switch(value: Any, name: str) -> bool:
    """Return whether to use something."""
    if not isinstance(value, bool | np.bool_):
        others = "True, False or None" if name in OPTIONAL else "True or False"
        raise ArgumentError(refuse(value, name, others))
    return bool(value)


def read_word(value: Any, name: str) -> str:
    """Return the new word; `name` is always "word"."""
    return check_word(value)


OPTIONAL = {  # settings that may be None, for the usual value
    "kind",
    "initializer",
    "templates",
    "steps",
    "lr",
    "batch_size",
    "autocast",
    "micro_batch_size",
    "gradient_checkpointing",
    "cuda_graph",
}
READERS: dict[str, Callable[[Any, str], Any]] = {
    "word": read_word,
    "recipe": partial(read_choice, choices=RECIPES),
    "kind": partial(read_choice, choices=LEARNABLE_KINDS),
    "initializer": read_initializer,
    "templates": read_templates,
    "num_vectors": partial(read_whole_number, least=1),
    "steps": partial(read_whole_number, most=MAX_STEPS),
    "lr": partial(read_number, above=True),
    "batch_size": partial(read_whole_number, least=1, most=MAX_BATCH_SIZE),
    "seed": read_seed,
    "max_norm": partial(read_number, above=True),
    "patience": partial(read_whole_number, least=1),
    "min_delta": read_number,
    "evaluate_every": partial(read_whole_number, least=1),
    "autocast": read_switch,
    "micro_batch_size": partial(
        read_whole_number, least=1, most=MAX_BATCH_SIZE
    ),
    "gradient_checkpointing": read_switch,
    "cuda_graph": read_switch,
    "compile": read_switch,
}


@dataclass(frozen=True)
class Phase:
    """One loss with its number of steps and its learning rate."""

    recipe: str
    steps: int
    lr: float


def read_config(config: Any) -> TrainingConfig:
    """Return a TrainingConfig; None stands for the usual settings."""
    if config is None:
        return TrainingConfig()
    if not isinstance(config, TrainingConfig):
        raise WordError(
            f"`config` cannot be {describe(config)}; give a TrainingConfig, "
            "or its settings by name, as in learn_word(..., steps=50)."
        )
    return config


def complete_config(
    config: TrainingConfig, concept: Concept, profile: Profile
) -> TrainingConfig:
    """Return the settings as they are for a concept and a profile's models."""
    kind = config.kind or read_choice(concept.kind, "kind", LEARNABLE_KINDS)
    initializer, templates = config.initializer, config.templates
    if initializer is None:
        initializer = concept.initializer or LEARNABLE_KINDS[kind].initializer
    if templates is None:
        templates = LEARNABLE_KINDS[kind].templates
    return replace(
        config,
        recipe=choose_recipe(profile, config.recipe),
        kind=kind,
        initializer=initializer,
        templates=tuple(templates),
    )


def choose_recipe(profile: Profile, recipe: str) -> str:
    """Return the recipe that models can follow in place of one.

    With two text encoders "both" is "denoising" from the initializer on, for
    CLIP could teach the word to the first of them only. So "similarity", which
    would leave the second as it was, raises WordError.
    """
    if profile.embedding_width_2 is None or recipe == "denoising":
        return recipe
    if recipe == "both":
        return "denoising"
    raise WordError(
        f'"{profile.name}" has two text encoders, and CLIP\'s similarity '
        "would teach the word to the first of them only; say "
        'recipe="denoising", which teaches it to both.'
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


def get_lr(phase: Phase, step: int) -> float:
    """Return the learning rate of a step: even, or falling to 0.

    The similarity is the same at each step, so its rate may stay; the
    denoising loss is a sample, and a falling rate averages over many.
    """
    if phase.recipe == "similarity":
        return phase.lr
    return phase.lr * (1 - step / phase.steps)
