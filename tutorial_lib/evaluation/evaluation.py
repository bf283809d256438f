"""Evaluation: how well was X learned, compared with four reference rows."""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.arguments import read_choice, read_seed, read_whole_number
from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation.deviations import (
    Deviation,
    Truth,
    compare_readings,
)
from tutorial_lib.evaluation.gallery import Gallery, GalleryBuilder
from tutorial_lib.evaluation.judges import Judges, read_images
from tutorial_lib.evaluation.rows import (
    BASELINES,
    OFF_ROWS,
    OWN_ROWS,
    ROWS,
    Row,
    Subject,
    list_rows,
    make_row_images,
    pick_names,
    split_count,
)
from tutorial_lib.evaluation.ruler import Shares, average, learn_drawn_truth
from tutorial_lib.evaluation.scores import (
    measure_cosines,
    rank_first,
    score_readings,
)
from tutorial_lib.evaluation.statistics import (
    Share,
    estimate_share,
    paired_interval,
    ratio_interval,
)
from tutorial_lib.kinds import KINDS, Prompt
from tutorial_lib.models import Models
from tutorial_lib.processes import count_processes, is_main_process, share_out


@dataclass
class JudgedImages:
    """The images of one row, prompt and concept, with the judges' verdicts.

    For each image, `identity` says whether its nearest concept is the true
    one, `cosines` holds the cosine of its embedding with the true reference,
    and `asked` says whether it shows what the prompt asked for. `deviations`
    says of each image how far off it is; it is empty where the prompt may
    hide the concept, for names, and by a judge that reads no numbers.
    """

    row: str
    prompt: Prompt
    cluster: str
    identity: list[bool]
    asked: list[bool]
    images: list[Image.Image]
    cosines: list[float]
    deviations: list[Deviation] = field(default_factory=list)


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

    def share_of_drawn(self) -> Share | None:
        """Return X's identity as a share of that of drawn images.

        None if no drawn image was found.
        """
        x, clusters = self._collect("identity", "x")
        drawn, _ = self._collect("identity", "drawn")
        if not any(drawn):
            return None
        low, high = ratio_interval(x, drawn, clusters=clusters)
        value = float(np.mean(x) / np.mean(drawn))
        return {"value": value, "low": low, "high": high}

    def cosine(self, row: str) -> Share:
        """Return a row's cosine with the truth as a share of the drawn one.

        It is the mean over concepts of their mean cosine, divided by that of
        their drawn images; `worst` is the lowest of them. `row` is one of
        `OWN_ROWS`. Raises TutorialError for a row of other concepts.
        """
        cosines, drawn = (self._group_cosines(name) for name in (row, "drawn"))
        if set(cosines) != set(drawn):
            raise TutorialError(f"No drawn pictures go with the row {row!r}.")
        shares = {
            cluster: np.asarray(values) / np.mean(drawn[cluster])
            for cluster, values in cosines.items()
        }
        share = estimate_share(
            np.concatenate(list(shares.values())).tolist(),
            [name for name, values in shares.items() for _ in values],
        )
        worst = min(float(values.mean()) for values in shares.values())
        return share | {"worst": worst}

    def off(self, row: str) -> Shares:
        """Return how far off a row's images are on average, by attribute.

        The mean absolute deviations, and the shares of right labels, are
        those of `ruler.average`; for a row without any it is empty.
        """
        deviations: dict[Hashable, list[Deviation]] = defaultdict(list)
        for judged in self.judged:
            if judged.row == row and judged.deviations:
                deviations[judged.cluster] += judged.deviations
        return average(deviations)

    def _group_cosines(self, row: str) -> dict[str, list[float]]:
        """Return the cosines of a row's images that show their concept."""
        cosines: dict[str, list[float]] = defaultdict(list)
        for judged in self.judged:
            if judged.row == row and judged.prompt.shows_identity:
                cosines[judged.cluster] += judged.cosines
        return cosines

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
        off = {row: self.off(row) for row in OFF_ROWS}
        summary: dict[str, Any] = {
            "kind": self.kind,
            "seeds": self.seeds,
            "recipe": self.recipe,
            "identity": {row: self.rate("identity", row) for row in ROWS},
            "prompt": {row: self.rate("prompt", row) for row in ROWS},
            "lead": {row: self.lead(row) for row in BASELINES},
            "cosine": {row: self.cosine(row) for row in OWN_ROWS},
            "seconds_per_word": round(self.seconds_per_word, 1),
        }
        if share := self.share_of_drawn():
            summary["share_of_drawn"] = share
        if all(off.values()):
            summary["off"] = off
        return summary


def judge_images(
    judges: Judges,
    row: Row,
    prompt: Prompt,
    images: list[Image.Image],
    gallery: Gallery,
    truth: Truth | None = None,
) -> JudgedImages:
    """Let the judges look at the images of one row, prompt and concept.

    Deviations are those from `truth`, if that is given and can be seen.
    """
    judge = judges.of_kind(world.kind_of(row.truth))
    cosines = measure_cosines(judge, images, gallery)
    readings = read_images(judges.attributes, images)
    deviations = []
    if truth is not None and prompt.shows_identity:
        deviations = compare_readings(readings, truth)
    return JudgedImages(
        row=row.name,
        prompt=prompt,
        cluster=row.cluster,
        identity=[rank == 1 for rank in rank_first(cosines)],
        asked=score_readings(judges.attributes, readings, prompt.asked),
        images=images,
        cosines=cosines[:, 0].tolist(),
        deviations=deviations,
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
    truth = (
        learn_drawn_truth(judges.attributes, subject.truth)
        if judges.attributes.numbers
        else None
    )
    for row in list_rows(builder.kind, subject, named):
        own_truth = truth if row.name in OWN_ROWS else None
        if row.cluster not in galleries:
            galleries[row.cluster] = builder.build(row.truth)
        for prompt, count in counts.items():
            shared = num_names if row.name == "named" else 1
            num_images = math.ceil(count / shared)
            images = make_row_images(models, row, prompt, num_images, seed)
            gallery = galleries[row.cluster]
            judged.append(
                judge_images(judges, row, prompt, images, gallery, own_truth)
            )
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
    `num_names` named concepts. All rows start from the same noise. Several
    processes share the concepts out.
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
    with make_bar(kind, len(subjects), counts, num_names) as bar:
        judged = share_out(
            lambda i: evaluate_concept(
                models,
                judges,
                builder,
                subjects[i],
                counts=counts,
                num_names=num_names,
                seed=seed + 1000 * i,
                advance=bar.update,
            ),
            range(len(subjects)),
        )
    evaluation.judged = list(itertools.chain(*judged))
    return evaluation


def make_bar(
    kind: str, num_subjects: int, counts: dict[Prompt, int], num_names: int
) -> tqdm:
    """Make a bar of the images that the main process judges."""
    images_each = 4 * sum(counts.values()) + num_names * sum(
        math.ceil(count / num_names) for count in counts.values()
    )
    own_subjects = math.ceil(num_subjects / count_processes())
    return tqdm(
        total=own_subjects * images_each,
        desc=f"Judging, {kind}",
        unit="picture",
        disable=not is_main_process(),
    )
