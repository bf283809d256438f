"""A canvas on which every style draws the same shapes in its own hand.

Coordinates are shares of the picture's side: (0, 0) is the top left corner
of the placed figure's frame, lengths are relative to the side, y points
down. Everything is drawn large and made smaller at the end, so that a
picture is the same picture at any size.
"""

import math
import random

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tutorial_lib.world.colors import RGB, blend
from tutorial_lib.world.styles import HANDS, light_field

Points = list[tuple[float, float]]


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


class Canvas:
    """A square picture under way, with a style's hand and a placement."""

    def __init__(self, side: int, style: str, rng: random.Random):
        self.side = side
        self.style = style
        self.hand = HANDS[style]
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

    def pixels(self, points: Points) -> Points:
        """Turn points of the placed frame into pixels."""
        placed = []
        for x, y in points:
            x *= self.flip
            px = x * self.cosine - y * self.sine
            py = x * self.sine + y * self.cosine
            placed.append(
                (
                    round((self.origin[0] + self.scale * px) * self.side, 2),
                    round((self.origin[1] + self.scale * py) * self.side, 2),
                )
            )
        return placed

    def width(self, width: float) -> int:
        """Turn a line width into whole pixels, at least one."""
        return max(1, round(width * self.scale * self.side))

    def shape(
        self,
        points: Points,
        fill: RGB,
        ink: bool = True,
    ) -> None:
        """Fill a closed outline; draw its edge if the style has one."""
        pixels = self.pixels(points)
        self.pen.polygon(pixels, fill=fill)
        if ink:
            self.edge(pixels, fill)

    def oval(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: RGB,
        ink: bool = True,
    ) -> None:
        """Fill an ellipse around (x, y)."""
        self.shape(ellipse_points(x, y, rx, ry), fill, ink=ink)

    def stroke(self, points: Points, fill: RGB, width: float) -> None:
        """Draw an open line with round ends."""
        pixels, thick = self.pixels(points), self.width(width)
        self.pen.line(pixels, fill=fill, width=thick, joint="curve")
        radius = thick / 2
        for x, y in (pixels[0], pixels[-1]):
            box = [x - radius, y - radius, x + radius, y + radius]
            self.pen.ellipse(box, fill=fill)

    def edge(self, pixels: Points, fill: RGB) -> None:
        """Draw the closed edge of a shape in the style's ink."""
        if self.hand.line_width:
            ink = blend(fill, self.hand.ink, self.hand.ink_strength)
            width = max(1, round(self.hand.line_width * self.side))
            self.pen.line(
                pixels + pixels[:2], fill=ink, width=width, joint="curve"
            )

    def mask(self, *outlines: Points) -> Image.Image:
        """Return the area that closed outlines cover (mode L, 0 or 255)."""
        area = Image.new("L", (self.side, self.side), 0)
        pen = ImageDraw.Draw(area)
        for points in outlines:
            pen.polygon(self.pixels(points), fill=255)
        return area

    def body(
        self,
        fill: RGB | Image.Image,
        *outlines: Points,
        folds: float = 0.0,
        rng: random.Random | None = None,
        shadow: bool = True,
        ink: bool = True,
    ) -> None:
        """Draw a solid thing, plain or covered by a picture of a pattern.

        Where the style has light, it falls from one side, edges turn away
        from it, and the thing throws a soft shadow; `folds` ripple a cloth.
        """
        area = self.mask(*outlines)
        if isinstance(fill, Image.Image):
            cover = fill
        else:
            cover = Image.new("RGB", area.size, fill)
        if self.hand.light:
            cover = self._lit(cover, area, folds, rng)
            if shadow:
                self._throw_shadow(area)
        self.image.paste(cover, (0, 0), area)
        if ink and self.hand.line_width:
            tone = fill if not isinstance(fill, Image.Image) else (40, 36, 44)
            for points in outlines:
                self.edge(self.pixels(points), tone)

    def _lit(self, cover, area, folds, rng):
        small = area.resize((64, 64), Image.BOX)
        soft = small.filter(ImageFilter.GaussianBlur(3.5))
        depth = np.asarray(soft, dtype=np.int32) * 100 // 255
        shine = 66 + depth * 42 // 100
        shine = shine + light_field(self.light)
        if folds:
            phase, tilt = rng.uniform(0, 6.28), rng.uniform(-1, 1)
            rows, columns = np.mgrid[0:64, 0:64] / 64
            wave = np.sin((columns * 3 + rows * tilt * 2) * 6.28 + phase)
            shine = shine + np.rint(wave * 100 * folds).astype(np.int32)
        shine = np.clip(shine * 2, 0, 255).astype(np.uint8)
        shine = Image.fromarray(shine).resize(cover.size, Image.BILINEAR)
        shine = Image.merge("RGB", (shine,) * 3)
        dark = ImageChops.multiply(cover, shine)
        # shine holds 2 x percent: 200 leaves a colour as it is
        return dark.point([min(255, v * 255 // 200) for v in range(256)] * 3)

    def _throw_shadow(self, area):
        small = area.resize((64, 64), Image.BOX)
        soft = small.filter(ImageFilter.GaussianBlur(2.2))
        soft = soft.point([v * 90 // 255 for v in range(256)])
        moved = Image.new("L", soft.size, 0)
        moved.paste(soft, (2 * self.light, 2))
        soft = moved.resize(area.size, Image.BILINEAR)
        self.image.paste((30, 24, 40), (0, 0), soft)
