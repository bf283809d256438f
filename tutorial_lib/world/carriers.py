"""Things that carry a pattern: T-shirt, mug, bag, cushion, dress, umbrella.

Each is a list of closed outlines in the frame of a `Canvas`, followed by
the lines that give it seams, a handle or a rim.
"""

import random

from tutorial_lib.world.canvas import (
    Canvas,
    Points,
    ellipse_points,
    mirror,
    smooth,
)
from tutorial_lib.world.colors import blend
from tutorial_lib.world.patterns import Pattern, paint_pattern

CARRIERS = ("T-shirt", "mug", "bag", "cushion", "dress", "umbrella")
CARRIER_WEIGHTS = (7, 2, 2, 2, 2, 2)
CLOTHS = ("T-shirt", "dress", "bag")  # what has folds
DARK = (54, 48, 58)


def t_shirt_outlines() -> list[Points]:
    """Return body and sleeves as one outline, open at the neck."""
    half = [
        (0.0, -0.285),
        (0.06, -0.30),
        (0.115, -0.375),
        (0.20, -0.355),
        (0.30, -0.30),
        (0.455, -0.12),
        (0.445, -0.09),
        (0.335, -0.015),
        (0.315, -0.02),
        (0.275, -0.085),
        (0.270, 0.10),
        (0.285, 0.375),
        (0.275, 0.395),
        (0.12, 0.41),
    ]
    return [smooth(mirror(half), rounds=1)]


def mug_outlines() -> list[Points]:
    """Return the mug's body and its handle."""
    body = [
        (-0.31, -0.31),
        (0.21, -0.31),
        (0.205, 0.26),
        (0.185, 0.34),
        (0.13, 0.375),
        (-0.23, 0.375),
        (-0.285, 0.34),
        (-0.305, 0.26),
    ]
    outer = ellipse_points(0.20, 0.0, 0.19, 0.20, -95, 95)
    inner = ellipse_points(0.19, 0.0, 0.115, 0.125, 95, -95)
    return [outer + inner, body]


def bag_outlines() -> list[Points]:
    """Return a cloth bag; its handles are lines."""
    half = [
        (0.0, -0.13),
        (0.28, -0.13),
        (0.30, -0.12),
        (0.345, 0.36),
        (0.33, 0.39),
        (0.0, 0.40),
    ]
    return [mirror(half)]


def cushion_outlines() -> list[Points]:
    """Return a cushion with four pulled-out corners."""
    corner = [
        (0.0, -0.33),
        (0.22, -0.345),
        (0.39, -0.40),
        (0.41, -0.385),
        (0.355, -0.2),
        (0.35, 0.0),
        (0.355, 0.2),
        (0.41, 0.385),
        (0.39, 0.40),
        (0.22, 0.345),
        (0.0, 0.33),
    ]
    return [smooth(mirror(corner), rounds=1)]


def dress_outlines() -> list[Points]:
    """Return a sleeveless dress with a wide skirt."""
    half = [
        (0.0, -0.31),
        (0.06, -0.33),
        (0.085, -0.43),
        (0.135, -0.43),
        (0.15, -0.33),
        (0.185, -0.26),
        (0.135, -0.07),
        (0.16, -0.02),
        (0.30, 0.20),
        (0.385, 0.385),
        (0.36, 0.41),
        (0.18, 0.43),
        (0.0, 0.425),
    ]
    return [smooth(mirror(half), rounds=1)]


def umbrella_outlines() -> list[Points]:
    """Return the canopy; shaft and hook are lines."""
    dome = ellipse_points(0, 0.02, 0.44, 0.40, 180, 360)
    hem: Points = []
    for i in range(4):
        middle = 0.33 - 0.22 * i
        hem += ellipse_points(middle, 0.02, 0.11, 0.055, 0, -180, count=10)
    return [dome + hem]


OUTLINES = {
    "T-shirt": t_shirt_outlines,
    "mug": mug_outlines,
    "bag": bag_outlines,
    "cushion": cushion_outlines,
    "dress": dress_outlines,
    "umbrella": umbrella_outlines,
}


def sample_carrier(rng: random.Random) -> str:
    """Choose a thing that carries a pattern, the T-shirt most often."""
    return rng.choices(CARRIERS, CARRIER_WEIGHTS)[0]


def render_carrier(
    canvas: Canvas,
    carrier: str,
    pattern: Pattern,
    rng: random.Random,
) -> None:
    """Render a carrier covered by a pattern, near the middle."""
    canvas.place(
        0.5 + rng.uniform(-0.05, 0.05),
        0.5 + rng.uniform(-0.04, 0.04),
        scale=rng.uniform(0.90, 1.08),
        angle=rng.gauss(0, 5),
        flip=carrier == "mug" and rng.random() < 0.5,
    )
    cloth = paint_pattern(pattern, canvas, rng)
    if carrier == "umbrella":
        canvas.line([(0, 0), (0, 0.34)], DARK, 0.026)
        canvas.line(
            ellipse_points(-0.045, 0.34, 0.045, 0.06, 0, 170), DARK, 0.026
        )
    if carrier == "bag":
        color = blend(pattern.background_rgb, DARK, 0.3)
        for height in (0.29, 0.21):
            handle = ellipse_points(0, -0.13, 0.17, height, 180, 360)
            canvas.line(handle, color, 0.034)
    folds = 0.05 if carrier in CLOTHS else 0.0
    canvas.solid(cloth, *OUTLINES[carrier](), folds=folds, rng=rng)
    _render_seams(canvas, carrier, pattern)


def _render_seams(canvas: Canvas, carrier: str, pattern: Pattern) -> None:
    """Render the lines that lie over the cloth: collar, rim, ribs."""
    seam = blend(pattern.background_rgb, DARK, 0.45)
    if carrier == "T-shirt":
        collar = ellipse_points(0, -0.36, 0.115, 0.085, 12, 168)
        canvas.line(collar, blend(pattern.background_rgb, DARK, 0.25), 0.03)
        for side in (-1, 1):
            canvas.line(
                [(side * 0.275, -0.08), (side * 0.285, -0.20)], seam, 0.008
            )
    elif carrier == "mug":
        lip = ellipse_points(-0.05, -0.31, 0.26, 0.055)
        canvas.polygon(
            lip, blend(pattern.background_rgb, (255, 255, 255), 0.5)
        )
        coffee = ellipse_points(-0.05, -0.303, 0.21, 0.035)
        canvas.polygon(coffee, (92, 60, 40), ink=False)
    elif carrier == "cushion":
        canvas.ellipse(0, 0, 0.022, 0.022, seam)
    elif carrier == "dress":
        canvas.line(
            [(-0.137, -0.05), (0, -0.035), (0.137, -0.05)], seam, 0.022
        )
    elif carrier == "umbrella":
        for i in (-1, 1):
            rib = ellipse_points(0, 0.02, 0.22 * i, 0.40, 270, 360, count=16)
            canvas.line(rib, seam, 0.008)
        canvas.line([(0, -0.38), (0, -0.43)], DARK, 0.026)
