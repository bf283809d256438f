"""Judging: how often does a generated picture show the very concept?

The judges are small networks trained on drawn pictures only; they take no
part in learning X and share nothing with CLIP. Because the drawn world
knows the truth, they can say exactly how well X was learned.
Taught in notebooks/05_textual_inversion.ipynb.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.judge_networks import (
    AttributeJudge,
    EmbeddingJudge,
    JudgeError,
    JudgeNetwork,
    Judges,
    embed_with_judge,
    load_judges,
    read_attributes,
    save_judges,
)

__all__ = [
    "AttributeJudge",
    "EmbeddingJudge",
    "JudgeError",
    "JudgeNetwork",
    "Judges",
    "Lineup",
    "LineupMaker",
    "bootstrap_interval",
    "draw_references",
    "embed_concept",
    "embed_references",
    "embed_with_judge",
    "identity",
    "load_judges",
    "paired_interval",
    "prompt_score",
    "rank_truth",
    "read_attributes",
    "save_judges",
    "share",
]

NUM_LOOKALIKES = 24
NUM_STRANGERS = 75
STRANGER_SEEDS = 900_000_000  # far from any seed a reader would choose
REFERENCE_PICTURES = 12


# --- identity --------------------------------------------------------------


def draw_references(
    concept: world.Pattern | world.Person, count: int, seed: int, size: int
) -> list[Image.Image]:
    """Draw a concept in several carriers and styles, in equal shares.

    A pattern is drawn on every carrier in mixed styles, a person in every
    style. `size` in pixels; `count` is rounded up to fill the last turn.
    """
    if world.kind_of(concept) == "pattern":
        in_turn = [{"carrier": each, "style": None} for each in world.CARRIERS]
    else:
        in_turn = [{"style": each} for each in world.STYLES]
    each = math.ceil(count / len(in_turn))
    pictures = []
    for i, chosen in enumerate(in_turn):
        pictures += world.draw_concept(
            concept, count=each, seed=seed + i, size=size, **chosen
        )
    return pictures


def embed_concept(
    judge: EmbeddingJudge,
    concept: world.Pattern | world.Person,
    count: int = REFERENCE_PICTURES,
    seed: int = 0,
) -> Tensor:
    """Return a concept's reference: the mean embedding of drawn pictures.

    A unit vector (dimensions,).
    """
    pictures = draw_references(
        concept, count=count, seed=seed, size=judge.trunk.size
    )
    return embed_references(judge, pictures)


def embed_references(
    judge: EmbeddingJudge, pictures: list[Image.Image]
) -> Tensor:
    """Return the mean embedding of pictures, a unit vector (dimensions,)."""
    mean = embed_with_judge(judge, pictures).mean(0)
    return functional.normalize(mean, dim=0)


@dataclass
class Lineup:
    """A concept among 99 others, as in an identity parade.

    `references` (100, dimensions): row 0 is the true concept, then 24
    lookalikes (the same plain description fits them), then 75 random
    concepts that no training picture used.
    """

    concept: world.Pattern | world.Person
    references: Tensor
    num_lookalikes: int = NUM_LOOKALIKES


@dataclass
class LineupMaker:
    """Makes line-ups for one judge, drawing the 75 strangers only once."""

    judge: EmbeddingJudge
    kind: str
    seed: int = 0
    pictures_each: int = REFERENCE_PICTURES
    strangers: list[Tensor] = field(default_factory=list)

    def embed(self, concept: world.Pattern | world.Person) -> Tensor:
        """Return the reference of a concept, a unit vector (dimensions,)."""
        return embed_concept(
            self.judge, concept, count=self.pictures_each, seed=self.seed
        )

    def make(self, concept: world.Pattern | world.Person) -> Lineup:
        """Return the line-up of this concept.

        Besides the true concept it holds 24 lookalikes and 75 random
        unseen concepts, the same for every line-up of this maker.
        """
        if not self.strangers:
            seeds = range(STRANGER_SEEDS, STRANGER_SEEDS + NUM_STRANGERS)
            self.strangers = [
                self.embed(world.new_concept(self.kind, seed))
                for seed in tqdm(seeds, desc="Drawing others", leave=False)
            ]
        alike = world.lookalikes(concept, NUM_LOOKALIKES, self.seed)
        rows = [self.embed(each) for each in (concept, *alike)]
        return Lineup(concept, torch.stack(rows + self.strangers))


def identity(
    judge: EmbeddingJudge, pictures: list[Image.Image], lineup: Lineup
) -> list[bool]:
    """Say for each picture whether the true concept is the nearest of 100.

    Nearest by the cosine between the picture's embedding and each
    reference of the line-up: the true concept, 24 lookalikes (the same
    plain description fits them) and 75 random unseen concepts. The mean
    of the list is the identity score; blind guessing gives 0.01.
    Taught in notebooks/06_t_shirt.ipynb.
    """
    return [place == 1 for place in rank_truth(judge, pictures, lineup)]


def rank_truth(
    judge: EmbeddingJudge, pictures: list[Image.Image], lineup: Lineup
) -> list[int]:
    """Say for each picture in which place the true concept comes, 1 to 100.

    1 is what `identity` asks for; blind guessing gives 50 on average. A
    finer measure than `identity` where pictures are nearly right.
    Taught in notebooks/00_start_here.ipynb.
    """
    if not pictures:
        return []
    cosines = embed_with_judge(judge, pictures) @ lineup.references.T
    return (1 + (cosines[:, 1:] > cosines[:, :1]).sum(1)).tolist()


def prompt_score(
    judge: AttributeJudge,
    pictures: list[Image.Image],
    asked: dict[str, str],
) -> list[bool]:
    """Say for each picture whether it shows the object and style asked for.

    `asked` maps attributes to the labels that the prompt names, for
    example ``{"object": "person", "style": "photo"}``; all must be seen.
    The mean of the list is the prompt score.
    Taught in notebooks/07_corgi.ipynb.
    """
    for name, label in asked.items():
        if label not in judge.labels.get(name, ()):
            raise JudgeError(
                f"The judge knows no {name} {label!r}; it knows "
                f"{', '.join(judge.labels.get(name, judge.labels))}."
            )
    return [
        all(seen[name] == label for name, label in asked.items())
        for seen in read_attributes(judge, pictures)
    ]


# --- how sure we may be ----------------------------------------------------


def bootstrap_interval(
    hits: list[bool],
    clusters: list | None = None,
    level: float = 0.95,
    rounds: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval (low, high) of a share, by the bootstrap.

    Whole clusters are drawn with replacement, `rounds` times, and the
    middle `level` of the shares is kept (Efron, 1979). `clusters` says
    which concept each picture belongs to: pictures of one concept are
    not independent of each other. With a single concept, pictures are
    drawn instead. Where all hits are alike the bootstrap sees no spread;
    the exact binomial bound (Clopper and Pearson, 1934) on the number of
    clusters stands in.
    """
    values, index = _group(hits, clusters)
    num = index.max() + 1
    if values.min() == values.max():
        bound = float(((1 - level) / 2) ** (1 / num))
        return (bound, 1.0) if values[0] else (0.0, 1 - bound)
    return _resample(values, index, level, rounds, seed)


def share(hits: list[bool], clusters: list | None = None) -> dict[str, float]:
    """Return a share, or a mean, with its 95 % interval.

    `hits` and `clusters` as in `bootstrap_interval`. The dict holds
    `value`, `low`, `high`.
    """
    low, high = bootstrap_interval(hits, clusters=clusters)
    return {"value": float(np.mean(hits)), "low": low, "high": high}


def paired_interval(
    hits: list[bool],
    others: list[bool],
    clusters: list | None = None,
    level: float = 0.95,
    rounds: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval (low, high) of a difference between two shares.

    `hits[i]` and `others[i]` belong to the same concept, prompt and noise,
    so whatever makes a concept hard is hard for both, and the difference
    is steadier than either share. Clusters as in `bootstrap_interval`.
    Where the difference is the same for every cluster, the exact bound
    stands in again, to both sides.
    """
    if len(hits) != len(others):
        raise ValueError(
            f"{len(hits)} pictures cannot be paired with {len(others)}: "
            "draw as many for both rows."
        )
    apart = np.asarray(hits, dtype=float) - np.asarray(others, dtype=float)
    values, index = _group(apart, clusters)
    means = np.bincount(index, weights=values) / np.bincount(index)
    if np.ptp(means) == 0:
        reach = 1 - float(((1 - level) / 2) ** (1 / len(means)))
        return max(-1.0, means[0] - reach), min(1.0, means[0] + reach)
    return _resample(values, index, level, rounds, seed)


def _group(values, clusters) -> tuple[np.ndarray, np.ndarray]:
    """Return the values, and for each the number of its cluster."""
    values = np.asarray(values, dtype=float)
    if not len(values):
        raise ValueError("There are no pictures to take an interval of.")
    if clusters is None or len(set(clusters)) == 1:
        clusters = range(len(values))
    _, index = np.unique(np.asarray(list(clusters)), return_inverse=True)
    return values, index


def _resample(
    values: np.ndarray, index: np.ndarray, level: float, rounds: int, seed: int
) -> tuple[float, float]:
    """Return the middle `level` of the means of resampled clusters."""
    num = index.max() + 1
    sums = np.bincount(index, weights=values)
    sizes = np.bincount(index)
    chosen = np.random.default_rng(seed).integers(num, size=(rounds, num))
    means = sums[chosen].sum(1) / sizes[chosen].sum(1)
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)
