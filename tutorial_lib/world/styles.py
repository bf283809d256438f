"""The four styles: how each draws its lines and what lies over the picture.

A photo has light, shade and grain; an anime illustration ink outlines and
flat colour; a pencil drawing paper and hatching; a watercolour pigment
that gathers at the edges.
"""

import functools
import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tutorial_lib.world.colors import RGB, blend

STYLES = ("photo", "anime illustration", "pencil drawing", "watercolour")
STYLE_WEIGHTS = (0.42, 0.34, 0.12, 0.12)
FIELD = 256


@dataclass(frozen=True)
class Hand:
    """How a style draws edges: ink, its strength and width, and light."""

    ink: RGB
    ink_strength: float
    line_width: float
    light: bool


HANDS = {
    "photo": Hand((0, 0, 0), 0, 0, light=True),
    "anime illustration": Hand((22, 18, 30), 1.0, 0.015, light=False),
    "pencil drawing": Hand((84, 84, 92), 0.85, 0.010, light=False),
    "watercolour": Hand((60, 50, 90), 0.35, 0.006, light=False),
}


@functools.cache
def light_field(side: int) -> np.ndarray:
    """Return light from the left (-1) or right (1) in percent, 64 x 64."""
    rows, columns = np.mgrid[0:64, 0:64] / 64 - 0.5
    return np.rint(side * columns * 22 - rows * 18).astype(np.int32)


@functools.cache
def field(kind: str, size: int) -> np.ndarray:
    """Return a fixed texture in units of one grey level, size x size.

    `grain` is fine noise, `pigment` slow blotches, `hatch` slanted strokes.
    """
    noise = np.random.RandomState(sum(map(ord, kind)))
    if kind == "pigment":
        large = Image.fromarray(_blotches(noise))
    elif kind == "hatch":
        large = _strokes(noise)
    else:
        values = np.clip(128 + noise.normal(0, 40, (FIELD, FIELD)), 0, 255)
        large = Image.fromarray(values.astype(np.uint8))
        large = large.filter(ImageFilter.GaussianBlur(0.7))
    small = np.asarray(large.resize((size, size), Image.BOX), dtype=float)
    small = (small - small.mean()) / max(1e-6, small.std())
    return np.rint(small * 8).astype(np.int32)


def _blotches(noise):
    """Slow waves of whole periods, so that the field can be tiled."""
    rows, columns = np.mgrid[0:FIELD, 0:FIELD] * (2 * math.pi / FIELD)
    total = np.zeros((FIELD, FIELD))
    for _ in range(40):
        across, down = noise.randint(-6, 7, 2)
        phase = noise.uniform(0, 2 * math.pi)
        total += np.cos(across * columns + down * rows + phase)
    return np.clip(128 + 22 * total, 0, 255).astype(np.uint8)


def _strokes(noise):
    """Slanted strokes that go on at the other side, for tiling."""
    image = Image.new("L", (FIELD, FIELD), 128)
    pen = ImageDraw.Draw(image)
    for _ in range(1200):
        x, y, length = (int(v) for v in noise.randint(0, FIELD, 3))
        tone, length = int(noise.randint(60, 200)), 12 + length // 6
        for left in (x, x - FIELD):
            for low in (y, y + FIELD):
                pen.line(
                    [left, low, left + length, low - length],
                    fill=tone,
                    width=2,
                )
    return image


def paint_backdrop(canvas, rng: random.Random, color: RGB) -> None:
    """Fill the canvas with the style's own kind of background."""
    paper = {
        "photo": blend(color, (232, 230, 228), 0.45),
        "anime illustration": blend(color, (255, 255, 255), 0.40),
        "pencil drawing": (250, 248, 243),
        "watercolour": blend(color, (255, 252, 246), 0.66),
    }[canvas.style]
    canvas.pen.rectangle([0, 0, canvas.side, canvas.side], fill=paper)
    if canvas.style == "photo":
        rows = np.linspace(1.06, 0.80, 64)[:, None]
        columns = np.linspace(-0.1, 0.1, 64)[None] * canvas.light
        shine = np.clip((rows + columns)[..., None] * np.array(paper), 0, 255)
        soft = Image.fromarray(np.rint(shine).astype(np.uint8))
        soft = soft.resize((canvas.side, canvas.side), Image.BILINEAR)
        canvas.image.paste(soft)
    elif canvas.style == "anime illustration":
        _paint_rays(canvas, rng, blend(paper, (255, 255, 255), 0.35))


def _paint_rays(canvas, rng, color):
    x, y = rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.7)
    turn, count = rng.uniform(0, 6.28), rng.randint(6, 9)
    side = canvas.side
    for i in range(count):
        angle = turn + i * 2 * math.pi / count
        wedge = [(x, y)] + [
            (x + 2 * math.cos(a), y + 2 * math.sin(a))
            for a in (angle - 0.15, angle + 0.15)
        ]
        pixels = [(round(a * side, 2), round(b * side, 2)) for a, b in wedge]
        canvas.pen.polygon(pixels, fill=color)


def finish(canvas, size: int, rng: random.Random) -> Image.Image:
    """Lay the style's surface over the drawing and return it at `size`."""
    small = canvas.image.resize((size, size), Image.LANCZOS)
    if canvas.style == "anime illustration":
        return small
    shift = rng.randrange(1 << 30)
    values = np.asarray(small, dtype=np.int32)
    if canvas.style == "photo":
        exposure = rng.randint(94, 105)
        values = values * exposure // 100
        values = values + rolled("grain", size, shift)[..., None] // 4
    elif canvas.style == "pencil drawing":
        grey = values.mean(axis=2, keepdims=True).astype(np.int32)
        values = (values * 62 + grey * 10 + 250 * 28) // 100
        values = values + rolled("hatch", size, shift)[..., None]
    else:
        values = (values * 80 + 252 * 20) // 100
        values = values + rolled("pigment", size, shift)[..., None]
        values = values - _rim(small)[..., None]
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def rolled(kind: str, size: int, shift: int) -> np.ndarray:
    """Return a fixed texture moved by a share of its side."""
    rows = (shift % 1009) * size // 1009
    columns = (shift // 1009 % 1013) * size // 1013
    return np.roll(field(kind, size), (rows, columns), axis=(0, 1))


def _rim(small):
    """Pigment gathers where colours meet: the edges of the picture."""
    grey = small.convert("L")
    radius = max(0.6, small.width / 90)
    soft = grey.filter(ImageFilter.GaussianBlur(radius))
    step = np.abs(np.asarray(grey, np.int32) - np.asarray(soft, np.int32))
    return np.minimum(step, 60) * 6 // 5
