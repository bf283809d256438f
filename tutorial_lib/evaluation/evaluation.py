"""Evaluation: how well was X learned, compared with four reference rows."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.arguments import read_choice, read_seed, read_whole_number
from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation.gallery import Gallery, GalleryBuilder
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.rows import (
    BASELINES,
    ROWS,
    Row,
    Subject,
    list_rows,
    make_row_images,
    pick_names,
    split_count,
)
from tutorial_lib.evaluation.scores import identity, prompt_score
from tutorial_lib.evaluation.statistics import (
    Share,
    estimate_share,
    paired_interval,
)
from tutorial_lib.kinds import KINDS, Prompt
from tutorial_lib.models import Models


@dataclass
class JudgedImages:
    """The images of one row, prompt and concept, with the judges' verdicts.

    For each image, `identity` says whether its nearest concept is the true
    one, and `asked` whether it shows what the prompt asked for.
    """

    row: str
    prompt: Prompt
    cluster: str
    identity: list[bool]
    asked: list[bool]
    images: list[Image.Image]


@dataclass
class Evaluation:
    """The judged images of one kind of concept, and what they add up to."""

    kind: str
    seeds: list[int]
    recipe: str
    seconds_per_word: float
    judged: list[JudgedImages] = field(default_factory=list)

    def images(self, row: str, prompt: Prompt) -> list[Image.Image]:
        """Return all images of a row for a prompt."""
        return [
            image
            for judged in self.judged
            if (judged.row, judged.prompt) == (row, prompt)
            for image in judged.images
        ]

    def rate(
        self, measure: str, row: str, prompt: Prompt | None = None
    ) -> Share:
        """Return the share of a row with its 95 % interval.

        `measure` is "identity" or "prompt". Without `prompt` all prompts
        count, but for identity only those whose images show it.
        """
        return estimate_share(*self._collect(measure, row, prompt))

    def lead(self, row: str) -> Share:
        """Return how far X's identity is above a row's, -1 to 1.

        `row` is "description", "initializer" or "drawn": rows of the same
        concepts as X, made with the same seeds, so the images are paired.
        Raises TutorialError for a row of other concepts.
        """
        x, clusters = self._collect("identity", "x")
        other, other_clusters = self._collect("identity", row)
        if clusters != other_clusters:
            raise TutorialError(
                f"The row {row!r} shows other concepts than X."
            )
        low, high = paired_interval(x, other, clusters=clusters)
        value = float(np.mean(x) - np.mean(other))
        return {"value": value, "low": low, "high": high}

    def _collect(
        self, measure: str, row: str, prompt: Prompt | None = None
    ) -> tuple[list[bool], list[str]]:
        """Return the verdicts on a row's images, and their clusters."""
        hits: list[bool] = []
        clusters: list[str] = []
        for judged in self.judged:
            counts = prompt is None or judged.prompt == prompt
            if measure == "identity" and prompt is None:
                counts = judged.prompt.shows_identity
            if judged.row == row and counts:
                verdicts = (
                    judged.identity if measure == "identity" else judged.asked
                )
                hits += verdicts
                clusters += [judged.cluster] * len(verdicts)
        return hits, clusters

    def summarize(self) -> dict[str, Any]:
        """Return the object that results.json and `evaluate` hold."""
        return {
            "kind": self.kind,
            "seeds": self.seeds,
            "recipe": self.recipe,
            "identity": {row: self.rate("identity", row) for row in ROWS},
            "prompt": {row: self.rate("prompt", row) for row in ROWS},
            "lead": {row: self.lead(row) for row in BASELINES},
            "seconds_per_word": round(self.seconds_per_word, 1),
        }


def judge_images(
    judges: Judges,
    row: Row,
    prompt: Prompt,
    images: list[Image.Image],
    gallery: Gallery,
) -> JudgedImages:
    """Let the judges look at the images of one row, prompt and concept."""
    kind = world.kind_of(row.truth)
    return JudgedImages(
        row=row.name,
        prompt=prompt,
        cluster=row.cluster,
        identity=identity(judges.of_kind(kind), images, gallery),
        asked=prompt_score(judges.attributes, images, prompt.asked),
        images=images,
    )


def evaluate_concept(
    models: Models,
    judges: Judges,
    builder: GalleryBuilder,
    subject: Subject,
    counts: dict[Prompt, int],
    num_names: int,
    seed: int,
    advance: Callable[[int], object],
) -> list[JudgedImages]:
    """Make and judge all rows of one concept.

    `counts` is the number of images of a row for each prompt. `advance` is
    told how many images were judged since it was last told.
    """
    named = pick_names(builder.kind, num_names, seed=seed)
    judged = []
    galleries: dict[str, Gallery] = {}
    for row in list_rows(builder.kind, subject, named):
        if row.cluster not in galleries:
            galleries[row.cluster] = builder.build(row.truth)
        for prompt, count in counts.items():
            shared = num_names if row.name == "named" else 1
            num_images = math.ceil(count / shared)
            images = make_row_images(models, row, prompt, num_images, seed)
            gallery = galleries[row.cluster]
            judged.append(judge_images(judges, row, prompt, images, gallery))
            advance(num_images)
    return judged


def evaluate_words(
    models: Models,
    judges: Judges,
    kind: str,
    subjects: list[Subject],
    recipe: str,
    seconds_per_word: float,
    count: int = 24,
    num_names: int = 1,
    seed: int = 0,
) -> Evaluation:
    """Make and judge all rows for concepts whose words were learned.

    Each row has about `count` images a concept; `named` splits them among
    `num_names` named concepts. All rows start from the same noise.
    Taught in notebooks/06_t_shirt.ipynb.
    """
    kind = read_choice(kind, "kind", KINDS)
    count = read_whole_number(count, "count", 1)
    num_names = read_whole_number(num_names, "num_names", 1)
    seed = read_seed(seed)
    seeds = [subject.seed for subject in subjects]
    evaluation = Evaluation(kind, seeds, recipe, seconds_per_word)
    builder = GalleryBuilder(judge=judges.of_kind(kind), kind=kind)
    counts = split_count(kind, count)
    images_each = 4 * sum(counts.values()) + num_names * sum(
        math.ceil(count / num_names) for count in counts.values()
    )
    with tqdm(
        total=len(subjects) * images_each,
        desc=f"Judging, {kind}",
        unit="picture",
    ) as bar:
        for i, subject in enumerate(subjects):
            evaluation.judged += evaluate_concept(
                models,
                judges,
                builder,
                subject,
                counts=counts,
                num_names=num_names,
                seed=seed + 1000 * i,
                advance=bar.update,
            )
    return evaluation
