"""The loop that learns a word: its phases, its steps, when it stops.

Only the word's vectors are learned. They are the one leaf with a
gradient; the optimizer and a checkpoint hold kilobytes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from tqdm.auto import tqdm

from tutorial_lib.checkpoints import (
    make_record, name_run, read_checkpoint, restore, write_checkpoint,
)
from tutorial_lib.models import Models
from tutorial_lib.placeholder import start_word
from tutorial_lib.recipes import TEMPLATES, DenoisingRecipe, SimilarityRecipe
from tutorial_lib.words import LearnedWord, WordError

RECIPES = {
    "similarity": ("similarity",),
    "denoising": ("denoising",),
    "both": ("similarity", "denoising"),
}
INITIALIZERS = {"pattern": "pattern", "person": "man or woman"}
EVALUATE_EVERY = 10  # steps
WINDOW = 4  # evaluations that are looked back on before stopping
LEAST_SHARE = 0.02  # of all progress so far; less in a window: stop
MOST_NORM = 10  # times the norm of an ordinary word's row
GRADIENT_SCALE = 1024  # a power of two: exact; saves float16 from zeros


@dataclass(frozen=True)
class Phase:
    """One recipe with its number of steps and its learning rate."""

    recipe: str
    steps: int
    lr: float


@dataclass
class Run:
    """A learning run: what it was given, and where it stands.

    `record` is a copy of all that changes, made after each whole step;
    it is what Ctrl-C goes back to and what a checkpoint holds.
    """

    models: Models
    pictures: list
    templates: tuple
    word: LearnedWord
    phases: list
    seed: int
    callback: Callable | None
    checkpoint: Path | None
    progress: bool
    autocast: bool | None
    name: str = ""  # what tells it from other runs
    most_norm: float = 0.0
    generator: torch.Generator | None = None
    optimizer: torch.optim.Optimizer | None = None
    phase: int = 0
    step: int = 0  # within the phase
    evaluations: list = field(default_factory=list)  # within the phase
    history: list = field(default_factory=list)
    record: dict | None = None


def learn_word(
    models, concept, word="X", recipe="both", initializer=None,
    num_vectors=1, steps=None, lr=None, seed=0, callback=None,
    checkpoint=None, progress=True, templates=None, kind=None, autocast=None,
    keep_stopped=True,
):  # fmt: skip
    """Learn a word from the pictures of a concept; returns a LearnedWord.

    `concept` is a Concept or a list of pictures; `recipe` "similarity",
    "denoising", or "both": the first, then the second from there. X
    starts as `initializer`, a word, phrase or LearnedWord. `steps` (at
    most) and `lr` (Adam's, multiplied by nothing; it falls to 0 in
    denoising) are those of the last recipe, by default the profile's.
    Ctrl-C returns the word as it is then, or, without `keep_stopped`, is
    raised on once the checkpoint is written. `callback` gets each step's
    dict, as in `word.history`. `checkpoint` is a file from which a run
    that was broken off goes on, bit by bit as if it had not been.
    `templates` are texts with a gap {}, by default those of the `kind`
    ("pattern" or "person"; the concept's). `autocast`: see
    `use_autocast`. Raises WordError. Source: the article's steps 1-3;
    Gal et al. (2022), section 3. Taught in
    notebooks/03_learn_x_by_similarity.ipynb and 05_textual_inversion.ipynb.
    """
    pictures = list(getattr(concept, "pictures", concept))
    kind = kind or getattr(concept, "kind", "pattern")
    check_settings(pictures, recipe=recipe, kind=kind)
    initializer = initializer or INITIALIZERS[kind]
    start = start_word(models, word, initializer, num_vectors=num_vectors)
    start = replace(start, recipe=recipe, num_pictures=len(pictures))
    run = Run(
        models, pictures, tuple(templates or TEMPLATES[kind]), start,
        plan_phases(models.profile, recipe, steps=steps, lr=lr), seed,
        callback, checkpoint and Path(checkpoint), progress, autocast,
    )  # fmt: skip
    begin(run)
    try:
        learn_all(run)
    except KeyboardInterrupt:
        restore(run, run.record)
        if not keep_stopped:
            raise
        tqdm.write(f'Stopped; "{start.word}" is as its last step left it.')
    finally:
        write_checkpoint(run)
    return finish_word(run)


# --- before the first step


def check_settings(pictures, recipe, kind):
    """Raise WordError for settings that there are none of."""
    if not pictures:
        raise WordError("There are no pictures to learn from; give some.")
    for value, known in ((recipe, RECIPES), (kind, TEMPLATES)):
        if value not in known:
            names = ", ".join(f'"{name}"' for name in known)
            raise WordError(f'"{value}" is unknown; say one of {names}.')


def plan_phases(profile, recipe, steps=None, lr=None):
    """Return the Phases of a recipe, a list of one or two.

    `steps` and `lr` are the last one's, by default the profile's.
    """
    phases = [
        Phase(
            recipe=name,
            steps=getattr(profile, f"{name}_steps"),
            lr=getattr(profile, f"{name}_lr"),
        )
        for name in RECIPES[recipe]
    ]
    steps = phases[-1].steps if steps is None else steps
    lr = phases[-1].lr if lr is None else lr
    return [*phases[:-1], replace(phases[-1], steps=steps, lr=lr)]


def begin(run):
    """Make a run ready for its next step, the first or the one broken off.

    Raises WordError if its checkpoint is another run's.
    """
    table = run.models.clip.token_embedding.weight
    run.most_norm = MOST_NORM * table.float().norm(dim=1).median().item()
    run.name = name_run(run)
    run.generator = torch.Generator("cpu").manual_seed(run.seed)
    start_phase(run, number=0)
    if run.checkpoint and run.checkpoint.exists():
        restore(run, read_checkpoint(run))


# --- the steps


def learn_all(run):
    """Run all phases that are not done yet."""
    given = (run.models, run.pictures, run.templates, run.word)
    meter = SimilarityRecipe(*given)
    while run.phase < len(run.phases):
        recipe = meter
        if run.phases[run.phase].recipe == "denoising":
            options = {"autocast": run.autocast, "progress": run.progress}
            recipe = DenoisingRecipe(*given, **options)
        run_phase(run, recipe=recipe, meter=meter)
        keep_best(run)
        start_phase(run, number=run.phase + 1)


def run_phase(run, recipe, meter):
    """Take the steps of one phase until it is finished."""
    steps = run.phases[run.phase].steps
    if not run.evaluations:
        note_step(run, recipe, meter, loss=None, lr=None, seconds=0.0)
    title = f'Learning "{run.word.word}" ({recipe.name})'
    with tqdm(
        total=steps, initial=run.step, desc=title, disable=not run.progress
    ) as bar:
        while not is_finished(run):
            entry = take_step(run, recipe, meter)
            bar.set_postfix(loss=f"{entry['loss']:.3f}", refresh=False)
            bar.update()
        fill_bar(bar)


def fill_bar(bar):
    """Show a bar as full: it may have stopped before its last step."""
    bar.total = bar.n
    if hasattr(bar, "container"):  # in a notebook: the widget has a copy
        bar.container.children[1].max = bar.n
    bar.refresh()


def take_step(run, recipe, meter):
    """Take one step and note it; returns its dict in the history."""
    began = time.perf_counter()
    phase = run.phases[run.phase]
    lr = choose_lr(phase, step=run.step)
    run.optimizer.param_groups[0]["lr"] = lr
    loss = recipe.loss(run.generator)
    if not torch.isfinite(loss):
        raise WordError(
            "The loss is no number any more; learn again with a lower lr, "
            f"say {phase.lr / 4:g}."
        )
    update_vectors(run, loss)
    run.step += 1
    seconds = time.perf_counter() - began
    return note_step(run, recipe, meter, loss.item(), lr, seconds)


def choose_lr(phase, step):
    """Return the learning rate of a step: even, or falling to 0.

    The similarity is the same at each step, so its rate may stay; the
    denoising error is a sample, and a falling rate averages over many.
    """
    if phase.recipe == "similarity":
        return phase.lr
    return phase.lr * (1 - step / phase.steps)


def update_vectors(run, loss):
    """Move the vectors against the gradient of the loss (Adam).

    A vector longer than `run.most_norm` is shortened to it: too long a
    vector drowns the rest of the prompt.
    """
    vectors = run.word.vectors
    run.optimizer.zero_grad()
    (loss * GRADIENT_SCALE).backward()
    vectors.grad /= GRADIENT_SCALE
    if torch.isfinite(vectors.grad).all():  # float16 may overflow
        run.optimizer.step()
    with torch.no_grad():
        norms = vectors.norm(dim=1, keepdim=True)
        vectors *= (run.most_norm / norms).clamp(max=1)


def note_step(run, recipe, meter, loss, lr, seconds):
    """Add a step to the history, and keep a record of the run.

    Every ten steps the recipe's measure on its fixed batch, the
    similarity and the vectors are noted too. Returns the step's dict.
    """
    last = run.phases[run.phase].steps
    due = run.step % EVALUATE_EVERY == 0 or run.step == last
    before = run.history[-1] if run.history else {"step": 0, "seconds": 0.0}
    vectors = run.word.vectors.detach()
    entry = {
        "step": before["step"] + (loss is not None),
        "recipe": recipe.name,
        "loss": loss,
        "lr": lr,
        "evaluation": recipe.evaluate() if due else None,
        "similarity": 1 - meter.evaluate() if due else None,
        "norm": vectors.norm(dim=1).mean().item(),
        "seconds": before["seconds"] + seconds,
        "vectors": vectors.cpu().clone() if due else None,
    }
    run.history.append(entry)
    if due:
        run.evaluations.append(entry["evaluation"])
    run.record = make_record(run)
    if due:
        write_checkpoint(run)
    if run.callback:
        run.callback(entry)
    return entry


def is_finished(run):
    """Return whether the phase has had its steps or gets no further."""
    last = run.phases[run.phase].steps
    return run.step >= last or no_longer_improves(run.evaluations)


def no_longer_improves(evaluations):
    """Return whether the last evaluations brought next to nothing.

    `evaluations` are a recipe's measures, lower is better, the first
    from before learning. The measure must be of a fixed batch (DVAR,
    Voronov et al., 2023); this asks whether the last four have less than
    2 % of all progress to show. Taught in
    notebooks/05_textual_inversion.ipynb.
    """
    if len(evaluations) <= WINDOW:
        return False
    before = min(evaluations[:-WINDOW])
    best = min(evaluations)
    return before - best <= LEAST_SHARE * (evaluations[0] - best)


def keep_best(run):
    """Go back to the vectors with the best evaluation of this phase."""
    name = run.phases[run.phase].recipe
    measured = [
        entry
        for entry in run.history
        if entry["recipe"] == name and entry["evaluation"] is not None
    ]
    best = min(measured, key=lambda entry: entry["evaluation"])
    if best is not measured[-1]:
        with torch.no_grad():
            run.word.vectors.copy_(best["vectors"])
        now = {key: run.history[-1][key] for key in ("step", "seconds")}
        run.history.append({**best, **now})


def start_phase(run, number):
    """Begin a phase with a fresh optimizer that holds the vectors alone."""
    run.phase, run.step, run.evaluations = number, 0, []
    run.optimizer = torch.optim.Adam([run.word.vectors], weight_decay=0)
    run.record = make_record(run)


def finish_word(run):
    """Return the word that a run has learned, on the CPU."""
    return replace(
        run.word,
        vectors=run.word.vectors.detach().cpu().clone(),
        steps=run.history[-1]["step"] if run.history else 0,
        history=run.history,
    )
