"""The face of a portrait: eyes, nose, marks, mouth and glasses."""

from tutorial_lib.world.canvas import Canvas, ellipse_points, mirror, smooth
from tutorial_lib.world.colors import blend
from tutorial_lib.world.people import Person

INK = (34, 28, 36)
WHITE = (255, 255, 255)
MOLE, FRECKLE = (70, 40, 34), (120, 60, 30)
EYE_HEIGHT = -0.015


def render_face(canvas: Canvas, person: Person, anime: bool) -> None:
    """Render eyes, nose, marks, moustache and mouth."""
    for side in (-1, 1):
        _render_eye(canvas, person, side, anime)
        _render_brow(canvas, person, side, anime)
    _render_nose(canvas, person, anime)
    _render_marks(canvas, person)
    if person.moustache:
        half = [
            (0.0, 0.125),
            (0.05, 0.12),
            (0.115, 0.165),
            (0.11, 0.175),
            (0.05, 0.165),
            (0.0, 0.158),
        ]
        canvas.polygon(smooth(mirror(half), rounds=1), person.hair_rgb)
    _render_mouth(canvas, person, anime)


def _render_nose(canvas: Canvas, person: Person, anime: bool) -> None:
    """Render the nose, a short line in an anime illustration."""
    shade = blend(person.skin_rgb, INK, 0.24)
    if anime:
        canvas.line([(0.0, 0.075), (0.014, 0.10)], shade, 0.012)
        return
    n = person.nose
    nose = [
        (0, 0.02),
        (n * 0.5, 0.07),
        (n, 0.105),
        (0, 0.125),
        (-n, 0.105),
        (-n * 0.5, 0.07),
    ]
    canvas.polygon(smooth(nose, rounds=1), shade, ink=False)


def _render_marks(canvas: Canvas, person: Person) -> None:
    """Render a mole or freckles, if there are any."""
    if person.mark == "mole":
        canvas.ellipse(0.105, 0.15, 0.014, 0.014, MOLE, ink=False)
    if person.mark == "freckles":
        dot = blend(person.skin_rgb, FRECKLE, 0.5)
        for side in (-1, 1):
            for x, y in ((0.07, 0.085), (0.105, 0.10), (0.14, 0.08)):
                canvas.ellipse(side * x, y, 0.0085, 0.0085, dot, ink=False)


def _render_eye(
    canvas: Canvas, person: Person, side: int, anime: bool
) -> None:
    """Render the left (-1) or right (1) eye with lashes."""
    x, y = side * person.eye_gap, EYE_HEIGHT
    tall = 1.6 if anime else 1.0
    rx = 0.055 * person.eye_size * (1.08 if anime else 1)
    ry = 0.044 * person.eye_size * tall
    canvas.ellipse(x, y, rx, ry, WHITE, ink=False)
    iris = ry * 0.92 if not anime else ry * 0.86
    canvas.ellipse(x, y, min(iris, rx * 0.8), iris, person.eye_rgb, ink=False)
    canvas.ellipse(x, y, rx * 0.30, iris * 0.5, INK, ink=False)
    canvas.ellipse(
        x - rx * 0.28, y - ry * 0.35, rx * 0.24, ry * 0.24, WHITE, ink=False
    )
    lid = ellipse_points(x, y, rx, ry, 190, 350, count=14)
    lashes = 0.020 if anime or person.gender == "woman" else 0.012
    canvas.line(lid, INK, lashes)
    if person.gender == "woman":
        outer_lash = [
            (x + side * rx, y - ry * 0.3),
            (x + side * rx * 1.35, y - ry * 0.9),
        ]
        canvas.line(outer_lash, INK, 0.013)


def _render_brow(
    canvas: Canvas, person: Person, side: int, anime: bool
) -> None:
    """Render the left (-1) or right (1) eyebrow."""
    x, y = side * person.eye_gap, EYE_HEIGHT
    lift = 1.3 if anime else 1
    brow = [
        (x - 0.06, y - 0.085 * lift + side * person.brow),
        (x, y - 0.100 * lift),
        (x + 0.06, y - 0.085 * lift - side * person.brow),
    ]
    color = blend(person.hair_rgb, INK, 0.45)
    canvas.line(brow, color, person.brow_width)


def _render_mouth(canvas: Canvas, person: Person, anime: bool) -> None:
    """Render the mouth, open if it smiles."""
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
        lower_lip = [(w * 0.5, y + 0.035), (-w * 0.5, y + 0.035)]
        teeth = [(w * 0.6, y + 0.008), (-w * 0.6, y + 0.008)]
        canvas.polygon(curve + lower_lip, lips, ink=False)
        canvas.polygon(curve + teeth, WHITE, ink=False)
    canvas.line(curve, blend(lips, INK, 0.2), 0.014 if anime else 0.020)


def render_glasses(canvas: Canvas, person: Person, anime: bool) -> None:
    """Render round or square glasses."""
    y, radius = EYE_HEIGHT, 0.086 if not anime else 0.096
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
        canvas.line(rim, INK, 0.020)
        temple = [
            (side * (person.eye_gap + radius), y),
            (side * person.face_width, y - 0.01),
        ]
        canvas.line(temple, INK, 0.016)
    gap = person.eye_gap - radius
    canvas.line([(-gap, y), (gap, y)], INK, 0.016)
