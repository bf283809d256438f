"""Measure what two names in one prompt give: a person wearing a pattern.

Each judge looks at one part of the picture, the head or the shirt, and
compares it with the same part of photos that the world drew.
"""

import random
from dataclasses import dataclass

from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.evaluation.gallery import GalleryBuilder, embed_references
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.scores import identity
from tutorial_lib.evaluation.statistics import estimate_share
from tutorial_lib.generation import decode_latents, encode_images, generate
from tutorial_lib.models import Models
from tutorial_lib.world import (
    PARTS,
    cut_part,
    kind_of,
    named_concepts,
    new_concept,
    render_wearer,
)

NUM_PAIRS = 10
PAIR_PROMPT = "a photo of {} wearing a T-shirt in the style of {}"
WEARER_SEEDS = 910_000_000  # who wears a pattern in the references


@dataclass
class WearerGalleryBuilder(GalleryBuilder):
    """Makes line-ups of heads, or of shirts, cut out of photos.

    The references of a pattern are shirts of `pictures_each` people who
    wear it, those of a person heads above as many patterns. Taught in
    notebooks/09_anime_illustration.ipynb.
    """

    images_each: int = 24

    def embed(self, concept) -> Tensor:
        """Return the reference of a concept, a unit vector (dimensions,)."""
        photos = render_wearers(
            concept, self.images_each, self.judge.trunk.size
        )
        return embed_references(self.judge, cut_part(photos, self.kind))


def render_wearers(concept, count: int, size: int) -> list[Image.Image]:
    """Draw photos of a person in new patterns, or of new people in one."""
    kind = kind_of(concept)
    other_kind = {"person": "pattern", "pattern": "person"}[kind]
    rng = random.Random(f"wearers {concept}")
    photos = []
    for seed in range(WEARER_SEEDS, WEARER_SEEDS + count):
        pair = {kind: concept, other_kind: new_concept(other_kind, seed)}
        photos.append(render_wearer(rng=rng, size=size, **pair))
    return photos


def measure_pairs(
    models: Models,
    judges: Judges,
    count: int = 8,
) -> dict[str, dict[str, float]]:
    """Show people wearing patterns, by two names; return who is found.

    For each pair of names `count` pictures by Stable Diffusion and, for
    comparison, by the world, as drawn and as the VAE decodes them. Found
    means: nearest among 100, the person's head by one judge and the shirt
    by another; "both" asks it of one picture.
    """
    named = {kind: list(named_concepts(kind).items()) for kind in PARTS}
    builders = {
        kind: WearerGalleryBuilder(judges.of_kind(kind), kind)
        for kind in PARTS
    }
    hits = {"drawn": [], "decoded": [], "generated": []}
    for number in tqdm(range(NUM_PAIRS), desc="drawing pairs"):
        pair = {kind: named[kind][number] for kind in PARTS}
        galleries = {
            kind: builders[kind].make(concept)
            for kind, (_, concept) in pair.items()
        }
        for row, images in make_pair_images(
            models, count=count, **pair
        ).items():
            seen = [
                identity(judges.of_kind(kind), cut_part(images, kind), gallery)
                for kind, gallery in galleries.items()
            ]
            hits[row] += zip(*seen, strict=True)
    return {row: share_pairs(seen, count) for row, seen in hits.items()}


def make_pair_images(
    models: Models,
    person: tuple,
    pattern: tuple,
    count: int,
) -> dict[str, list[Image.Image]]:
    """Draw a person wearing a pattern, each given as (name, concept)."""
    rng = random.Random(f"pair {person[0]} {pattern[0]}")
    prompt = PAIR_PROMPT.format(person[0], pattern[0])
    size = models.profile.size
    drawn = [
        render_wearer(person[1], pattern[1], rng, size) for _ in range(count)
    ]
    return {
        "drawn": drawn,
        "decoded": decode_latents(models, encode_images(models, drawn)),
        "generated": generate(models, prompt, count=count, progress=False),
    }


def share_pairs(hits: list[tuple[bool, bool]], count: int) -> dict[str, dict]:
    """Return the shares of pictures with person, pattern, both found.

    `hits` holds `count` pictures of one pair, then of the next.
    """
    pairs = [number // count for number in range(len(hits))]
    person, pattern = zip(*hits, strict=True)
    both = [all(each) for each in hits]
    return {
        "person": estimate_share(person, pairs),
        "pattern": estimate_share(pattern, pairs),
        "both": estimate_share(both, pairs),
    }
