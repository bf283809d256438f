"""How different two colours look: CIELAB and CIEDE2000."""

import math

from tutorial_lib.world.colors import RGB

Lab = tuple[float, float, float]  # lightness 0 to 100, green-red, blue-yellow

# The matrix from linear sRGB to XYZ (IEC 61966-2-1), and the white of D65.
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
D65 = (0.95047, 1.0, 1.08883)


def to_lab(color: RGB) -> Lab:
    """Turn the bytes of an sRGB colour into CIELAB, for the white of D65."""
    linear = [_linearize(channel / 255) for channel in color]
    x, y, z = (
        _compress(sum(a * b for a, b in zip(row, linear, strict=True)) / white)
        for row, white in zip(TO_XYZ, D65, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _linearize(value: float) -> float:
    """Return the light of an sRGB channel, 0 to 1."""
    if value <= 0.04045:
        return value / 12.92
    return ((value + 0.055) / 1.055) ** 2.4


def _compress(value: float) -> float:
    """Return the cube root, made linear near black, of CIELAB."""
    if value > (6 / 29) ** 3:
        return value ** (1 / 3)
    return value / (3 * (6 / 29) ** 2) + 4 / 29


def color_difference(color: Lab, other: Lab) -> float:
    """Return CIEDE2000: about 1 is just visible side by side.

    Source: Sharma, Wu and Dalal (2005), The CIEDE2000 Color-Difference
    Formula, equations 2 to 22, with all weights 1.
    """
    first, second = _to_hue(color, other), _to_hue(other, color)
    (l1, c1, h1), (l2, c2, h2) = first, second
    turn = 0.0 if c1 * c2 == 0 else _turn_shortest(h2 - h1)
    hue_step = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    middle = (lightness - 50) ** 2
    light_scale = 1 + 0.015 * middle / math.sqrt(20 + middle)
    chroma_scale = 1 + 0.045 * chroma
    hue_scale = 1 + 0.015 * chroma * _weigh_hue(hue)
    light = (l2 - l1) / light_scale
    step = (c2 - c1) / chroma_scale
    turned = hue_step / hue_scale
    rotation = 60 * math.exp(-(((hue - 275) / 25) ** 2))
    skew = -math.sin(math.radians(rotation)) * 2 * _damp(chroma)
    return math.sqrt(light**2 + step**2 + turned**2 + skew * step * turned)


def _turn_shortest(degrees: float) -> float:
    """Return the shorter way around the circle, in degrees."""
    if abs(degrees) > 180 + 1e-9:  # opposite hues stay, despite rounding
        return degrees - math.copysign(360, degrees)
    return degrees


def _to_hue(color: Lab, other: Lab) -> tuple[float, float, float]:
    """Return a colour's lightness, corrected chroma and hue in degrees."""
    mean = (math.hypot(*color[1:]) + math.hypot(*other[1:])) / 2
    red = color[1] * (1 + 0.5 * (1 - _damp(mean)))
    hue = math.degrees(math.atan2(color[2], red)) % 360
    return color[0], math.hypot(red, color[2]), hue


def _damp(chroma: float) -> float:
    """Return the share of a chroma that counts as strong, 0 to 1."""
    return math.sqrt(chroma**7 / (chroma**7 + 25**7))


def _weigh_hue(hue: float) -> float:
    """Return how much a difference in hue counts at a hue in degrees."""
    return (
        1
        - 0.17 * math.cos(math.radians(hue - 30))
        + 0.24 * math.cos(math.radians(2 * hue))
        + 0.32 * math.cos(math.radians(3 * hue + 6))
        - 0.20 * math.cos(math.radians(4 * hue - 63))
    )
