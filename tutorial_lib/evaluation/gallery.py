"""Galleries: the true concept among 99 others, as reference embeddings."""

import math
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.evaluation.judge_networks import (
    EmbeddingJudge,
)
from tutorial_lib.evaluation.judges import (
    embed_with_judge,
)

NUM_LOOKALIKES = 24
NUM_DISTRACTORS = 75
DISTRACTOR_SEEDS = 900_000_000  # far from any seed a reader would choose
REFERENCE_IMAGES = 12


# --- identity --------------------------------------------------------------


def render_references(
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
    images = []
    for i, chosen in enumerate(in_turn):
        images += world.render_concept(
            concept, count=each, seed=seed + i, size=size, **chosen
        )
    return images


def embed_concept(
    judge: EmbeddingJudge,
    concept: world.Pattern | world.Person,
    count: int = REFERENCE_IMAGES,
    seed: int = 0,
) -> Tensor:
    """Return a concept's reference: the mean embedding of drawn pictures.

    A unit vector (dimensions,).
    """
    images = render_references(
        concept, count=count, seed=seed, size=judge.trunk.size
    )
    return embed_references(judge, images)


def embed_references(
    judge: EmbeddingJudge, images: list[Image.Image]
) -> Tensor:
    """Return the mean embedding of pictures, a unit vector (dimensions,)."""
    mean = embed_with_judge(judge, images).mean(0)
    return functional.normalize(mean, dim=0)


@dataclass
class Gallery:
    """A concept among 99 others, as in an identity parade.

    `references` (100, dimensions): row 0 is the true concept, then 24
    lookalikes (the same plain description fits them), then 75 random
    concepts that no training picture used.
    """

    concept: world.Pattern | world.Person
    references: Tensor
    num_lookalikes: int = NUM_LOOKALIKES


@dataclass
class GalleryBuilder:
    """Makes line-ups for one judge, drawing the 75 strangers only once."""

    judge: EmbeddingJudge
    kind: str
    seed: int = 0
    images_each: int = REFERENCE_IMAGES
    distractors: list[Tensor] = field(default_factory=list)

    def embed(self, concept: world.Pattern | world.Person) -> Tensor:
        """Return the reference of a concept, a unit vector (dimensions,)."""
        return embed_concept(
            self.judge, concept, count=self.images_each, seed=self.seed
        )

    def make(self, concept: world.Pattern | world.Person) -> Gallery:
        """Return the line-up of this concept.

        Besides the true concept it holds 24 lookalikes and 75 random
        unseen concepts, the same for every line-up of this maker.
        """
        if not self.distractors:
            seeds = range(DISTRACTOR_SEEDS, DISTRACTOR_SEEDS + NUM_DISTRACTORS)
            self.distractors = [
                self.embed(world.new_concept(self.kind, seed))
                for seed in tqdm(seeds, desc="Drawing others", leave=False)
            ]
        alike = world.lookalikes(concept, NUM_LOOKALIKES, self.seed)
        rows = [self.embed(each) for each in (concept, *alike)]
        return Gallery(concept, torch.stack(rows + self.distractors))
