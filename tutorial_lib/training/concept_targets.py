"""What a name says of its concept, and no description does, in numbers.

"Mary" has one face, and a named pattern its own shades, angle and size.
The tiny CLIP is trained to predict these numbers, too: a text embedding that
does not hold them gives Stable Diffusion nothing to generate them from.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.world import KIND_NAMES, Concept, Pattern, named_concepts

FACE_NUMBERS = (
    "face_width",
    "face_height",
    "eye_gap",
    "eye_size",
    "brow",
    "brow_width",
    "nose",
    "mouth",
    "mouth_width",
)

Targets = Float[Tensor, "num_captions numbers"]


def get_concept_numbers(concept: Concept) -> list[float]:
    """Return the colours, sizes and angles of a concept as numbers."""
    if isinstance(concept, Pattern):
        doubled = math.radians(2 * concept.angle)  # 0 and 180 are the same
        return [
            *concept.color_rgb,
            *concept.background_rgb,
            *concept.second_rgb,
            math.cos(doubled),
            math.sin(doubled),
            concept.stagger,
            concept.period,
        ]
    return [
        *concept.skin_rgb,
        *concept.hair_rgb,
        *concept.eye_rgb,
        *concept.shirt_rgb,
        *(getattr(concept, name) for name in FACE_NUMBERS),
    ]


def count_numbers() -> dict[str, int]:
    """Return how many numbers a concept of each kind has."""
    return {
        kind: len(
            get_concept_numbers(next(iter(named_concepts(kind).values())))
        )
        for kind in KIND_NAMES
    }


def compute_targets(captions: list[str]) -> dict[str, Targets]:
    """Return the numbers of the concepts that captions name, by kind.

    Over all names they have mean 0 and std 1; where a caption names no
    concept of the kind they are NaN.
    """
    return {kind: _compute_targets_of(kind, captions) for kind in KIND_NAMES}


def _compute_targets_of(kind: str, captions: list[str]) -> Targets:
    names = named_concepts(kind)
    numbers = torch.tensor(
        [get_concept_numbers(concept) for concept in names.values()]
    )
    numbers = (numbers - numbers.mean(0)) / numbers.std(0)
    rows = dict(zip(names, numbers, strict=True))
    unknown = torch.full(numbers.shape[1:], math.nan)
    return torch.stack(
        [
            next(
                (rows[word] for word in caption.split() if word in rows),
                unknown,
            )
            for caption in captions
        ]
    )
