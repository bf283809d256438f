"""Render the concepts that the lessons learn: 20 T-shirts and a face.

Both come from descriptions that no training image used. Both were chosen:
the shirts for a motif that even an early version of the tiny models could
generate, rings; the face as one that none of the trained names fits well.
They are rendered at 512 pixels, so that they serve Stable Diffusion 1.5 too.
"""

from pathlib import Path
from typing import TypedDict

from tutorial_lib.files import write_json
from tutorial_lib.world import new_concept, render_concept

SIZE = 512


class ShippedConcept(TypedDict):
    """What a shipped concept's images are rendered from."""

    kind: str
    seed: int
    count: int


SHIPPED: dict[str, ShippedConcept] = {
    "tshirt": {"kind": "pattern", "seed": 22, "count": 20},
    "face": {"kind": "person", "seed": 520, "count": 6},
}


def write_concepts(folder: Path) -> None:
    """Render the shipped concepts' photos into a folder, and say from what.

    Writes `<name>/00.jpg` ... and `concepts.json` (kind and seed of each).
    """
    for name, entry in SHIPPED.items():
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        concept = new_concept(entry["kind"], entry["seed"])
        photos = render_concept(
            concept, count=entry["count"], seed=entry["seed"], size=SIZE
        )
        for number, photo in enumerate(photos):
            photo.save(target / f"{number:02d}.jpg", quality=92)
    write_json(folder / "concepts.json", SHIPPED)
