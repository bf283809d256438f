"""Captions that are wrong in one word: "red hearts" where stars are.

The tiny CLIP learns to prefer the right one (hard negative captions, as in
NegCLIP, Yuksekgonul et al. 2023, 4).
"""

import random
import re

from tutorial_lib.world import MOTIFS
from tutorial_lib.world.colors import COLORS

WORDS = {"motif": list(MOTIFS), "color": list(COLORS)}
NUM_WRONG = 3  # captions with another motif, and as many of another colour


def write_wrong_captions(
    captions: list[str], labels: list[dict], seed: int = 0,
) -> tuple[list[int], list[str]]:
    """Return which captions can be made wrong, and what they become.

    A caption can that says motif and colour once each. `NUM_WRONG` wrong
    ones are written for each word, all of one caption after another.
    """
    rng = random.Random(seed)
    places, wrong = [], []
    for place, (caption, label) in enumerate(
        zip(captions, labels, strict=True)
    ):
        told = {name: label.get(name, "") for name in WORDS}
        if all(_says_once(caption, word) for word in told.values()):
            places.append(place)
            for name, word in told.items():
                wrong += _exchange(caption, word, WORDS[name], rng)
    return places, wrong


def _says_once(caption: str, word: str) -> bool:
    found = re.findall(rf"\b{re.escape(word)}\b", caption)
    return bool(word) and len(found) == 1


def _exchange(
    caption: str, word: str, words: list[str], rng: random.Random,
) -> list[str]:
    others = [other for other in words if other not in caption]
    return [
        re.sub(rf"\b{re.escape(word)}\b", other, caption)
        for other in rng.sample(others, NUM_WRONG)
    ]
