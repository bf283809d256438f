"""The corgi, alone or with a pattern as scarf, coat, rug or wall."""

import random

from tutorial_lib.world.canvas import (
    Canvas,
    Points,
    ellipse_points,
    mirror,
    smooth,
)
from tutorial_lib.world.colors import RGB, blend, vary
from tutorial_lib.world.patterns import Pattern, paint_pattern

WAYS = ("scarf", "coat", "rug", "wall")
FUR = (226, 142, 66)
CREAM = (252, 244, 232)
DARK = (36, 28, 30)
WHITE = (255, 255, 255)
TONGUE = (242, 120, 130)


def render_corgi(
    canvas: Canvas,
    pattern: Pattern | None,
    way: str | None,
    rng: random.Random,
) -> None:
    """Render a sitting corgi; `way` says where the pattern goes, if any."""
    if pattern and way == "wall":
        canvas.place(0.5, 0.5)
        wall = paint_pattern(pattern, canvas, rng, (0.0, -0.1))
        frame = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.30), (-0.5, 0.30)]
        canvas.solid(wall, frame, shadow=False)
    if pattern and way == "rug":
        canvas.place(0.5 + rng.uniform(-0.03, 0.03), 0.5)
        rug = paint_pattern(pattern, canvas, rng, (0.0, 0.285))
        canvas.solid(rug, ellipse_points(0, 0.285, 0.49, 0.205))
    canvas.place(
        0.5 + rng.uniform(-0.05, 0.05),
        0.475 + rng.uniform(-0.02, 0.03),
        scale=rng.uniform(0.86, 1.0),
        flip=rng.random() < 0.5,
    )
    fur = vary(FUR, rng, 7)
    _render_body(canvas, fur)
    _render_legs(canvas)
    if pattern and way == "coat":
        coat = paint_pattern(pattern, canvas, rng, (0.0, 0.2), 0.85)
        canvas.solid(coat, coat_outline(), shadow=False)
    if pattern and way == "scarf":
        scarf = paint_pattern(pattern, canvas, rng, (0.0, 0.2), 0.75)
        canvas.solid(scarf, *scarf_outlines())
    _render_head(canvas, fur, tongue=rng.random() < 0.5)


def body_outline() -> Points:
    """Return the sitting body, wide at the haunches."""
    half = [
        (0.0, 0.0),
        (0.13, 0.02),
        (0.20, 0.12),
        (0.25, 0.24),
        (0.27, 0.36),
        (0.22, 0.42),
        (0.0, 0.42),
    ]
    return smooth(mirror(half))


def coat_outline() -> Points:
    """Return the coat: the body from the neck down to the paws."""
    half = [
        (0.0, 0.02),
        (0.15, 0.02),
        (0.25, 0.12),
        (0.295, 0.25),
        (0.30, 0.35),
        (0.15, 0.365),
        (0.0, 0.35),
    ]
    return smooth(mirror(half), rounds=1)


def scarf_outlines() -> list[Points]:
    """Return the end that hangs down and the loop around the neck."""
    end = [(0.02, 0.10), (0.19, 0.10), (0.23, 0.38), (0.05, 0.395)]
    loop = [
        (-0.25, 0.02),
        (-0.1, 0.08),
        (0.1, 0.08),
        (0.25, 0.02),
        (0.27, 0.15),
        (0.1, 0.235),
        (-0.1, 0.235),
        (-0.27, 0.15),
    ]
    return [end, smooth(loop, rounds=1)]


def _render_body(canvas: Canvas, fur: RGB) -> None:
    """Render tail, body and chest."""
    tail = ellipse_points(0.26, 0.30, 0.07, 0.06)
    canvas.solid(fur, tail, body_outline())
    chest = smooth(
        [(-0.12, 0.02), (0.12, 0.02), (0.14, 0.16), (0.0, 0.33), (-0.14, 0.16)]
    )
    canvas.polygon(chest, CREAM, ink=False)


def _render_legs(canvas: Canvas) -> None:
    """Render hind paws and forelegs."""
    for x in (-0.2, 0.2):
        canvas.ellipse(x, 0.405, 0.085, 0.042, CREAM)
    for x in (-0.075, 0.075):
        leg = [
            (x - 0.05, 0.24),
            (x + 0.05, 0.24),
            (x + 0.06, 0.40),
            (x + 0.05, 0.435),
            (x - 0.05, 0.435),
            (x - 0.06, 0.40),
        ]
        canvas.solid(CREAM, smooth(leg, rounds=1), shadow=False)


def _render_head(canvas: Canvas, fur: RGB, tongue: bool) -> None:
    """Render ears, head and face."""
    inner = blend(fur, (255, 190, 180), 0.6)
    for side in (-1, 1):
        ear = [
            (side * 0.07, -0.22),
            (side * 0.20, -0.46),
            (side * 0.25, -0.46),
            (side * 0.27, -0.12),
        ]
        canvas.solid(fur, smooth(ear, rounds=1), shadow=False)
        hollow = [
            (side * 0.14, -0.22),
            (side * 0.213, -0.40),
            (side * 0.235, -0.17),
        ]
        canvas.polygon(hollow, inner, ink=False)
    half = [
        (0.0, -0.27),
        (0.12, -0.27),
        (0.22, -0.19),
        (0.27, -0.04),
        (0.24, 0.06),
        (0.13, 0.12),
        (0.0, 0.135),
    ]
    canvas.solid(fur, smooth(mirror(half)))
    canvas.polygon(blaze_outline(), CREAM, ink=False)
    _render_face(canvas, tongue)


def blaze_outline() -> Points:
    """Return the light stripe from the forehead to around the muzzle."""
    outline = [
        (-0.035, -0.26),
        (0.035, -0.26),
        (0.05, -0.10),
        (0.15, 0.0),
        (0.13, 0.085),
        (0.0, 0.12),
        (-0.13, 0.085),
        (-0.15, 0.0),
        (-0.05, -0.10),
    ]
    return smooth(outline)


def _render_face(canvas: Canvas, tongue: bool) -> None:
    """Render tongue, eyes, brows, nose and mouth."""
    if tongue:
        canvas.ellipse(0, 0.095, 0.035, 0.045, TONGUE)
    for x in (-0.125, 0.125):
        canvas.ellipse(x, -0.085, 0.036, 0.044, DARK, ink=False)
        canvas.ellipse(x - 0.01, -0.10, 0.013, 0.014, WHITE, ink=False)
        canvas.ellipse(x * 1.05, -0.165, 0.022, 0.014, CREAM, ink=False)
    canvas.ellipse(0, -0.012, 0.046, 0.034, DARK, ink=False)
    smile = ellipse_points(0, 0.035, 0.065, 0.04, 15, 165, count=16)
    canvas.line(smile, (84, 52, 44), 0.012)
