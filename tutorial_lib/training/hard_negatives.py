"""Captions that are wrong in one thing: "red hearts" where stars are.

The tiny CLIP learns to prefer the right one (hard negative captions, as in
NegCLIP, Yuksekgonul et al. 2023, 4).
"""

import random
import re
from typing import Any

from tutorial_lib.world import COLORS, HAIR_PHRASES, MOTIFS

NUM_HARD_NEGATIVES = 3  # wrong captions for each thing that a caption says


def write_hard_negatives(
    captions: list[str], labels: list[dict[str, Any]], seed: int = 0
) -> tuple[list[int], list[str]]:
    """Return which captions can be made wrong, and what they become.

    A caption becomes wrong in its motif, its colour or its hair, if it says
    that exactly once, of a shirt as well: it gets `NUM_HARD_NEGATIVES` wrong
    captions each time, and its index is listed once each time.
    """
    rng = random.Random(seed)
    indices: list[int] = []
    hard_negatives: list[str] = []
    for index, (caption, label) in enumerate(
        zip(captions, labels, strict=True)
    ):
        for phrase, others in _list_replacements(label):
            if _count(phrase, caption) == 1:
                indices.append(index)
                hard_negatives += _replace(caption, phrase, others, rng)
    return indices, hard_negatives


def _list_replacements(label: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """List what a caption may say of a scene, and what would be wrong."""
    replacements = []
    for prefix in ("", "shirt_"):
        if f"{prefix}motif" in label:
            replacements.append((label[f"{prefix}motif"], list(MOTIFS)))
            replacements.append((label[f"{prefix}color"], list(COLORS)))
    if "hair" in label:
        phrases = {
            hair: phrase.format(label["hair_color"])
            for hair, phrase in HAIR_PHRASES.items()
        }
        replacements.append((phrases[label["hair"]], list(phrases.values())))
    return replacements


def _count(phrase: str, caption: str) -> int:
    return len(re.findall(rf"\b{re.escape(phrase)}\b", caption))


def _replace(
    caption: str, phrase: str, others: list[str], rng: random.Random
) -> list[str]:
    others = [other for other in others if other not in caption]
    return [
        re.sub(rf"\b{re.escape(phrase)}\b", other, caption)
        for other in rng.sample(others, NUM_HARD_NEGATIVES)
    ]
