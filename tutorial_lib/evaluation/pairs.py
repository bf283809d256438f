"""Measure what two names in one prompt give: a person wearing a pattern.

Each judge looks at one part of the image, the head or the shirt, and
compares it with the same part of photos that the drawn world rendered.
"""

import random
from dataclasses import dataclass
from typing import Any

from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.arguments import read_whole_number
from tutorial_lib.evaluation.gallery import (
    GalleryBuilder,
    Reference,
    embed_references,
)
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.scores import identity
from tutorial_lib.evaluation.statistics import Share, estimate_share
from tutorial_lib.generation import decode_latents, encode_images, generate
from tutorial_lib.models import Models
from tutorial_lib.world import (
    PARTS,
    Pattern,
    Person,
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
    """Builds galleries of heads, or of shirts, cut out of photos.

    The reference of a pattern is made of the shirts of `images_each` people
    who wear it, that of a person of heads above as many patterns. Taught in
    notebooks/09_anime_illustration.ipynb.
    """

    images_each: int = 24

    def embed(self, concept: Pattern | Person) -> Reference:
        """Return the reference of a concept."""
        photos = render_wearers(
            concept, self.images_each, self.judge.trunk.size
        )
        return embed_references(self.judge, cut_part(photos, self.kind))


def render_wearers(
    concept: Pattern | Person, count: int, size: int
) -> list[Image.Image]:
    """Render photos of a person in new patterns, or of new people in one."""
    kind = kind_of(concept)
    other_kind = "pattern" if kind == "person" else "person"
    rng = random.Random(f"wearers {concept}")
    photos = []
    for seed in range(WEARER_SEEDS, WEARER_SEEDS + count):
        pair: dict[str, Any] = {
            kind: concept,
            other_kind: new_concept(other_kind, seed),
        }
        photos.append(render_wearer(rng=rng, size=size, **pair))
    return photos


def measure_pairs(
    models: Models, judges: Judges, count: int = 8
) -> dict[str, dict[str, Share]]:
    """Return how often people wearing patterns, by two names, come out right.

    For each pair of names there are `count` images by Stable Diffusion and,
    for comparison, by the drawn world, as rendered and as the VAE decodes
    them. Right means: nearest among 100, the person's head by one judge and
    the shirt by another; "both" asks it of one image.
    """
    count = read_whole_number(count, "count", 1)
    named = {kind: list(named_concepts(kind).items()) for kind in PARTS}
    builders = {
        kind: WearerGalleryBuilder(judges.of_kind(kind), kind)
        for kind in PARTS
    }
    hits: dict[str, list[tuple[bool, bool]]] = {
        "drawn": [],
        "decoded": [],
        "generated": [],
    }
    for number in tqdm(range(NUM_PAIRS), desc="Generating pairs"):
        pair: dict[str, Any] = {kind: named[kind][number] for kind in PARTS}
        galleries = {
            kind: builders[kind].build(concept)
            for kind, (_, concept) in pair.items()
        }
        rows = make_pair_images(models, count=count, **pair)
        for row, images in rows.items():
            head_hits, shirt_hits = (
                identity(judges.of_kind(kind), cut_part(images, kind), gallery)
                for kind, gallery in galleries.items()
            )
            hits[row] += zip(head_hits, shirt_hits, strict=True)
    return {row: share_pairs(pairs, count) for row, pairs in hits.items()}


def make_pair_images(
    models: Models,
    person: tuple[str, Person],
    pattern: tuple[str, Pattern],
    count: int,
) -> dict[str, list[Image.Image]]:
    """Render and generate a person wearing a pattern, by (name, concept)."""
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


def share_pairs(hits: list[tuple[bool, bool]], count: int) -> dict[str, Share]:
    """Return the shares of images with person, pattern and both right.

    `hits` holds `count` images of one pair, then of the next.
    """
    pairs = [number // count for number in range(len(hits))]
    person, pattern = zip(*hits, strict=True)
    return {
        "person": estimate_share(person, pairs),
        "pattern": estimate_share(pattern, pairs),
        "both": estimate_share([all(pair) for pair in hits], pairs),
    }
