"""Sweeps: what one setting of the learning does to X, all others held.

A sweep learns the same unseen concepts again and again, each time with one
setting changed, and lets the judges look at what is generated with X. It
takes many minutes, so the lesson reads a stored one and measures some of it
again.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.arguments import read_choice, read_path, read_seeds
from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation.gallery import GalleryBuilder
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.rows import split_count
from tutorial_lib.evaluation.scores import identity, prompt_score
from tutorial_lib.evaluation.statistics import Share, estimate_share
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.files import write_json
from tutorial_lib.generation import generate
from tutorial_lib.inversion import learn_word
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import Models, fingerprint_models
from tutorial_lib.words import LearnedWord

# The values of each setting. The learning rate is in multiples of the
# profile's.
SWEEPS: dict[str, tuple[float, ...]] = {
    "pictures": (1, 2, 6, 20),
    "steps": (1, 3, 10, 30, 100, 300),
    "vectors": (1, 2, 4),
    "learning rate": (0.1, 1, 10),
}
USUAL = {"pictures": 6, "steps": 100, "vectors": 1, "learning rate": 1}
COUNT = 8  # images that the judges see for each value and concept


@dataclass(frozen=True)
class Point:
    """What one value of one setting did for one concept.

    Of the `count` images judged for it, `hits` show the concept (the nearest
    of 100) and `asked` what the prompt asks for. The learning took `steps`
    and `seconds`.
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
        name = name_point(setting, value)
        for point in self.points:
            if point.seed == seed and name == (point.setting, point.value):
                return point
        return None

    def seeds(self) -> list[int]:
        """Return the concepts that were swept."""
        return sorted({point.seed for point in self.points})

    def rate(self, setting: str, value: float, measure: str = "hits") -> Share:
        """Return a value's share of images with its 95 % interval.

        `measure` is "hits" (the identity) or "asked" (the prompt). Whole
        concepts are resampled. Taught in
        notebooks/10_more_pictures_more_steps.ipynb.
        """
        hits: list[bool] = []
        concepts: list[int] = []
        for seed in self.seeds():
            point = self.find(setting, value, seed)
            if point:
                num_hits = getattr(point, measure)
                hits += [True] * num_hits
                hits += [False] * (point.count - num_hits)
                concepts += [seed] * point.count
        return estimate_share(hits, concepts)


def name_point(setting: str, value: float) -> tuple[str, float]:
    """Return the setting and value under which a point is kept."""
    if USUAL.get(setting) == value:
        return ("usual", 0)
    return (setting, value)


def list_values() -> list[tuple[str, float]]:
    """Return every setting and value of a sweep, each run once.

    "description" is no setting: there the description stands in for X.
    """
    points = [
        name_point(setting, value)
        for setting, values in SWEEPS.items()
        for value in values
    ]
    return list(dict.fromkeys([*points, ("description", 0)]))


# --- one point -------------------------------------------------------------


def learn_with(
    models: Models, kind: str, seed: int, setting: str, value: float
) -> LearnedWord:
    """Learn X for an unseen concept with one setting changed.

    The recipe is the article's, similarity, because it is the article's
    claim that is tested, and a word takes seconds. Taught in
    notebooks/10_more_pictures_more_steps.ipynb.
    """
    settings: dict[str, Any] = USUAL | {setting: value}
    concept = render_training_images(
        kind, seed, models.profile.size, count=settings["pictures"]
    )
    return learn_word(
        models,
        concept,
        recipe="similarity",
        steps=settings["steps"],
        num_vectors=settings["vectors"],
        lr=settings["learning rate"] * models.profile.similarity_lr,
        progress=False,
        keep_stopped=False,
    )


def count_hits(
    models: Models,
    judges: Judges,
    builder: GalleryBuilder,
    seed: int,
    text: str,
    words: Sequence[LearnedWord],
) -> dict[str, int]:
    """Generate the article's prompts with `text` in their gap, and count.

    Only prompts whose images show the identity count. Returns the numbers
    `hits`, `asked` and `count` of a Point.
    """
    gallery = builder.build(world.new_concept(builder.kind, seed))
    counts = {"hits": 0, "asked": 0, "count": 0}
    for prompt, count in split_count(builder.kind, COUNT).items():
        if not prompt.shows_identity:
            continue
        images = generate(
            models,
            prompt.text.format(text),
            words=words,
            count=count,
            seed=seed,
            progress=False,
        )
        judge = judges.of_kind(builder.kind)
        counts["hits"] += sum(identity(judge, images, gallery))
        counts["asked"] += sum(
            prompt_score(judges.attributes, images, prompt.asked)
        )
        counts["count"] += count
    return counts


def measure_point(
    models: Models,
    judges: Judges,
    builder: GalleryBuilder,
    seed: int,
    setting: str,
    value: float,
) -> Point:
    """Learn X with one setting changed, generate with it, and judge."""
    if setting == "description":
        text = world.describe(world.new_concept(builder.kind, seed))
        words: list[LearnedWord] = []
        steps, seconds = 0, 0.0
    else:
        word = learn_with(models, builder.kind, seed, setting, value)
        text, words = word.word, [word]
        steps, seconds = word.steps, word.history[-1]["seconds"]
    counts = count_hits(models, judges, builder, seed, text, words)
    return Point(
        setting, value, seed, steps=steps, seconds=round(seconds, 1), **counts
    )


# --- the sweep -------------------------------------------------------------


def run_sweep(
    models: Models,
    judges: Judges,
    kind: str,
    seeds: int | Sequence[int],
    path: str | Path,
    measure: Callable[..., Point] = measure_point,
) -> Sweep:
    """Measure all points of some concepts, and keep them in a file.

    The file is written after each point: a sweep that was stopped goes on
    where it was. Points of other models are not kept.
    """
    kind = read_choice(kind, "kind", KINDS)
    seeds, path = read_seeds(seeds), read_path(path)
    sweep = Sweep(kind, fingerprint_models(models), [])
    if os.path.exists(path):
        stored = load_sweep(path)
        if (stored.kind, stored.models) == (sweep.kind, sweep.models):
            sweep = stored
    builder = GalleryBuilder(judge=judges.of_kind(kind), kind=kind)
    missing = [
        (seed, setting, value)
        for seed in seeds
        for setting, value in list_values()
        if sweep.find(setting, value, seed) is None
    ]
    for seed, setting, value in tqdm(missing, desc=f"Sweep, {kind}"):
        point = measure(models, judges, builder, seed, setting, value)
        sweep.points.append(point)
        save_sweep(sweep, path)
    return sweep


def save_sweep(sweep: Sweep, path: Path) -> None:
    """Write a sweep as JSON."""
    write_json(path, asdict(sweep))


def load_sweep(path: str | Path) -> Sweep:
    """Read a sweep that was written by `save_sweep`.

    Raises TutorialError, naming the file, if it holds something else.
    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    path = read_path(path)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        points = [Point(**point) for point in stored.pop("points")]
        points = [rename_point(point) for point in points]
        return Sweep(points=points, **stored)
    except OSError as error:
        raise TutorialError(
            f"{path} cannot be read ({error.strerror}); name a file that "
            "`textual-inversion sweep` wrote."
        ) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TutorialError(
            f"{path} holds no sweep ({type(error).__name__}); delete it and "
            "measure again."
        ) from None


def rename_point(point: Point) -> Point:
    """Return a point under today's name of its setting.

    Until version 0.1 "description" was "words".
    """
    if point.setting == "words":
        return replace(point, setting="description")
    return point
