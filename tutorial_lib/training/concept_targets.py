"""What a name says of its concept, and no description does, in numbers.

"Mary" has one face, and a named pattern its own shades, angle and size.
The tiny CLIP is asked for these numbers while it is trained: a text vector
that does not hold them gives the generator nothing to draw them from.
"""

import math

import torch
from torch import Tensor

from tutorial_lib.world import KIND_NAMES, Pattern, Person, named_concepts

FACE = (
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


def get_concept_numbers(concept: Pattern | Person) -> list[float]:
    """Return the colours, sizes and angles of a concept as numbers."""
    if isinstance(concept, Pattern):
        twice = math.radians(2 * concept.angle)  # 0 and 180 are the same
        return [
            *concept.color_rgb,
            *concept.background_rgb,
            *concept.second_rgb,
            math.cos(twice),
            math.sin(twice),
            concept.stagger,
            concept.period,
        ]
    return [
        *concept.skin_rgb,
        *concept.hair_rgb,
        *concept.eye_rgb,
        *concept.shirt_rgb,
        *(getattr(concept, name) for name in FACE),
    ]


def compute_targets(captions: list[str]) -> dict[str, Tensor]:
    """Return the numbers of the concepts that captions name, by kind.

    Each tensor is (n, numbers), with mean 0 and deviation 1 over all names,
    and NaN where a caption names none of that kind.
    """
    return {kind: _compute_kind(kind, captions) for kind in KIND_NAMES}


def _compute_kind(kind: str, captions: list[str]) -> Tensor:
    names = named_concepts(kind)
    numbers = torch.tensor(
        [get_concept_numbers(each) for each in names.values()]
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
