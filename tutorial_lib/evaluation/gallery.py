"""Galleries: the true concept among 99 others, as reference embeddings."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.evaluation.judge_networks import EmbeddingJudge
from tutorial_lib.evaluation.judges import embed_with_judge
from tutorial_lib.images import Images

NUM_LOOKALIKES = 24
NUM_DISTRACTORS = 75
DISTRACTOR_SEEDS = 900_000_000  # far from any seed a reader would choose
REFERENCE_IMAGES = 12

Reference = Float[Tensor, " dimensions"]  # of one concept, of length one


def render_references(
    concept: world.Pattern | world.Person, count: int, seed: int, size: int
) -> list[Image.Image]:
    """Render a concept in several carriers or styles, in equal shares.

    A pattern is rendered on every carrier in mixed styles, a person in every
    style. `size` is in pixels; `count` is rounded up to equal shares.
    """
    variants: list[dict[str, str | None]]
    if world.kind_of(concept) == "pattern":
        variants = [
            {"carrier": carrier, "style": None} for carrier in world.CARRIERS
        ]
    else:
        variants = [{"style": style} for style in world.STYLES]
    per_variant = math.ceil(count / len(variants))
    images = []
    for i, variant in enumerate(variants):
        images += world.render_concept(
            concept, count=per_variant, seed=seed + i, size=size, **variant
        )
    return images


def embed_concept(
    judge: EmbeddingJudge,
    concept: world.Pattern | world.Person,
    count: int = REFERENCE_IMAGES,
    seed: int = 0,
) -> Reference:
    """Return the reference of a concept: the mean embedding of its images."""
    images = render_references(
        concept, count=count, seed=seed, size=judge.trunk.size
    )
    return embed_references(judge, images)


def embed_references(judge: EmbeddingJudge, images: Images) -> Reference:
    """Return the mean embedding of images, scaled to length one."""
    mean = embed_with_judge(judge, images).mean(0)
    return functional.normalize(mean, dim=0)


@dataclass
class Gallery:
    """A concept among 99 others, each as a reference embedding.

    The first row of `references` is the true concept. Then come 24
    lookalikes, which the same plain description fits though an eye can tell
    them from it, and 75 distractors, random concepts that no training image
    shows.
    """

    concept: world.Pattern | world.Person
    references: Float[Tensor, "concepts dimensions"]


@dataclass
class GalleryBuilder:
    """Builds galleries for one judge, embedding the distractors only once.

    Each reference is made of `images_each` images. No lookalike is nearer to
    the concept than `min_distance`, in visible steps: lookalikes that no eye
    could tell from the truth are no lookalikes, and of one step an eye can
    just tell two concepts apart.
    """

    judge: EmbeddingJudge
    kind: str
    seed: int = 0
    images_each: int = REFERENCE_IMAGES
    min_distance: float = 1.0
    distractors: list[Reference] = field(default_factory=list)
    latest: Gallery | None = None

    def embed(self, concept: world.Pattern | world.Person) -> Reference:
        """Return the reference of a concept."""
        return embed_concept(
            self.judge, concept, count=self.images_each, seed=self.seed
        )

    def build(self, concept: world.Pattern | world.Person) -> Gallery:
        """Return the gallery of this concept.

        Its lookalikes are its own; the distractors are the same in every
        gallery of this builder. The latest gallery is kept, and returned
        again for the same concept.
        """
        if self.latest is not None and self.latest.concept == concept:
            return self.latest
        if not self.distractors:
            seeds = range(DISTRACTOR_SEEDS, DISTRACTOR_SEEDS + NUM_DISTRACTORS)
            self.distractors = [
                self.embed(world.new_concept(self.kind, seed))
                for seed in tqdm(
                    seeds, desc="Rendering distractors", leave=False
                )
            ]
        lookalikes = world.lookalikes(
            concept, NUM_LOOKALIKES, self.seed, self.min_distance
        )
        references = [self.embed(other) for other in (concept, *lookalikes)]
        self.latest = Gallery(
            concept, torch.stack(references + self.distractors)
        )
        return self.latest
