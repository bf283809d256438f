"""Patterns: motifs in two or three colours that cover a cloth or a wall."""

import functools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from tutorial_lib.world.canvas import Canvas, Points
from tutorial_lib.world.colors import (
    COLORS,
    RGB,
    contrast,
    contrasting_pairs,
    sample_shade,
)

SITE_MOTIFS = (
    "dots",
    "rings",
    "stars",
    "hearts",
    "diamonds",
    "triangles",
    "crosses",
    "flowers",
)
BAND_MOTIFS = ("stripes", "checks", "zigzags", "waves")
MOTIFS = SITE_MOTIFS + BAND_MOTIFS
COLOR_PAIRS = contrasting_pairs()
ANGLES, BAND_ANGLES = (0.0, 45.0), (0.0, 45.0, 90.0)
MAX_OFFSET = 0.06  # periods by which a print misses the middle of a cloth
MIN_SECOND_CONTRAST = 110

PatternWords = tuple[str, str | None, str, str]
Placement = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Pattern:
    """One pattern: words name its motif and two colours, and no more.

    `period` is the distance of neighbouring motifs as a share of the
    image's side, `angle` is in degrees, every other row is moved by
    `stagger` periods, and every other motif has the `second` colour.
    """

    motif: str
    other_motif: str | None
    color: str
    background: str
    color_rgb: RGB
    background_rgb: RGB
    second_rgb: RGB
    period: float
    angle: float
    stagger: float

    @property
    def words(self) -> PatternWords:
        """What a description tells: motifs, colour and background."""
        return self.motif, self.other_motif, self.color, self.background


def sample_pattern(
    rng: random.Random,
    words: PatternWords | None = None,
) -> Pattern:
    """Sample a pattern, one with the same `words` if they are given."""
    motif = rng.choice(MOTIFS)
    mixed = rng.random() < 0.25
    other: str | None = rng.choice([m for m in SITE_MOTIFS if m != motif])
    color, background = rng.choice(COLOR_PAIRS)
    if words:
        motif, other, color, background = words
    elif not mixed or motif not in SITE_MOTIFS:
        other = None
    ground = sample_shade(background, rng)
    return Pattern(
        motif=motif,
        other_motif=other,
        color=color,
        background=background,
        color_rgb=sample_shade(color, rng),
        background_rgb=ground,
        second_rgb=_sample_second(color, ground, rng),
        period=rng.uniform(0.34, 0.48),
        angle=rng.choice(BAND_ANGLES if motif in BAND_MOTIFS else ANGLES),
        stagger=rng.choice([0.0, 0.5]),
    )


def _sample_second(color: str, ground: RGB, rng: random.Random) -> RGB:
    """Sample a shade of the colour, or of any that the ground sets off."""
    if rng.random() < 0.4:
        return sample_shade(color, rng)
    while True:
        shade = sample_shade(rng.choice(list(COLORS)), rng)
        if contrast(shade, ground) >= MIN_SECOND_CONTRAST:
            return shade


def paint_pattern(
    pattern: Pattern,
    canvas: Canvas,
    rng: random.Random,
    middle: tuple[float, float] = (0.0, 0.0),
    zoom: float = 1.0,
) -> Image.Image:
    """Return the pattern as a cloth in the canvas's placed frame.

    A motif is printed on the cloth's `middle`, a point of that frame, or
    nearly so; `zoom` scales the period.
    """
    size = (canvas.side, canvas.side)
    image = Image.new("RGB", size, pattern.background_rgb)
    step = pattern.period * zoom
    radians = math.radians(pattern.angle)
    cosine, sine = math.cos(radians), math.sin(radians)
    across, down = (rng.uniform(-MAX_OFFSET, MAX_OFFSET) for _ in range(2))

    def place(x: float, y: float) -> tuple[float, float]:
        """Turn periods into the canvas's pixels; print is never mirrored."""
        x, y = (x + across) * step, (y + down) * step
        frame_x = middle[0] + (x * cosine - y * sine) * canvas.flip
        frame_y = middle[1] + x * sine + y * cosine
        return canvas.to_pixels([(frame_x, frame_y)])[0]

    paint = _paint_bands if pattern.motif in BAND_MOTIFS else _paint_sites
    paint(pattern, ImageDraw.Draw(image), place, math.ceil(0.75 / step) + 1)
    return image


def _paint_bands(
    pattern: Pattern,
    pen: ImageDraw.ImageDraw,
    place: Placement,
    reach: int,
) -> None:
    """Print bands that cross the cloth, `reach` periods each way."""
    for row in range(-reach, reach):
        fill = pattern.second_rgb if row % 2 else pattern.color_rgb
        if pattern.motif == "checks":
            for column in range(-reach, reach):
                if (row + column) % 2 == 0:
                    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
                    square = [
                        place((column + x) * 0.8, (row + y) * 0.8)
                        for x, y in corners
                    ]
                    pen.polygon(square, fill=fill)
            continue
        top = [
            (x / 12, row + _bend(pattern.motif, x / 12))
            for x in range(-12 * reach, 12 * reach + 1)
        ]
        thickness = 0.5 if pattern.motif == "stripes" else 0.40
        bottom = [(x, y + thickness) for x, y in reversed(top)]
        pen.polygon([place(x, y) for x, y in top + bottom], fill=fill)


def _bend(motif: str, x: float) -> float:
    """Return how far a band's edge is moved at x, in periods."""
    if motif == "zigzags":
        return abs(x % 1 - 0.5) * 1.2
    if motif == "waves":
        return 0.22 * math.sin(2 * math.pi * x * 2 / 3)
    return 0.0


def _paint_sites(
    pattern: Pattern,
    pen: ImageDraw.ImageDraw,
    place: Placement,
    reach: int,
) -> None:
    """Print motifs on the sites of a grid, `reach` periods each way."""
    for row in range(-reach, reach + 1):
        for column in range(-reach, reach + 1):
            odd = (row + column) % 2
            x = column + (pattern.stagger if row % 2 else 0)
            fill = pattern.second_rgb if odd else pattern.color_rgb
            motif = pattern.motif
            if odd and pattern.other_motif:
                motif = pattern.other_motif
            for outline, hole in motif_outlines(motif):
                pen.polygon(
                    [place(x + a, row + b) for a, b in outline],
                    fill=pattern.background_rgb if hole else fill,
                )


@functools.cache
def motif_outlines(motif: str) -> list[tuple[Points, bool]]:
    """Return the closed outlines of a motif and whether each is a hole.

    Coordinates are shares of the period around the motif's centre.
    """
    solids = {
        "dots": [_star(24, 0.34)],
        "rings": [_star(24, 0.34)],
        "stars": [_star(5, 0.44, inner=0.18)],
        "hearts": [_heart()],
        "diamonds": [_star(4, 0.44)],
        "triangles": [_star(3, 0.44)],
        "crosses": _cross(0.13, 0.37),
        "flowers": [
            _star(12, 0.165, *_turned(0.235, 72 * i)) for i in range(5)
        ],
    }
    holes = {"rings": [_star(24, 0.17)], "flowers": [_star(12, 0.10)]}
    outlines = [(points, False) for points in solids[motif]]
    return outlines + [(points, True) for points in holes.get(motif, [])]


def _cross(a: float, b: float) -> list[Points]:
    """Return two bars of half width a and half length b."""
    return [
        [(-a, -b), (a, -b), (a, b), (-a, b)],
        [(-b, -a), (b, -a), (b, a), (-b, a)],
    ]


def _star(
    count: int,
    radius: float,
    x: float = 0.0,
    y: float = 0.0,
    inner: float | None = None,
) -> Points:
    """Return a regular polygon, or a star with an inner radius."""
    points = []
    for i in range(count):
        points.append(_turned(radius, 360 * i / count))
        if inner:
            points.append(_turned(inner, 360 * (i + 0.5) / count))
    return [(x + a, y + b) for a, b in points]


def _turned(radius: float, degrees: float) -> tuple[float, float]:
    """Return the point at an angle from the top, clockwise."""
    angle = math.radians(degrees - 90)
    return radius * math.cos(angle), radius * math.sin(angle)


def _heart() -> Points:
    """Return the outline of a heart."""
    points = []
    for i in range(28):
        t = 2 * math.pi * i / 28
        x = 16 * math.sin(t) ** 3
        y = (
            13 * math.cos(t)
            - 5 * math.cos(2 * t)
            - 2 * math.cos(3 * t)
            - math.cos(4 * t)
        )
        points.append((x * 0.0235, -y * 0.0235))
    return points
