"""Evaluation: how well was X learned, beside four reference rows.

Rows: `x` the learned word; `drawn` pictures of the true concept drawn by
the world (the ceiling); `named` concepts whose names the models were
trained with, each judged among lookalikes of its own; `words` the most
careful plain description; `initializer` the word that X started from.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.evaluation.gallery import Gallery, GalleryBuilder
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.rows import (
    ROWS,
    Row,
    Subject,
    list_rows,
    make_row_images,
    pick_names,
    share_images,
)
from tutorial_lib.evaluation.scores import identity, prompt_score
from tutorial_lib.evaluation.statistics import estimate_share, paired_interval
from tutorial_lib.kinds import Prompt
from tutorial_lib.models import Models

BASELINES = ("words", "initializer")  # what X has to beat


@dataclass
class JudgedImages:
    """What the judges said of the pictures of one row, prompt, concept."""

    row: str
    prompt: Prompt
    cluster: str
    identity: list[bool]
    asked: list[bool]
    images: list[Image.Image]


@dataclass
class Evaluation:
    """The sightings of one kind of concept, and what they add up to."""

    kind: str
    seeds: list[int]
    recipe: str
    seconds_per_word: float
    judged: list[JudgedImages] = field(default_factory=list)

    def images(self, row: str, prompt: Prompt) -> list[Image.Image]:
        """Return all pictures of a row for a prompt."""
        return [
            image
            for each in self.judged
            if (each.row, each.prompt) == (row, prompt)
            for image in each.images
        ]

    def rate(
        self, measure: str, row: str, prompt: Prompt | None = None
    ) -> dict[str, float]:
        """Return the share of a row with its 95 % interval.

        `measure` is "identity" or "prompt"; without `prompt` all prompts
        count, for identity those on which it can be told. The dict holds
        `value`, `low`, `high`.
        """
        return estimate_share(*self._collect(measure, row, prompt))

    def lead(self, row: str) -> dict[str, float]:
        """Return by how much X's identity is above a row's, -1 to 1.

        `row` is "words", "initializer" or "drawn": rows of the same
        concepts, drawn from the same noise as X, so pictures are paired.
        The dict holds `value`, `low`, `high`.
        """
        x, clusters = self._collect("identity", "x")
        other, same = self._collect("identity", row)
        if clusters != same:
            raise ValueError(f"The row {row!r} shows other concepts than X.")
        low, high = paired_interval(x, other, clusters=clusters)
        value = float(np.mean(x) - np.mean(other))
        return {"value": value, "low": low, "high": high}

    def _collect(
        self, measure: str, row: str, prompt: Prompt | None = None
    ) -> tuple[list[bool], list[str]]:
        """Return what was said of a row's pictures, and their clusters."""
        hits, clusters = [], []
        for each in self.judged:
            wanted = prompt is None or each.prompt == prompt
            if measure == "identity" and prompt is None:
                wanted = each.prompt.shows_identity
            if each.row == row and wanted:
                said = each.identity if measure == "identity" else each.asked
                hits += said
                clusters += [each.cluster] * len(said)
        return hits, clusters

    def summarize(self) -> dict:
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
    """Let the judges look at the pictures of one row, prompt, concept."""
    kind = world.kind_of(row.truth)
    return JudgedImages(
        row=row.row,
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
    shares: dict[Prompt, int],
    num_names: int,
    seed: int,
    advance: Callable[[int], None],
) -> list[JudgedImages]:
    """Draw and judge all rows of one concept.

    `advance` is told how many pictures were drawn since it was last told.
    """
    names = pick_names(builder.kind, num_names, seed=seed)
    judged, galleries = [], {}
    for row in list_rows(builder.kind, subject, names):
        if row.cluster not in galleries:
            galleries[row.cluster] = builder.make(row.truth)
        for prompt, num in shares.items():
            if row.row == "named":
                num = -(-num // num_names)
            images = make_row_images(models, row, prompt, num, seed=seed)
            gallery = galleries[row.cluster]
            judged.append(judge_images(judges, row, prompt, images, gallery))
            advance(num)
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
    """Draw and judge all rows for concepts whose words were learned.

    Each row has about `count` pictures a concept; `named` shares them
    among `num_names` named concepts. All rows start from the same noise.
    Taught in notebooks/06_t_shirt.ipynb.
    """
    seeds = [subject.seed for subject in subjects]
    found = Evaluation(kind, seeds, recipe, seconds_per_word)
    builder = GalleryBuilder(judge=judges.of_kind(kind), kind=kind)
    shares = share_images(kind, count)
    each = 4 * sum(shares.values()) + num_names * sum(
        -(-num // num_names) for num in shares.values()
    )
    with tqdm(
        total=len(subjects) * each, desc=f"Judging, {kind}", unit="picture"
    ) as bar:
        for i, subject in enumerate(subjects):
            found.judged += evaluate_concept(
                models,
                judges,
                builder,
                subject,
                shares=shares,
                num_names=num_names,
                seed=seed + 1000 * i,
                advance=bar.update,
            )
    return found
