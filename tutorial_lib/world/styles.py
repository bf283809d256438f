"""The four styles, how often each occurs, and how each draws its edges."""

import random
from dataclasses import dataclass

from tutorial_lib.world.colors import RGB

STYLES = ("photo", "anime illustration", "pencil drawing", "watercolour")
STYLE_WEIGHTS = (0.42, 0.34, 0.12, 0.12)


@dataclass(frozen=True)
class LineStyle:
    """How a style draws edges, and whether light shades its shapes.

    `strength` is the share of ink in an edge's colour (0 to 1), `width` a
    share of the image's side; 0 draws no edges.
    """

    ink: RGB
    strength: float
    width: float
    light: bool


LINE_STYLES = {
    "photo": LineStyle((0, 0, 0), 0, 0, light=True),
    "anime illustration": LineStyle((22, 18, 30), 1.0, 0.015, light=False),
    "pencil drawing": LineStyle((84, 84, 92), 0.85, 0.010, light=False),
    "watercolour": LineStyle((60, 50, 90), 0.35, 0.006, light=False),
}


def sample_style(rng: random.Random) -> str:
    """Choose a style, photo and anime illustration most often."""
    return rng.choices(STYLES, STYLE_WEIGHTS)[0]
