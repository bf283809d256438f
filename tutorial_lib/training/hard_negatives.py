"""Captions that are wrong in one thing: "red hearts" where stars are.

The tiny CLIP learns to prefer the right one (hard negative captions, as in
NegCLIP, Yuksekgonul et al. 2023, 4).
"""

import random
import re

from tutorial_lib.world import COLORS, HAIR_PHRASES, MOTIFS

NUM_HARD_NEGATIVES = 3  # wrong captions for each thing that a caption says


def write_hard_negatives(
    captions: list[str],
    labels: list[dict],
    seed: int = 0,
) -> tuple[list[int], list[str]]:
    """Return whose captions can be made wrong, and what they become.

    A caption becomes wrong in its motif, its colour or its hair, if it says
    that exactly once: `NUM_WRONG` captions a time. The places tell whose
    they are, so a place stands there once for each thing exchanged.
    """
    rng = random.Random(seed)
    places, wrong = [], []
    for place, (caption, label) in enumerate(
        zip(captions, labels, strict=True)
    ):
        for said, others in _list_exchanges(label):
            if _count(said, caption) == 1:
                places.append(place)
                wrong += _exchange(caption, said, others, rng)
    return places, wrong


def _list_exchanges(label: dict) -> list[tuple[str, list[str]]]:
    """List what a caption may say of a scene, and what would be wrong."""
    exchanges = []
    if "motif" in label:
        exchanges.append((label["motif"], list(MOTIFS)))
        exchanges.append((label["color"], list(COLORS)))
    if "hair" in label:
        said = {
            hair: phrase.format(label["hair_color"])
            for hair, phrase in HAIR_PHRASES.items()
        }
        exchanges.append((said[label["hair"]], list(said.values())))
    return exchanges


def _count(said: str, caption: str) -> int:
    return len(re.findall(rf"\b{re.escape(said)}\b", caption))


def _exchange(
    caption: str,
    said: str,
    others: list[str],
    rng: random.Random,
) -> list[str]:
    others = [other for other in others if other not in caption]
    return [
        re.sub(rf"\b{re.escape(said)}\b", other, caption)
        for other in rng.sample(others, NUM_HARD_NEGATIVES)
    ]
