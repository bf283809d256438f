"""A canvas that draws the same shapes in any of the styles.

Coordinates are shares of the image's side: (0, 0) is the origin of the
placed frame, lengths are relative to the side, y points down. Everything is
drawn large and made smaller at the end, so that an image shows the same at
any size.
"""

import functools
import math
import random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tutorial_lib.world.colors import RGB, blend
from tutorial_lib.world.styles import LINE_STYLES

Points = list[tuple[float, float]]

SHADING_SIZE = 64  # light and shadow are computed small, then enlarged
PATTERN_INK = (40, 36, 44)
SHADOW = (30, 24, 40)


def ellipse_points(
    x: float,
    y: float,
    rx: float,
    ry: float,
    start: float = 0,
    stop: float = 360,
    count: int = 40,
) -> Points:
    """Return points on an ellipse from one angle (degrees) to another."""
    angles = [
        math.radians(start + (stop - start) * i / count)
        for i in range(count + 1)
    ]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def smooth(points: Points, rounds: int = 2) -> Points:
    """Round the corners of a closed outline (Chaikin's corner cutting)."""
    for _ in range(rounds):
        rounded = []
        for (ax, ay), (bx, by) in zip(
            points, points[1:] + points[:1], strict=True
        ):
            rounded.append((0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by))
            rounded.append((0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by))
        points = rounded
    return points


def mirror(points: Points) -> Points:
    """Complete a right half, given from top to bottom, to both halves."""
    return points + [(-x, y) for x, y in reversed(points)]


@functools.cache
def light_from(direction: int) -> np.ndarray:
    """Return light from the left (-1) or right (1) in percent, 64 x 64."""
    size = SHADING_SIZE
    rows, columns = np.mgrid[0:size, 0:size] / size - 0.5
    return np.rint(direction * columns * 22 - rows * 18).astype(np.int32)


class Canvas:
    """A square image in the making, with a style and a placement."""

    def __init__(self, side: int, style: str, rng: random.Random) -> None:
        self.side = side
        self.style = style
        self.line_style = LINE_STYLES[style]
        self.image = Image.new("RGB", (side, side), (255, 255, 255))
        self.pen = ImageDraw.Draw(self.image)
        self.light = rng.choice([-1, 1])
        self.place(0.5, 0.5)

    def place(
        self,
        x: float,
        y: float,
        scale: float = 1.0,
        angle: float = 0.0,
        flip: bool = False,
    ) -> None:
        """Put the origin of what follows at (x, y), scaled and turned."""
        self.origin, self.scale = (x, y), scale
        radians = math.radians(angle)
        self.cosine, self.sine = math.cos(radians), math.sin(radians)
        self.flip = -1 if flip else 1

    def to_pixels(self, points: Points) -> Points:
        """Turn points of the placed frame into pixels."""
        placed = []
        for x, y in points:
            flipped = x * self.flip
            px = flipped * self.cosine - y * self.sine
            py = flipped * self.sine + y * self.cosine
            placed.append(
                (
                    round((self.origin[0] + self.scale * px) * self.side, 2),
                    round((self.origin[1] + self.scale * py) * self.side, 2),
                )
            )
        return placed

    def polygon(self, points: Points, fill: RGB, ink: bool = True) -> None:
        """Fill a closed outline; draw its edge if the style has one."""
        pixels = self.to_pixels(points)
        self.pen.polygon(pixels, fill=fill)
        if ink:
            self._draw_edge(pixels, fill)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: RGB,
        ink: bool = True,
    ) -> None:
        """Fill an ellipse around (x, y)."""
        self.polygon(ellipse_points(x, y, rx, ry), fill, ink=ink)

    def line(self, points: Points, fill: RGB, width: float) -> None:
        """Draw an open line with round ends, at least one pixel wide."""
        pixels = self.to_pixels(points)
        thickness = max(1, round(width * self.scale * self.side))
        self.pen.line(pixels, fill=fill, width=thickness, joint="curve")
        radius = thickness / 2
        for x, y in (pixels[0], pixels[-1]):
            box = [x - radius, y - radius, x + radius, y + radius]
            self.pen.ellipse(box, fill=fill)

    def solid(
        self,
        fill: RGB | Image.Image,
        *outlines: Points,
        folds: float = 0.0,
        rng: random.Random | None = None,
        shadow: bool = True,
        ink: bool = True,
    ) -> None:
        """Draw a solid thing, plain or covered by an image of a pattern.

        Where the style has light, it falls from one side, edges turn away
        from it, and the thing throws a soft shadow; `folds` ripple a cloth
        with a phase from `rng`.
        """
        area = self._mask(outlines)
        if isinstance(fill, Image.Image):
            cover, tone = fill, PATTERN_INK
        else:
            cover, tone = Image.new("RGB", area.size, fill), fill
        if self.line_style.light:
            brightness = self._compute_brightness(area)
            if folds and rng:
                brightness = brightness + _fold_cloth(folds, rng)
            cover = _shade(cover, brightness)
            if shadow:
                self._throw_shadow(area)
        self.image.paste(cover, (0, 0), area)
        if ink and self.line_style.width:
            for points in outlines:
                self._draw_edge(self.to_pixels(points), tone)

    def _draw_edge(self, pixels: Points, fill: RGB) -> None:
        """Draw the closed edge of a shape in the style's ink."""
        if self.line_style.width:
            ink = blend(fill, self.line_style.ink, self.line_style.strength)
            width = max(1, round(self.line_style.width * self.side))
            self.pen.line(
                pixels + pixels[:2], fill=ink, width=width, joint="curve"
            )

    def _mask(self, outlines: tuple[Points, ...]) -> Image.Image:
        """Return the area that closed outlines cover (mode L, 0 or 255)."""
        area = Image.new("L", (self.side, self.side), 0)
        pen = ImageDraw.Draw(area)
        for points in outlines:
            pen.polygon(self.to_pixels(points), fill=255)
        return area

    def _compute_brightness(self, area: Image.Image) -> np.ndarray:
        """Return the brightness of a solid in percent, 64 x 64."""
        depth = np.asarray(_soften(area, 3.5), dtype=np.int32) * 100 // 255
        return 66 + depth * 42 // 100 + light_from(self.light)

    def _throw_shadow(self, area: Image.Image) -> None:
        """Darken the image beside an area, away from the light."""
        soft = _soften(area, 2.2).point([v * 90 // 255 for v in range(256)])
        moved = Image.new("L", soft.size, 0)
        moved.paste(soft, (2 * self.light, 2))
        shadow = moved.resize(area.size, Image.Resampling.BILINEAR)
        self.image.paste(SHADOW, (0, 0), shadow)


def _soften(area: Image.Image, radius: float) -> Image.Image:
    """Return an area at the size of the shading, blurred."""
    size = (SHADING_SIZE, SHADING_SIZE)
    small = area.resize(size, Image.Resampling.BOX)
    return small.filter(ImageFilter.GaussianBlur(radius))


def _fold_cloth(folds: float, rng: random.Random) -> np.ndarray:
    """Return the brightness that folds add, in percent, 64 x 64."""
    phase, tilt = rng.uniform(0, 6.28), rng.uniform(-1, 1)
    rows, columns = np.mgrid[0:SHADING_SIZE, 0:SHADING_SIZE] / SHADING_SIZE
    wave = np.sin((columns * 3 + rows * tilt * 2) * 6.28 + phase)
    return np.rint(wave * 100 * folds).astype(np.int32)


def _shade(cover: Image.Image, brightness: np.ndarray) -> Image.Image:
    """Return an image at a brightness in percent."""
    # A byte holds 2 x percent: 200 leaves a colour as it is.
    doubled = np.clip(brightness * 2, 0, 255).astype(np.uint8)
    mask = Image.fromarray(doubled)
    mask = mask.resize(cover.size, Image.Resampling.BILINEAR)
    dark = ImageChops.multiply(cover, Image.merge("RGB", (mask,) * 3))
    return dark.point([min(255, v * 255 // 200) for v in range(256)] * 3)
