"""Sweeps: what one setting of the learning does to X, all others held.

A sweep learns the same unseen concepts again and again, each time with one
setting changed, and lets the judges look at what is generated with X. It
takes hours, so the lesson reads a stored one and measures some of it again.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from tutorial_lib.arguments import read_choice, read_path, read_seeds
from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation.gallery import GalleryBuilder
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.point_files import load_points
from tutorial_lib.evaluation.spread import estimate_spread
from tutorial_lib.evaluation.statistics import (
    Share,
    estimate_mean,
    estimate_share,
    paired_interval,
)
from tutorial_lib.evaluation.sweep_points import (
    LEARNING_SEEDS,
    REFERENCES,
    SWEEPS,
    Point,
    Run,
    list_runs,
    list_usual,
    measure_point,
    name_run,
)
from tutorial_lib.files import write_json
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import Models, fingerprint_models

MEASURES = ("hits", "asked", "cosine")


@dataclass
class Sweep:
    """All points of a kind of concept, and the models they belong to.

    Of the `measure` that its methods take, "hits" is the share of images
    whose nearest concept of 100 is the true one, "asked" that of images that
    show what the prompt asks for, and "cosine" the cosine with the truth as
    a share of that of drawn images, which is the finest.
    """

    kind: str
    models: str
    points: list[Point]

    def find(
        self,
        setting: str,
        value: float,
        seed: int,
        recipe: str = "similarity",
        learning_seed: int = 0,
    ) -> Point | None:
        """Return the point of a setting's value and a concept, if any.

        A usual value has one point for all settings: it is one run.
        """
        name = name_run(self.kind, recipe, setting, value, learning_seed)
        for point in self.points:
            if point.seed == seed and name_point(point) == name:
                return point
        return None

    def seeds(self) -> list[int]:
        """Return the concepts that were swept."""
        return sorted({point.seed for point in self.points})

    def recipes(self) -> list[str]:
        """Return the recipes that were swept."""
        recipes = {point.recipe for point in self.points}
        return [recipe for recipe in SWEEPS if recipe in recipes]

    def values(self, setting: str, recipe: str = "similarity") -> list[float]:
        """Return the values of a setting that were swept, in their order.

        Taught in notebooks/10_more_pictures_more_steps.ipynb.
        """
        values = {
            point.value
            for point in self.points
            if (point.recipe, point.setting) == (recipe, setting)
        }
        if values:
            values.add(list_usual(self.kind, recipe)[setting])
        return sorted(values)

    def rate(
        self,
        setting: str,
        value: float,
        measure: str = "hits",
        recipe: str = "similarity",
    ) -> Share:
        """Return what a value reaches on average, with its 95 % interval.

        Whole concepts are resampled. Raises TutorialError for a value or a
        measure that was not swept. Taught in
        notebooks/10_more_pictures_more_steps.ipynb.
        """
        results: list[float] = []
        concepts: list[int] = []
        for point in self._list_points(setting, value, recipe):
            verdicts = self._judge(point, measure)
            results += verdicts
            concepts += [point.seed] * len(verdicts)
        estimate = estimate_mean if measure == "cosine" else estimate_share
        return estimate(results, concepts)

    def collect(
        self,
        setting: str,
        value: float,
        measure: str = "hits",
        recipe: str = "similarity",
    ) -> dict[int, float]:
        """Return what a value reaches for each concept, by its seed.

        It is the mean over the times that X was learned.
        """
        results: dict[int, list[float]] = {}
        for point in self._list_points(setting, value, recipe):
            verdict = mean(self._judge(point, measure))
            results.setdefault(point.seed, []).append(verdict)
        return {seed: mean(verdicts) for seed, verdicts in results.items()}

    def gain(
        self,
        setting: str,
        low: float,
        high: float,
        measure: str = "hits",
        recipe: str = "similarity",
    ) -> Share:
        """Return how much more a value reaches than another, -1 to 1.

        The concepts are paired: each one's own difference counts.
        """
        before, after = (
            self.collect(setting, value, measure, recipe)
            for value in (low, high)
        )
        return subtract_pairs(before, after)

    def gain_of_both(self, measure: str = "hits") -> Share:
        """Return how much more the recipe "both" reaches than "similarity".

        Both are learned as usual; the concepts are paired.
        """
        before, after = (
            self.collect("usual", 0, measure, recipe)
            for recipe in ("similarity", "both")
        )
        return subtract_pairs(before, after)

    def spread(
        self, measure: str = "cosine", recipe: str = "similarity"
    ) -> dict[str, Share]:
        """Return how far concepts differ, and learning again from itself.

        See `estimate_spread`. Raises TutorialError unless two concepts were
        learned twice.
        """
        rows = []
        for seed in self.seeds():
            points = [
                self.find("usual", 0, seed, recipe, learning_seed)
                for learning_seed in LEARNING_SEEDS
            ]
            values = [mean(self._judge(p, measure)) for p in points if p]
            if len(values) == len(LEARNING_SEEDS):
                rows.append(values)
        return estimate_spread(np.array(rows))

    def _list_points(
        self, setting: str, value: float, recipe: str
    ) -> list[Point]:
        """Return the points of a value: one for each concept and learning."""
        points = [
            self.find(setting, value, seed, recipe, learning_seed)
            for seed in self.seeds()
            for learning_seed in LEARNING_SEEDS
        ]
        # A reference is learned never: each learning seed finds the same.
        swept = list(dict.fromkeys(point for point in points if point))
        if not swept:
            raise TutorialError(
                f'The sweep holds no "{setting}" {value:g} of the recipe '
                f'"{recipe}"; measure it with `textual-inversion sweep`.'
            )
        return swept

    def _judge(self, point: Point, measure: str) -> list[float]:
        """Return the verdicts on a point's images; the cosine is one."""
        measure = read_choice(measure, "measure", MEASURES)
        if measure != "cosine":
            num = getattr(point, measure)
            return [1.0] * num + [0.0] * (point.count - num)
        drawn = self.find("drawn", 0, point.seed)
        if point.cosine is None or drawn is None or not drawn.cosine:
            raise TutorialError(
                "The sweep was measured without cosines; measure it again "
                "with `textual-inversion sweep`."
            )
        return [point.cosine / drawn.cosine]


def name_point(point: Point) -> Run:
    """Return the run that a point is of."""
    return Run(point.recipe, point.setting, point.value, point.learning_seed)


def subtract_pairs(before: dict[int, float], after: dict[int, float]) -> Share:
    """Return the mean difference of concepts, with its 95 % interval.

    Only concepts that are in both count. Raises TutorialError if none is.
    """
    seeds = sorted(before.keys() & after.keys())
    ends = [after[seed] for seed in seeds]
    starts = [before[seed] for seed in seeds]
    low, high = paired_interval(ends, starts, clusters=seeds)
    value = float(np.mean(ends) - np.mean(starts))
    return {"value": value, "low": low, "high": high}


# --- measuring one ---------------------------------------------------------


def run_sweep(
    models: Models,
    judges: Judges,
    kind: str,
    seeds: int | Sequence[int],
    path: str | Path,
    recipes: Sequence[str] = tuple(SWEEPS),
    others: Iterable[str | Path] = (),
    measure: Callable[..., Point] = measure_point,
) -> Sweep:
    """Measure all points of some concepts, and keep them in a file.

    The file is written after each point: a sweep that was stopped goes on
    where it was. Words that take minutes have checkpoints in the folder
    beside it, named as the file with `.words`. Points of the files `others`
    count as measured, so that processes can share the concepts. Points of
    other models are not kept. Raises TutorialError for a file of `others`
    that belongs to another kind or to other models.
    """
    kind = read_choice(kind, "kind", KINDS)
    seeds, path = read_seeds(seeds), read_path(path)
    recipes = [read_choice(recipe, "recipe", SWEEPS) for recipe in recipes]
    sweep = open_sweep(kind, fingerprint_models(models), path)
    for other in others:
        add_points(sweep, other)
    words = path.with_suffix(".words") / sweep.models
    builder = GalleryBuilder(judge=judges.of_kind(kind), kind=kind)
    for seed, run in tqdm(
        list_missing(sweep, seeds, recipes), desc=f"Sweep, {kind}"
    ):
        point = measure(
            models,
            judges,
            builder,
            seed,
            run.setting,
            run.value,
            recipe=run.recipe,
            learning_seed=run.learning_seed,
            checkpoints=words,
        )
        sweep.points.append(point)
        save_sweep(sweep, path)
    save_sweep(sweep, path)
    return sweep


def open_sweep(kind: str, models: str, path: Path) -> Sweep:
    """Return the sweep of a file, an empty one if it is of others or none."""
    if os.path.exists(path):
        stored = load_sweep(path)
        if (stored.kind, stored.models) == (kind, models):
            return stored
    return Sweep(kind, models, [])


def list_missing(
    sweep: Sweep, seeds: Sequence[int], recipes: Sequence[str]
) -> list[tuple[int, Run]]:
    """Return the concepts and runs that are not measured yet.

    One recipe comes after the other, and in it one concept after the other,
    so that a sweep that was stopped holds whole concepts.
    """
    measured = {(point.seed, name_point(point)) for point in sweep.points}
    wanted = [
        (seed, run)
        for recipe in recipes
        for seed in seeds
        for run in list_runs(sweep.kind, recipe)
    ]
    return [pair for pair in dict.fromkeys(wanted) if pair not in measured]


# --- its file --------------------------------------------------------------


def add_points(sweep: Sweep, path: str | Path) -> None:
    """Add the points of another file that the sweep lacks.

    Raises TutorialError, naming the file, if it is of another kind or
    belongs to other models.
    """
    other = load_sweep(path)
    if (other.kind, other.models) != (sweep.kind, sweep.models):
        raise TutorialError(
            f"{path} is a sweep of kind {other.kind} with models "
            f"{other.models}, not of {sweep.kind} with {sweep.models}; leave "
            "it out."
        )
    known = {(point.seed, name_point(point)) for point in sweep.points}
    sweep.points += [
        point
        for point in other.points
        if (point.seed, name_point(point)) not in known
    ]


def save_sweep(sweep: Sweep, path: Path) -> None:
    """Write a sweep as JSON."""
    write_json(path, asdict(sweep))


def load_sweep(path: str | Path) -> Sweep:
    """Read a sweep that was written by `save_sweep`.

    Raises TutorialError, naming the file, if it holds something else.
    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    return load_points(path, make_sweep, "sweep")


def make_sweep(stored: dict[str, Any]) -> Sweep:
    """Make a sweep of what its file holds."""
    points = [Point(**point) for point in stored.pop("points")]
    return Sweep(points=[rename_point(p) for p in points], **stored)


def rename_point(point: Point) -> Point:
    """Return a point under today's name of its setting and recipe.

    In older files "description" is "words", and a reference has the recipe
    of the words beside it.
    """
    if point.setting == "words":
        point = replace(point, setting="description")
    if point.setting in REFERENCES:
        point = replace(point, recipe="none")
    return point
