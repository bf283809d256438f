"""The hair of a portrait: what lies behind the head, and the fringe."""

from tutorial_lib.world.canvas import (
    Canvas,
    Points,
    ellipse_points,
    mirror,
    smooth,
)
from tutorial_lib.world.colors import blend
from tutorial_lib.world.people import Person

WHITE = (255, 255, 255)
PARTED_HAIR = ("long", "ponytail", "bun")


def render_hair_behind(canvas: Canvas, person: Person) -> None:
    """Render the hair that a head hides in part."""
    outlines = _outline_hair_behind(person)
    if outlines:
        canvas.solid(person.hair_rgb, *outlines)


def _outline_hair_behind(person: Person) -> list[Points]:
    """Return the outlines of the hair behind a head, if there is any."""
    w, h = person.face_width, person.face_height
    if person.hair == "long":
        half = [
            (0.0, -h - 0.08),
            (w * 0.8, -h - 0.05),
            (w + 0.09, -0.15),
            (w + 0.10, 0.15),
            (w + 0.11, 0.43),
            (w * 0.4, 0.45),
            (0.0, 0.44),
        ]
        return [smooth(mirror(half))]
    if person.hair == "bob":
        half = [
            (0.0, -h - 0.08),
            (w * 0.8, -h - 0.05),
            (w + 0.09, -0.15),
            (w + 0.115, 0.15),
            (w + 0.06, 0.23),
            (w * 0.5, 0.22),
            (0.0, 0.2),
        ]
        return [smooth(mirror(half))]
    if person.hair == "ponytail":
        tail = [
            (w * 0.5, -h),
            (w + 0.13, -h + 0.02),
            (w + 0.19, -0.02),
            (w + 0.13, 0.26),
            (w + 0.08, 0.2),
            (w + 0.05, -0.05),
        ]
        return [smooth(tail)]
    if person.hair == "bun":
        return [ellipse_points(0, -h - 0.095, 0.115, 0.095)]
    if person.hair == "curly":
        centres = ellipse_points(
            0, -0.06, w + 0.045, h - 0.01, 158, 382, count=10
        )
        return [
            ellipse_points(x, y, 0.092, 0.092, count=20) for x, y in centres
        ]
    return []


def render_hair_before(canvas: Canvas, person: Person, anime: bool) -> None:
    """Render the hair over the forehead, or the shine of a bald head."""
    w, h, color = person.face_width, person.face_height, person.hair_rgb
    if person.hair == "bald":
        shine = blend(person.skin_rgb, WHITE, 0.35)
        canvas.ellipse(
            -w * 0.35, -h * 0.72, w * 0.2, h * 0.09, shine, ink=False
        )
        return
    if person.hair == "spiky":
        top = _outline_spikes(w, h)
    else:
        top = ellipse_points(0, -0.10, w + 0.035, h - 0.045, 176, 364)
    canvas.solid(color, top + _outline_fringe(person, anime), shadow=False)
    canvas.line(
        ellipse_points(0, -0.08, w * 0.72, h * 0.80, 215, 262, count=10),
        blend(color, WHITE, 0.35),
        0.020,
    )


def _outline_fringe(person: Person, anime: bool) -> Points:
    """Return the lower edge of the hair over the forehead."""
    w = person.face_width
    if anime:
        depth = -0.115
        return [
            (w * (0.95 - 0.2375 * i), depth + (0.045 if i % 2 else -0.035))
            for i in range(9)
        ]
    if person.hair in PARTED_HAIR:
        return [
            (w * 0.92, 0.0),
            (w * 0.70, -0.13),
            (0.05, -0.20),
            (-w * 0.70, -0.13),
            (-w * 0.92, 0.0),
        ]
    if person.hair == "bob":
        return [
            (w * 0.90, -0.02),
            (w * 0.86, -0.115),
            (-w * 0.86, -0.115),
            (-w * 0.90, -0.02),
        ]
    return [
        (w * 0.92, -0.08),
        (w * 0.80, -0.15),
        (-w * 0.3, -0.185),
        (-w * 0.85, -0.13),
        (-w * 0.92, -0.08),
    ]


def _outline_spikes(w: float, h: float) -> Points:
    """Return the upper edge of spiky hair."""
    return [
        _spike_point(
            w + 0.03, h - 0.05, 180 + 22.5 * i, 1.34 if i % 2 else 1.0
        )
        for i in range(9)
    ]


def _spike_point(
    rx: float, ry: float, angle: float, reach: float
) -> tuple[float, float]:
    """Return a point that reaches beyond an ellipse around the head."""
    x, y = ellipse_points(0, 0, rx, ry, angle, angle + 1, count=1)[0]
    return x * (1 + (reach - 1) * 0.5), -0.10 + y * reach
