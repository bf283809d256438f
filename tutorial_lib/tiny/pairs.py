"""Measure what two names in one prompt give: a person wearing a pattern.

Each judge looks at one part of the picture, the head or the shirt, and
compares it with the same part of photos that the world drew.
"""

import random
from dataclasses import dataclass

from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.drawing import draw
from tutorial_lib.judging import (
    Judges, LineupMaker, embed_references, identity, share,
)
from tutorial_lib.latents import decode_latents, encode_pictures
from tutorial_lib.models import Models
from tutorial_lib.tiny.wearers import PARTS, cut_part, draw_wearer
from tutorial_lib.world import kind_of, named_concepts, new_concept

NUM_PAIRS = 10
PAIR_PROMPT = "a photo of {} wearing a T-shirt in the style of {}"
WEARER_SEEDS = 910_000_000  # who wears a pattern in the references


@dataclass
class WearerLineupMaker(LineupMaker):
    """Makes line-ups of heads, or of shirts, cut out of photos.

    The references of a pattern are shirts of `pictures_each` people who
    wear it, those of a person heads above as many patterns. Taught in
    notebooks/09_anime_illustration.ipynb.
    """

    pictures_each: int = 24

    def embed(self, concept) -> Tensor:
        """Return the reference of a concept, a unit vector (dimensions,)."""
        photos = draw_wearers(
            concept, self.pictures_each, self.judge.trunk.size
        )
        return embed_references(self.judge, cut_part(photos, self.kind))


def draw_wearers(concept, count: int, size: int) -> list[Image.Image]:
    """Draw photos of a person in new patterns, or of new people in one."""
    kind = kind_of(concept)
    other_kind = {"person": "pattern", "pattern": "person"}[kind]
    rng = random.Random(f"wearers {concept}")
    photos = []
    for seed in range(WEARER_SEEDS, WEARER_SEEDS + count):
        pair = {kind: concept, other_kind: new_concept(other_kind, seed)}
        photos.append(draw_wearer(rng=rng, size=size, **pair))
    return photos


def measure_pairs(
    models: Models, judges: Judges, count: int = 8,
) -> dict[str, dict[str, float]]:
    """Show people wearing patterns, by two names; return who is found.

    For each pair of names `count` pictures by Stable Diffusion and, for
    comparison, by the world, as drawn and as the VAE decodes them. Found
    means: nearest among 100, the person's head by one judge and the shirt
    by another; "both" asks it of one picture.
    """
    named = {kind: list(named_concepts(kind).items()) for kind in PARTS}
    makers = {
        kind: WearerLineupMaker(judges.of_kind(kind), kind) for kind in PARTS
    }
    hits = {"drawn": [], "decoded": [], "generated": []}
    for number in tqdm(range(NUM_PAIRS), desc="drawing pairs"):
        pair = {kind: named[kind][number] for kind in PARTS}
        lineups = {
            kind: makers[kind].make(concept)
            for kind, (_, concept) in pair.items()
        }
        for row, pictures in show_pair(models, count=count, **pair).items():
            seen = [
                identity(
                    judges.of_kind(kind), cut_part(pictures, kind), lineup
                )
                for kind, lineup in lineups.items()
            ]
            hits[row] += zip(*seen, strict=True)
    return {row: share_pairs(seen, count) for row, seen in hits.items()}


def show_pair(
    models: Models, person: tuple, pattern: tuple, count: int,
) -> dict[str, list[Image.Image]]:
    """Draw a person wearing a pattern, each given as (name, concept)."""
    rng = random.Random(f"pair {person[0]} {pattern[0]}")
    prompt = PAIR_PROMPT.format(person[0], pattern[0])
    size = models.profile.size
    drawn = [
        draw_wearer(person[1], pattern[1], rng, size) for _ in range(count)
    ]
    return {
        "drawn": drawn,
        "decoded": decode_latents(models, encode_pictures(models, drawn)),
        "generated": draw(models, prompt, count=count, progress=False),
    }


def share_pairs(hits: list[tuple[bool, bool]], count: int) -> dict[str, dict]:
    """Return the shares of pictures with person, pattern, both found.

    `hits` holds `count` pictures of one pair, then of the next.
    """
    pairs = [number // count for number in range(len(hits))]
    person, pattern = zip(*hits, strict=True)
    both = [all(each) for each in hits]
    return {
        "person": share(person, pairs), "pattern": share(pattern, pairs),
        "both": share(both, pairs),
    }
