"""Sweeps: what one setting of the learning does to X, all others held.

A sweep learns the same unseen concepts again and again, each time with one
setting changed, and lets the judges look at what X then draws. It takes
many minutes, so the lesson reads a stored one and measures some of it again.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.evaluation.gallery import GalleryBuilder
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.rows import share_images
from tutorial_lib.evaluation.scores import identity, prompt_score
from tutorial_lib.evaluation.statistics import estimate_share
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.files import write_atomically
from tutorial_lib.generation import generate
from tutorial_lib.inversion import learn_word
from tutorial_lib.models import Models, fingerprint_models

# The values of each setting. The learning rate is in multiples of the
# profile's.
SWEEPS = {
    "pictures": (1, 2, 6, 20),
    "steps": (1, 3, 10, 30, 100, 300),
    "vectors": (1, 2, 4),
    "learning rate": (0.1, 1, 10),
}
USUAL = {"pictures": 6, "steps": 100, "vectors": 1, "learning rate": 1}
COUNT = 8  # pictures that the judges see for each value and concept


@dataclass(frozen=True)
class Point:
    """What one value of one setting did for one concept.

    `hits` of the `count` pictures judged for it show the concept, the
    nearest of 100; `asked` of `count` show what the prompt asks for.
    `steps` were taken and `seconds` spent on learning.
    """

    setting: str
    value: float
    seed: int
    hits: int
    asked: int
    count: int
    steps: int
    seconds: float


@dataclass
class Sweep:
    """All points of a kind of concept, and the models they belong to."""

    kind: str
    models: str
    points: list[Point]

    def find(self, setting: str, value: float, seed: int) -> Point | None:
        """Return the point of a setting's value and a concept, if any.

        A usual value has one point for all settings: it is one run.
        """
        sought = name_point(setting, value)
        for point in self.points:
            if point.seed == seed and sought == (point.setting, point.value):
                return point
        return None

    def seeds(self) -> list[int]:
        """Return the concepts that were swept."""
        return sorted({point.seed for point in self.points})

    def rate(
        self, setting: str, value: float, measure: str = "hits"
    ) -> dict[str, float]:
        """Return a value's share of pictures with its 95 % interval.

        `measure` is "hits" (the identity) or "asked" (the prompt). The
        dict holds `value`, `low`, `high`; whole concepts are resampled.
        Taught in notebooks/10_more_pictures_more_steps.ipynb.
        """
        said, concepts = [], []
        for seed in self.seeds():
            point = self.find(setting, value, seed)
            if point:
                good = getattr(point, measure)
                said += [True] * good + [False] * (point.count - good)
                concepts += [seed] * point.count
        return estimate_share(said, concepts)


def name_point(setting: str, value: float) -> tuple[str, float]:
    """Return the setting and value under which a point is kept."""
    if USUAL.get(setting) == value:
        return ("usual", 0)
    return (setting, value)


def list_values() -> list[tuple[str, float]]:
    """Return every setting and value of a sweep, each run once.

    "words" is no setting: there the description stands in for X.
    """
    named = [
        name_point(setting, value)
        for setting, values in SWEEPS.items()
        for value in values
    ]
    return list(dict.fromkeys([*named, ("words", 0)]))


# --- one point -------------------------------------------------------------


def learn_with(
    models: Models, kind: str, seed: int, setting: str, value: float
):
    """Learn X for an unseen concept with one setting changed.

    Returns a LearnedWord. The recipe is the article's, similarity, because
    it is the article's claim that is tested, and a word takes seconds.
    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    used = USUAL | {setting: value}
    concept = render_training_images(
        kind, seed, models.profile.size, count=used["pictures"]
    )
    return learn_word(
        models,
        concept,
        recipe="similarity",
        steps=used["steps"],
        num_vectors=used["vectors"],
        lr=used["learning rate"] * models.profile.similarity_lr,
        progress=False,
        keep_stopped=False,
    )


def judge_words(
    models: Models,
    judges: Judges,
    builder: GalleryBuilder,
    seed: int,
    text: str,
    words: list,
) -> dict[str, int]:
    """Draw the article's prompts with a text or words, and count.

    Only prompts from which the identity can be told. Returns the numbers
    `hits`, `asked` and `count` of a Point.
    """
    truth = world.new_concept(builder.kind, seed)
    shares = share_images(builder.kind, COUNT)
    told = {
        prompt: num for prompt, num in shares.items() if prompt.shows_identity
    }
    gallery, counts = builder.make(truth), {"hits": 0, "asked": 0, "count": 0}
    for prompt, num in told.items():
        images = generate(
            models,
            prompt.text.format(text),
            words=words,
            count=num,
            seed=seed,
            progress=False,
        )
        judge = judges.of_kind(builder.kind)
        counts["hits"] += sum(identity(judge, images, gallery))
        seen = prompt_score(judges.attributes, images, prompt.asked)
        counts["asked"] += sum(seen)
        counts["count"] += num
    return counts


def measure_point(
    models: Models,
    judges: Judges,
    builder: GalleryBuilder,
    seed: int,
    setting: str,
    value: float,
) -> Point:
    """Learn X with one setting changed, draw with it, and judge."""
    if setting == "words":
        text, words = world.describe(world.new_concept(builder.kind, seed)), []
        steps, seconds = 0, 0.0
    else:
        word = learn_with(models, builder.kind, seed, setting, value)
        text, words = word.word, [word]
        steps, seconds = word.steps, word.history[-1]["seconds"]
    counts = judge_words(models, judges, builder, seed, text, words)
    return Point(
        setting, value, seed, steps=steps, seconds=round(seconds, 1), **counts
    )


# --- the sweep -------------------------------------------------------------


def run_sweep(
    models: Models,
    judges: Judges,
    kind: str,
    seeds: list[int],
    path: Path,
    measure: Callable[..., Point] = measure_point,
) -> Sweep:
    """Measure all points of some concepts, and keep them in a file.

    The file is written after each point: a sweep that was stopped goes on
    where it was. Points of other models are not kept.
    """
    sweep = Sweep(kind, fingerprint_models(models), [])
    if path.exists():
        before = load_sweep(path)
        if (before.kind, before.models) == (sweep.kind, sweep.models):
            sweep = before
    builder = GalleryBuilder(judge=judges.of_kind(kind), kind=kind)
    todo = [
        (seed, *each)
        for seed in seeds
        for each in list_values()
        if sweep.find(*each, seed) is None
    ]
    for seed, setting, value in tqdm(todo, desc=f"Sweep, {kind}"):
        point = measure(models, judges, builder, seed, setting, value)
        sweep.points.append(point)
        save_sweep(sweep, path)
    return sweep


def save_sweep(sweep: Sweep, path: Path) -> None:
    """Write a sweep as JSON; an older file stays whole until it is done."""
    with write_atomically(path) as unfinished:
        text = json.dumps(asdict(sweep), indent=1) + "\n"
        Path(unfinished).write_text(text, encoding="utf-8")


def load_sweep(path: Path) -> Sweep:
    """Read a sweep that was written by `save_sweep`.

    Raises ValueError, naming the file, if it holds something else.
    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        points = [Point(**point) for point in stored.pop("points")]
        return Sweep(points=points, **stored)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} holds no sweep ({type(error).__name__}); delete it and "
            "measure again."
        ) from None
