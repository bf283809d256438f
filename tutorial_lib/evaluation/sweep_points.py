"""One point of a sweep: learn X with one setting changed, draw, and judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from tutorial_lib import world
from tutorial_lib.evaluation.gallery import GalleryBuilder
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.rows import Row, make_row_images
from tutorial_lib.evaluation.scores import (
    measure_cosines,
    prompt_score,
    rank_first,
)
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.inversion import learn_word
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import Models
from tutorial_lib.words import LearnedWord

# The values of each setting, for each recipe. A word takes about 4 s by
# similarity and 80 s by both on one core, so "both" gets few. The steps of
# "both" are those of denoising. The learning rate is in multiples of the
# profile's.
SWEEPS: dict[str, dict[str, tuple[float, ...]]] = {
    "similarity": {
        "pictures": (1, 6, 20),
        "steps": (10, 30, 100, 300),
        "vectors": (1, 2),
        "learning rate": (0.1, 1, 10),
    },
    "both": {"pictures": (1, 6, 20), "steps": (20, 150)},
}
USUAL_STEPS = {"similarity": 100, "both": 150}  # the tiny profile's
LEARNING_SEEDS = (0, 1)  # with the usual settings X is learned with each
REFERENCES = ("drawn", "description")  # no X is learned for these
COUNT = 8  # images that the judges see for each value and concept


@dataclass(frozen=True)
class Point:
    """What one value of one setting did for one concept.

    Of the `count` images judged for it, `hits` show the concept (the nearest
    of 100) and `asked` what the prompt asks for; `cosine` is their mean
    cosine with the true reference. The learning took `steps` and `seconds`.
    """

    setting: str
    value: float
    seed: int
    hits: int
    asked: int
    count: int
    steps: int
    seconds: float
    recipe: str = "similarity"
    learning_seed: int = 0
    cosine: float | None = None  # older files lack it


class Run(NamedTuple):
    """What is measured for each concept: one value, learned once."""

    recipe: str
    setting: str
    value: float
    learning_seed: int


def list_usual(kind: str, recipe: str) -> dict[str, float]:
    """Return the usual value of each setting."""
    return {
        "pictures": KINDS[kind].num_images,
        "steps": USUAL_STEPS[recipe],
        "vectors": 1,
        "learning rate": 1,
    }


def name_run(
    kind: str, recipe: str, setting: str, value: float, learning_seed: int = 0
) -> Run:
    """Return the name under which a point is kept.

    A usual value is one run for all settings; a reference has no recipe.
    """
    if setting in REFERENCES:
        return Run("none", setting, 0, 0)
    if list_usual(kind, recipe).get(setting) == value:
        return Run(recipe, "usual", 0, learning_seed)
    return Run(recipe, setting, value, learning_seed)


def list_runs(kind: str, recipe: str) -> list[Run]:
    """Return every run of a recipe, and the references, each once.

    "description" and "drawn" are no settings: there the description stands
    in for X, or the world draws the images.
    """
    runs = [name_run(kind, recipe, name, 0) for name in REFERENCES]
    runs += [Run(recipe, "usual", 0, seed) for seed in LEARNING_SEEDS]
    runs += [
        name_run(kind, recipe, setting, value)
        for setting, values in SWEEPS[recipe].items()
        for value in values
    ]
    return list(dict.fromkeys(runs))


def learn_with(
    models: Models,
    kind: str,
    seed: int,
    setting: str,
    value: float,
    recipe: str = "similarity",
    learning_seed: int = 0,
    checkpoints: Path | None = None,
) -> LearnedWord:
    """Learn X for an unseen concept with one setting changed.

    `setting` "usual" changes none. `checkpoints` is a folder: a word that is
    whole there is taken from it, and one that was broken off goes on. Taught
    in notebooks/10_more_pictures_more_steps.ipynb.
    """
    changes: dict[str, Any] = {}  # others stay None: the profile's
    if setting == "steps":
        changes["steps"] = value
    elif setting == "vectors":
        changes["num_vectors"] = value
    elif setting == "learning rate":
        is_similarity = recipe == "similarity"
        profile = models.profile
        lr = profile.similarity_lr if is_similarity else profile.denoising_lr
        changes["lr"] = value * lr
    count = value if setting == "pictures" else KINDS[kind].num_images
    run = name_run(kind, recipe, setting, value, learning_seed)
    return learn_word(
        models,
        render_training_images(
            kind, seed, models.profile.size, count=int(count)
        ),
        word="X",
        recipe=recipe,
        seed=learning_seed,
        checkpoint=name_file(checkpoints, kind, seed, run),
        progress=False,
        keep_stopped=False,
        **changes,
    )


def name_file(
    checkpoints: Path | None, kind: str, seed: int, run: Run
) -> Path | None:
    """Return where the word of a run is kept, if it is.

    One learned as usual is `evaluate`'s and has the same name. Words by
    similarity are learned sooner than they are read.
    """
    if checkpoints is None or run.recipe == "similarity":
        return None
    name = f"{kind} {seed} {run.recipe}"
    if (run.setting, run.learning_seed) != ("usual", 0):
        name += f" {run.setting} {run.value:g} {run.learning_seed}"
    return checkpoints / f"{name}.pt".replace(" ", "-")


def judge_row(
    models: Models, judges: Judges, builder: GalleryBuilder, row: Row
) -> dict[str, Any]:
    """Make the images of a row, and let the judges look at them.

    Only prompts whose images show the identity count. Returns the numbers
    `hits`, `asked`, `count` and `cosine` of a Point.
    """
    seed = int(row.cluster)
    gallery = builder.build(row.truth)
    prompts = [p for p in KINDS[builder.kind].prompts if p.shows_identity]
    hits, asked, cosines = [], [], []
    for prompt in prompts:
        images = make_row_images(
            models, row, prompt, COUNT // len(prompts), seed
        )
        row_cosines = measure_cosines(
            judges.of_kind(builder.kind), images, gallery
        )
        hits += [rank == 1 for rank in rank_first(row_cosines)]
        asked += prompt_score(judges.attributes, images, prompt.asked)
        cosines += row_cosines[:, 0].tolist()
    return {
        "hits": sum(hits),
        "asked": sum(asked),
        "count": len(hits),
        "cosine": round(mean(cosines), 4),
    }


def measure_point(
    models: Models,
    judges: Judges,
    builder: GalleryBuilder,
    seed: int,
    setting: str,
    value: float,
    recipe: str = "similarity",
    learning_seed: int = 0,
    checkpoints: Path | None = None,
) -> Point:
    """Learn X with one setting changed, generate with it, and judge.

    All runs of a concept generate from the same noise. Taught in
    notebooks/10_more_pictures_more_steps.ipynb.
    """
    kind, truth = builder.kind, world.new_concept(builder.kind, seed)
    words: Sequence[LearnedWord] = ()
    text, steps, seconds = world.describe(truth), 0, 0.0
    if setting not in REFERENCES:
        word = learn_with(
            models,
            kind,
            seed,
            setting,
            value,
            recipe=recipe,
            learning_seed=learning_seed,
            checkpoints=checkpoints,
        )
        words, text = (word,), word.word
        steps, seconds = word.steps, round(word.history[-1]["seconds"], 1)
    row = Row(setting, text, tuple(words), truth, str(seed))
    return Point(
        setting,
        value,
        seed,
        recipe=recipe,
        learning_seed=learning_seed,
        steps=steps,
        seconds=seconds,
        **judge_row(models, judges, builder, row),
    )
