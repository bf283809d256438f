"""Portraits: a person as photo, anime illustration or other style.

An anime illustration keeps the person (skin, hair, eyes, glasses, marks)
and changes the drawing: large eyes, a pointed chin, a tiny nose.
"""

import random

from tutorial_lib.world.canvas import Canvas, ellipse_points, mirror, smooth
from tutorial_lib.world.colors import blend
from tutorial_lib.world.patterns import Pattern, paint_pattern
from tutorial_lib.world.people import Person

INK = (34, 28, 36)
WHITE = (255, 255, 255)


def render_portrait(
    canvas: Canvas,
    person: Person,
    pattern: Pattern | None,
    rng: random.Random,
) -> None:
    """Draw head and shoulders; a pattern, if any, covers the shirt."""
    canvas.place(
        0.5 + rng.uniform(-0.04, 0.04),
        0.465 + rng.uniform(-0.025, 0.025),
        scale=rng.uniform(1.0, 1.12),
        angle=rng.gauss(0, 2.5),
    )
    anime = canvas.style == "anime illustration"
    _render_hair_behind(canvas, person)
    _render_shirt(canvas, person, pattern, rng)
    _render_head(canvas, person, anime)
    if person.beard:
        _render_beard(canvas, person)
    _render_face(canvas, person, anime)
    _render_hair_before(canvas, person, anime)
    if person.glasses != "none":
        _render_glasses(canvas, person, anime)


def _render_shirt(canvas, person, pattern, rng):
    half = [
        (0.0, 0.33),
        (0.09, 0.335),
        (0.22, 0.375),
        (0.35, 0.42),
        (0.42, 0.50),
        (0.45, 0.70),
        (0.0, 0.70),
    ]
    if pattern:
        cloth = paint_pattern(pattern, canvas, rng, (0.0, 0.47), 0.75)
    else:
        cloth = person.shirt_rgb
    neck = blend(person.skin_rgb, INK, 0.16)
    canvas.body(cloth, smooth(mirror(half), rounds=1))
    canvas.shape(
        [
            (-0.085, 0.2),
            (0.085, 0.2),
            (0.09, 0.33),
            (0.0, 0.40),
            (-0.09, 0.33),
        ],
        neck,
    )


def face_outline(person: Person, anime: bool) -> list:
    """Return the face, with a pointed chin in an anime illustration."""
    w, h = person.face_width, person.face_height
    jaw = 0.80 if person.gender == "man" else 0.66
    chin = 0.22 if anime else 0.42 if person.gender == "man" else 0.34
    half = [
        (0.0, -h * 1.07),
        (0.55 * w, -h * 1.05),
        (0.93 * w, -0.80 * h),
        (w * 1.03, -0.3 * h),
        (w * 1.02, 0.1 * h),
        (w * 0.95, 0.42 * h),
        (w * jaw, 0.72 * h),
        (w * chin, h),
        (0.0, h * 1.02),
    ]
    return smooth(mirror(half))


def _render_head(canvas, person, anime):
    w, skin = person.face_width, person.skin_rgb
    for side in (-1, 1):
        canvas.oval(side * w, 0.02, 0.042, 0.06, skin)
        canvas.oval(
            side * w, 0.02, 0.02, 0.034, blend(skin, INK, 0.18), ink=False
        )
    canvas.body(skin, face_outline(person, anime))
    blush = blend(skin, (240, 110, 110), 0.28 if anime else 0.16)
    for side in (-1, 1):
        canvas.oval(side * w * 0.62, 0.095, 0.045, 0.026, blush, ink=False)


def _render_beard(canvas, person):
    w, h = person.face_width, person.face_height
    half = [
        (0.0, 0.115),
        (0.09, 0.105),
        (w * 0.80, 0.03),
        (w * 1.0, 0.0),
        (w * 0.97, 0.4 * h),
        (w * 0.80, 0.80 * h),
        (w * 0.42, 1.10 * h),
        (0.0, 1.14 * h),
    ]
    canvas.body(person.hair_rgb, smooth(mirror(half)), shadow=False)


def _render_face(canvas, person, anime):
    for side in (-1, 1):
        _render_eye(canvas, person, side, anime)
    shade = blend(person.skin_rgb, INK, 0.24)
    if anime:
        canvas.stroke([(0.0, 0.075), (0.014, 0.10)], shade, 0.012)
    else:
        n = person.nose
        nose = [
            (0, 0.02),
            (n * 0.5, 0.07),
            (n, 0.105),
            (0, 0.125),
            (-n, 0.105),
            (-n * 0.5, 0.07),
        ]
        canvas.shape(smooth(nose, rounds=1), shade, ink=False)
    if person.mark == "mole":
        canvas.oval(0.105, 0.15, 0.014, 0.014, (70, 40, 34), ink=False)
    if person.mark == "freckles":
        dot = blend(person.skin_rgb, (120, 60, 30), 0.5)
        for side in (-1, 1):
            for x, y in ((0.07, 0.085), (0.105, 0.10), (0.14, 0.08)):
                canvas.oval(side * x, y, 0.0085, 0.0085, dot, ink=False)
    if person.moustache:
        half = [
            (0.0, 0.125),
            (0.05, 0.12),
            (0.115, 0.165),
            (0.11, 0.175),
            (0.05, 0.165),
            (0.0, 0.158),
        ]
        canvas.shape(smooth(mirror(half), rounds=1), person.hair_rgb)
    _render_mouth(canvas, person, anime)


def _render_eye(canvas, person, side, anime):
    x, y = side * person.eye_gap, -0.015
    tall = 1.6 if anime else 1.0
    rx = 0.055 * person.eye_size * (1.08 if anime else 1)
    ry = 0.044 * person.eye_size * tall
    canvas.oval(x, y, rx, ry, WHITE, ink=False)
    iris = ry * 0.92 if not anime else ry * 0.86
    canvas.oval(x, y, min(iris, rx * 0.8), iris, person.eye_rgb, ink=False)
    canvas.oval(x, y, rx * 0.30, iris * 0.5, INK, ink=False)
    canvas.oval(
        x - rx * 0.28, y - ry * 0.35, rx * 0.24, ry * 0.24, WHITE, ink=False
    )
    lid = ellipse_points(x, y, rx, ry, 190, 350, count=14)
    lashes = 0.020 if anime or person.gender == "woman" else 0.012
    canvas.stroke(lid, INK, lashes)
    if person.gender == "woman":
        canvas.stroke(
            [
                (x + side * rx, y - ry * 0.3),
                (x + side * rx * 1.35, y - ry * 0.9),
            ],
            INK,
            0.013,
        )
    brow = [
        (x - 0.06, y - 0.085 * (1.3 if anime else 1) + side * person.brow),
        (x, y - 0.100 * (1.3 if anime else 1)),
        (x + 0.06, y - 0.085 * (1.3 if anime else 1) - side * person.brow),
    ]
    color = blend(person.hair_rgb, INK, 0.45)
    canvas.stroke(brow, color, person.brow_width)


def _render_mouth(canvas, person, anime):
    w, bend = person.mouth_width * (0.75 if anime else 1), person.mouth
    y = 0.195
    curve = [
        (-w, y - bend * 0.7),
        (-w * 0.4, y + bend * 0.25),
        (w * 0.4, y + bend * 0.25),
        (w, y - bend * 0.7),
    ]
    lips = (206, 76, 86) if person.gender == "woman" else (150, 74, 66)
    if bend > 0.03:
        canvas.shape(
            curve + [(w * 0.5, y + 0.035), (-w * 0.5, y + 0.035)],
            lips,
            ink=False,
        )
        canvas.shape(
            curve + [(w * 0.6, y + 0.008), (-w * 0.6, y + 0.008)],
            WHITE,
            ink=False,
        )
    canvas.stroke(curve, blend(lips, INK, 0.2), 0.014 if anime else 0.020)


def _render_glasses(canvas, person, anime):
    y, radius = -0.015, 0.086 if not anime else 0.096
    for side in (-1, 1):
        x = side * person.eye_gap
        if person.glasses == "round":
            rim = ellipse_points(x, y, radius, radius)
        else:
            rim = [
                (x - radius, y - radius * 0.72),
                (x + radius, y - radius * 0.72),
                (x + radius, y + radius * 0.8),
                (x - radius, y + radius * 0.8),
                (x - radius, y - radius * 0.72),
                (x + radius, y - radius * 0.72),
            ]
        canvas.stroke(rim, INK, 0.020)
        canvas.stroke(
            [
                (side * (person.eye_gap + radius), y),
                (side * person.face_width, y - 0.01),
            ],
            INK,
            0.016,
        )
    gap = person.eye_gap - radius
    canvas.stroke([(-gap, y), (gap, y)], INK, 0.016)


def _render_hair_behind(canvas, person):
    w, h, color = person.face_width, person.face_height, person.hair_rgb
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
        canvas.body(color, smooth(mirror(half)))
    elif person.hair == "bob":
        half = [
            (0.0, -h - 0.08),
            (w * 0.8, -h - 0.05),
            (w + 0.09, -0.15),
            (w + 0.115, 0.15),
            (w + 0.06, 0.23),
            (w * 0.5, 0.22),
            (0.0, 0.2),
        ]
        canvas.body(color, smooth(mirror(half)))
    elif person.hair == "ponytail":
        tail = [
            (w * 0.5, -h),
            (w + 0.13, -h + 0.02),
            (w + 0.19, -0.02),
            (w + 0.13, 0.26),
            (w + 0.08, 0.2),
            (w + 0.05, -0.05),
        ]
        canvas.body(color, smooth(tail))
    elif person.hair == "bun":
        canvas.body(color, ellipse_points(0, -h - 0.095, 0.115, 0.095))
    elif person.hair == "curly":
        curls = [
            ellipse_points(x, y, 0.092, 0.092, count=20)
            for x, y in ellipse_points(
                0, -0.06, w + 0.045, h - 0.01, 158, 382, count=10
            )
        ]
        canvas.body(color, *curls, ink=True)


def _render_hair_before(canvas, person, anime):
    w, h, color = person.face_width, person.face_height, person.hair_rgb
    if person.hair == "bald":
        canvas.oval(
            -w * 0.35,
            -h * 0.72,
            w * 0.2,
            h * 0.09,
            blend(person.skin_rgb, WHITE, 0.35),
            ink=False,
        )
        return
    top = ellipse_points(0, -0.10, w + 0.035, h - 0.045, 176, 364)
    if person.hair == "spiky":
        top = _spikes(w, h)
    depth = -0.115
    if anime:
        fringe = [
            (w * (0.95 - 0.2375 * i), depth + (0.045 if i % 2 else -0.035))
            for i in range(9)
        ]
    elif person.hair in ("long", "ponytail", "bun"):
        fringe = [
            (w * 0.92, 0.0),
            (w * 0.70, -0.13),
            (0.05, -0.20),
            (-w * 0.70, -0.13),
            (-w * 0.92, 0.0),
        ]
    elif person.hair == "bob":
        fringe = [
            (w * 0.90, -0.02),
            (w * 0.86, -0.115),
            (-w * 0.86, -0.115),
            (-w * 0.90, -0.02),
        ]
    else:
        fringe = [
            (w * 0.92, -0.08),
            (w * 0.80, -0.15),
            (-w * 0.3, -0.185),
            (-w * 0.85, -0.13),
            (-w * 0.92, -0.08),
        ]
    canvas.body(color, top + fringe, shadow=False)
    shine = blend(color, WHITE, 0.35)
    canvas.stroke(
        ellipse_points(0, -0.08, w * 0.72, h * 0.80, 215, 262, count=10),
        shine,
        0.020,
    )


def _spikes(w, h):
    points = []
    for i in range(9):
        angle = 180 + 22.5 * i
        reach = 1.34 if i % 2 else 1.0
        points.append(_on_ellipse(w + 0.03, h - 0.05, angle, reach))
    return points


def _on_ellipse(rx, ry, angle, reach):
    (x, y), *_ = ellipse_points(0, 0, rx, ry, angle, angle + 1, count=1)
    return x * (1 + (reach - 1) * 0.5), -0.10 + y * reach
