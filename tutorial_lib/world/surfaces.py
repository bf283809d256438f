"""What lies under and over a drawing: each style's backdrop and surface.

A photo has light, shade and grain; an anime illustration rays and flat
colour; a pencil drawing paper and hatching; a watercolour pigment that
gathers at the edges.
"""

import functools
import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tutorial_lib.world.canvas import Canvas
from tutorial_lib.world.colors import RGB, blend

TEXTURE_SIZE = 256
WHITE = (255, 255, 255)


def paint_backdrop(canvas: Canvas, rng: random.Random, color: RGB) -> None:
    """Fill the canvas with the style's own kind of background."""
    paper = {
        "photo": blend(color, (232, 230, 228), 0.45),
        "anime illustration": blend(color, WHITE, 0.40),
        "pencil drawing": (250, 248, 243),
        "watercolour": blend(color, (255, 252, 246), 0.66),
    }[canvas.style]
    canvas.pen.rectangle([0, 0, canvas.side, canvas.side], fill=paper)
    if canvas.style == "photo":
        _paint_gradient(canvas, paper)
    elif canvas.style == "anime illustration":
        _paint_rays(canvas, rng, blend(paper, WHITE, 0.35))


def _paint_gradient(canvas: Canvas, color: RGB) -> None:
    """Cover the canvas with a colour that darkens away from the light."""
    rows = np.linspace(1.06, 0.80, 64)[:, None]
    columns = np.linspace(-0.1, 0.1, 64)[None] * canvas.light
    shaded = np.clip((rows + columns)[..., None] * np.array(color), 0, 255)
    small = Image.fromarray(np.rint(shaded).astype(np.uint8))
    size = (canvas.side, canvas.side)
    canvas.image.paste(small.resize(size, Image.Resampling.BILINEAR))


def _paint_rays(canvas: Canvas, rng: random.Random, color: RGB) -> None:
    """Draw wedges that spread from a point near the middle."""
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


def apply_surface(
    canvas: Canvas, size: int, rng: random.Random
) -> Image.Image:
    """Return the drawing at `size`, with the style's surface over it."""
    small = canvas.image.resize((size, size), Image.Resampling.LANCZOS)
    if canvas.style == "anime illustration":
        return small
    shift = rng.randrange(1 << 30)
    values = np.asarray(small, dtype=np.int32)
    if canvas.style == "photo":
        exposure = rng.randint(94, 105)
        values = values * exposure // 100
        values = values + shift_texture("grain", size, shift)[..., None] // 4
    elif canvas.style == "pencil drawing":
        grey = values.mean(axis=2, keepdims=True).astype(np.int32)
        values = (values * 62 + grey * 10 + 250 * 28) // 100
        values = values + shift_texture("hatch", size, shift)[..., None]
    else:
        values = (values * 80 + 252 * 20) // 100
        values = values + shift_texture("pigment", size, shift)[..., None]
        values = values - _find_edges(small)[..., None]
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def shift_texture(kind: str, size: int, shift: int) -> np.ndarray:
    """Return a texture, size x size, moved by a share of its side."""
    rows = (shift % 1009) * size // 1009
    columns = (shift // 1009 % 1013) * size // 1013
    return np.roll(make_texture(kind, size), (rows, columns), axis=(0, 1))


@functools.cache
def make_texture(kind: str, size: int) -> np.ndarray:
    """Return a fixed texture in units of one grey level, size x size.

    "grain" is fine noise, "pigment" slow blotches, "hatch" slanted strokes.
    """
    rng = np.random.RandomState(sum(map(ord, kind)))
    if kind == "pigment":
        large = Image.fromarray(_make_blotches(rng))
    elif kind == "hatch":
        large = _draw_strokes(rng)
    else:
        noise = rng.normal(0, 40, (TEXTURE_SIZE, TEXTURE_SIZE))
        values = np.clip(128 + noise, 0, 255)
        large = Image.fromarray(values.astype(np.uint8))
        large = large.filter(ImageFilter.GaussianBlur(0.7))
    resized = large.resize((size, size), Image.Resampling.BOX)
    small = np.asarray(resized).astype(float)
    small = (small - small.mean()) / max(1e-6, small.std())
    return np.rint(small * 8).astype(np.int32)


def _make_blotches(rng: np.random.RandomState) -> np.ndarray:
    """Add slow waves of whole periods, so that the texture can be tiled."""
    size = TEXTURE_SIZE
    rows, columns = np.mgrid[0:size, 0:size] * (2 * math.pi / size)
    total = np.zeros((size, size))
    for _ in range(40):
        across, down = rng.randint(-6, 7, 2)
        phase = rng.uniform(0, 2 * math.pi)
        total += np.cos(across * columns + down * rows + phase)
    return np.clip(128 + 22 * total, 0, 255).astype(np.uint8)


def _draw_strokes(rng: np.random.RandomState) -> Image.Image:
    """Draw slanted strokes that continue on the other side, for tiling."""
    size = TEXTURE_SIZE
    image = Image.new("L", (size, size), 128)
    pen = ImageDraw.Draw(image)
    for _ in range(1200):
        x, y, extra = (int(v) for v in rng.randint(0, size, 3))
        tone, length = int(rng.randint(60, 200)), 12 + extra // 6
        for left in (x, x - size):
            for low in (y, y + size):
                pen.line(
                    [left, low, left + length, low - length],
                    fill=tone,
                    width=2,
                )
    return image


def _find_edges(image: Image.Image) -> np.ndarray:
    """Return where colours meet, and how much pigment gathers there."""
    grey = image.convert("L")
    radius = max(0.6, image.width / 90)
    soft = grey.filter(ImageFilter.GaussianBlur(radius))
    step = np.abs(np.asarray(grey, np.int32) - np.asarray(soft, np.int32))
    return np.minimum(step, 60) * 6 // 5
