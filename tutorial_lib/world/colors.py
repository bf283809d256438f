"""The named colours of the drawn world, and how much their shades vary."""

import colorsys
import random

RGB = tuple[int, int, int]

# name -> hue, saturation, value, each 0 to 1
COLORS = {
    "red": (0.99, 0.84, 0.86),
    "orange": (0.075, 0.88, 0.96),
    "yellow": (0.14, 0.80, 0.98),
    "green": (0.36, 0.72, 0.62),
    "teal": (0.49, 0.78, 0.60),
    "sky blue": (0.55, 0.48, 0.95),
    "blue": (0.62, 0.78, 0.80),
    "purple": (0.76, 0.62, 0.68),
    "pink": (0.93, 0.40, 0.97),
    "brown": (0.06, 0.62, 0.46),
    "white": (0.10, 0.02, 0.98),
    "black": (0.65, 0.15, 0.15),
    "grey": (0.60, 0.04, 0.58),
}
HAIR_COLORS = {
    "black": (32, 28, 34),
    "brown": (104, 64, 38),
    "blond": (236, 200, 116),
    "red": (186, 76, 34),
    "grey": (160, 160, 166),
    "blue": (66, 104, 208),
    "pink": (242, 134, 184),
    "green": (66, 160, 100),
}
SKIN_TONES = (
    (255, 226, 202),
    (246, 202, 162),
    (228, 176, 128),
    (200, 140, 96),
    (150, 96, 64),
    (104, 68, 48),
)
EYE_COLORS = {
    "brown": (96, 58, 28),
    "blue": (58, 122, 206),
    "green": (56, 146, 82),
    "black": (30, 28, 34),
}
MIN_CONTRAST = 150.0


def sample_shade(name: str, rng: random.Random) -> RGB:
    """Return one shade of a named colour."""
    hue, saturation, value = COLORS[name]
    if saturation > 0.2:
        hue = (hue + rng.gauss(0, 0.012)) % 1
        saturation = clamp(saturation + rng.gauss(0, 0.05))
    value = clamp(value + rng.gauss(0, 0.035))
    return to_rgb(hue, saturation, value)


def to_rgb(hue: float, saturation: float, value: float) -> RGB:
    """Turn hue, saturation and value (0 to 1) into bytes."""
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """Keep a number between two bounds."""
    return min(high, max(low, value))


def vary(color: RGB, rng: random.Random, spread: float) -> RGB:
    """Move each channel of a colour a little, at random (0 to 255)."""
    red, green, blue = (
        round(clamp(channel + rng.gauss(0, spread), 0, 255))
        for channel in color
    )
    return red, green, blue


def blend(color: RGB, other: RGB, share: float) -> RGB:
    """Mix `share` (0 to 1) of another colour into a colour."""
    red, green, blue = (
        round(a + share * (b - a)) for a, b in zip(color, other, strict=True)
    )
    return red, green, blue


def contrast(color: RGB, other: RGB) -> float:
    """Return the distance of two colours in RGB space, 0 to 441."""
    pairs = zip(color, other, strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5


def contrasting_pairs() -> list[tuple[str, str]]:
    """List the ordered pairs of names that are easy to tell apart."""
    base = {name: to_rgb(*hsv) for name, hsv in COLORS.items()}
    return [
        (first, second)
        for first in COLORS
        for second in COLORS
        if contrast(base[first], base[second]) >= MIN_CONTRAST
    ]
