"""What can be measured on a concept, in numbers, and what an eye can tell.

Colours are CIELAB, a period is the logarithm of its share of the image's
side, and angles are cosines and sines: an angle of 0 and one of 180 degrees
look the same on stripes, and neither is nearer to 90.
"""

import math

from tutorial_lib.world.color_difference import color_difference, to_lab
from tutorial_lib.world.colors import RGB
from tutorial_lib.world.patterns import BAND_MOTIFS, Pattern
from tutorial_lib.world.people import Person
from tutorial_lib.world.scenes import Scene

FOURFOLD_MOTIFS = ("dots", "rings", "diamonds", "crosses", "checks")
FACE_RANGES = {  # of a person's attribute: the smallest and the largest
    "face_width": (0.215, 0.275),
    "face_height": (0.255, 0.305),
    "eye_gap": (0.090, 0.125),
    "eye_size": (0.85, 1.15),
    "brow": (-0.025, 0.03),
    "brow_width": (0.016, 0.030),
    "nose": (0.02, 0.045),
    "mouth": (-0.025, 0.05),
    "mouth_width": (0.05, 0.09),
}
PATTERN_COLORS = ("color", "second", "background")
PERSON_COLORS = ("skin", "hair", "eye", "shirt")
COLOR_AXES = ("lightness", "redness", "yellowness")
FOLDS = (1, 2, 4)  # what an angle is multiplied by, as a motif is symmetric
NUMBERS = (
    "log_period",
    "offset",
    *(f"{part}_{fold}" for fold in FOLDS for part in ("cosine", "sine")),
    *(f"{color}_{axis}" for color in PATTERN_COLORS for axis in COLOR_AXES),
    *(f"{color}_{axis}" for color in PERSON_COLORS for axis in COLOR_AXES),
    *FACE_RANGES,
)

# Differences that an eye can just tell in two separate images.
VISIBLE_PERIOD = 0.10  # of the period
VISIBLE_ANGLE = 10.0  # degrees
VISIBLE_OFFSET = 0.1  # periods
VISIBLE_COLOR = 6.0  # CIEDE2000
VISIBLE_FACE = 0.25  # of the range of each number


def fold_of(pattern: Pattern) -> int:
    """Return how often a pattern looks the same in one turn: 1, 2 or 4.

    It may be moved on the cloth: checks turned by 90 degrees are the same
    checks, one square further.
    """
    motifs = {pattern.motif, pattern.other_motif} - {None}
    if motifs <= set(FOURFOLD_MOTIFS):
        return 2 if has_offset(pattern) and pattern.stagger else 4
    return 2 if pattern.motif in BAND_MOTIFS else 1


def has_offset(pattern: Pattern) -> bool:
    """Say whether rows can be moved at all: bands and checks have none."""
    return pattern.motif not in BAND_MOTIFS


def measure_pattern(pattern: Pattern) -> dict[str, float]:
    """Return the numbers of a pattern that an image can show."""
    numbers = {"log_period": math.log(pattern.period)}
    if has_offset(pattern):
        # Rows moved to the left look like rows moved to the right.
        numbers["offset"] = math.cos(2 * math.pi * pattern.stagger)
    for fold in FOLDS:
        if fold % fold_of(pattern) == 0:
            radians = math.radians(fold * pattern.angle)
            numbers[f"cosine_{fold}"] = math.cos(radians)
            numbers[f"sine_{fold}"] = math.sin(radians)
    for name in PATTERN_COLORS:
        numbers |= _measure_color(name, getattr(pattern, f"{name}_rgb"))
    return numbers


def measure_person(person: Person) -> dict[str, float]:
    """Return the numbers of a person that a portrait can show."""
    numbers = {name: getattr(person, name) for name in FACE_RANGES}
    for name in PERSON_COLORS:
        if name != "hair" or shows_hair(person):
            numbers |= _measure_color(name, getattr(person, f"{name}_rgb"))
    return numbers


def shows_hair(person: Person) -> bool:
    """Say whether a person has hair on head or chin, not brows alone."""
    return person.hair != "bald" or person.beard or person.moustache


def _measure_color(name: str, color: RGB) -> dict[str, float]:
    """Return a colour's three numbers by their names."""
    axes = [f"{name}_{axis}" for axis in COLOR_AXES]
    return dict(zip(axes, to_lab(color), strict=True))


def measure_scene(scene: Scene) -> dict[str, float]:
    """Return the numbers that a whole rendered scene shows.

    Those of a pattern on a person's shirt are left out: it shows too little
    of it.
    """
    if not scene.person:
        return measure_pattern(scene.pattern) if scene.pattern else {}
    numbers = measure_person(scene.person)
    if scene.pattern:
        for axis in COLOR_AXES:
            del numbers[f"shirt_{axis}"]
    if scene.style == "anime illustration":
        del numbers["nose"]  # all have the same there
    return numbers


# --- what an eye can tell --------------------------------------------------


def visible_distance(
    concept: Pattern | Person, other: Pattern | Person
) -> float:
    """Return the largest difference of two concepts, in visible steps.

    Below 1 no eye can tell them apart in two separate images. Concepts of
    two kinds, motifs or sets of words are infinitely far apart.
    """
    if concept.words != other.words:
        return math.inf
    if isinstance(concept, Pattern) and isinstance(other, Pattern):
        return _compare_patterns(concept, other)
    if isinstance(concept, Person) and isinstance(other, Person):
        return _compare_people(concept, other)
    return math.inf


def _compare_patterns(pattern: Pattern, other: Pattern) -> float:
    """Return the largest difference of two patterns of the same words."""
    steps = [
        abs(math.log(pattern.period / other.period)) / VISIBLE_PERIOD,
        angle_between(pattern, other.angle) / VISIBLE_ANGLE,
        _compare_colors(pattern.background_rgb, other.background_rgb),
    ]
    if has_offset(pattern):
        offsets = [
            math.acos(math.cos(2 * math.pi * one.stagger))
            for one in (pattern, other)
        ]
        apart = abs(offsets[0] - offsets[1]) / (2 * math.pi)
        steps.append(apart / VISIBLE_OFFSET)
    prints = (other.color_rgb, other.second_rgb)
    orders = [prints] if pattern.other_motif else [prints, prints[::-1]]
    steps.append(
        min(
            max(
                _compare_colors(pattern.color_rgb, first),
                _compare_colors(pattern.second_rgb, second),
            )
            for first, second in orders
        )
    )
    return max(steps)


def angle_between(pattern: Pattern, angle: float) -> float:
    """Return by how many degrees a pattern is turned from an angle.

    Angles that look the same on its motifs count as one.
    """
    turn = 360 / fold_of(pattern)
    return abs((pattern.angle - angle + turn / 2) % turn - turn / 2)


def _compare_people(person: Person, other: Person) -> float:
    """Return the largest difference of two people of the same words."""
    if (person.mark, person.eye_color) != (other.mark, other.eye_color):
        return math.inf
    steps = [
        abs(getattr(person, name) - getattr(other, name))
        / (high - low)
        / VISIBLE_FACE
        for name, (low, high) in FACE_RANGES.items()
    ]
    for name in PERSON_COLORS:
        if name != "hair" or shows_hair(person):
            colors = [getattr(p, f"{name}_rgb") for p in (person, other)]
            steps.append(_compare_colors(*colors))
    return max(steps)


def _compare_colors(color: RGB, other: RGB) -> float:
    """Return the difference of two colours in visible steps."""
    return color_difference(to_lab(color), to_lab(other)) / VISIBLE_COLOR
