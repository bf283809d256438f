"""How far off images are from the true concept, attribute by attribute.

"First among 100" says whether an image is right; this says what is wrong
with it, and by how much.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median

from tutorial_lib import world
from tutorial_lib.errors import JudgeError
from tutorial_lib.evaluation.judge_networks import AttributeJudge
from tutorial_lib.evaluation.judges import read_attributes, read_numbers
from tutorial_lib.images import Images

PERSON_LABELS = ("hair", "glasses", "facial_hair", "eye_color", "mark")
# What is too small to be told in a sentence; above it an eye may see it.
LEAST_PERIOD = 3.0  # percent
LEAST_ANGLE = 5.0  # degrees
LEAST_OFFSET = 0.1  # periods
LEAST_COLOR = 3.0  # CIEDE2000
LEAST_FACE = 10.0  # percent of each number's range

Numbers = dict[str, float]


@dataclass(frozen=True)
class Deviation:
    """How far an image, or several, are off from the true concept.

    `right` says of each label that was read how often it was the true one, 0
    to 1. `off` holds the differences: "period" in percent (above 0: too
    long), "angle" in degrees, "offset" of the rows in periods, "face" in
    percent of the range of its numbers, and every colour as CIEDE2000.
    """

    right: dict[str, float]
    off: dict[str, float]


def measure_deviations(
    judge: AttributeJudge,
    images: Images,
    concept: world.Pattern | world.Person,
) -> list[Deviation]:
    """Return how far each image is off from the concept.

    Raises JudgeError for a judge that reads labels only.
    """
    if not judge.numbers:
        raise JudgeError(
            "This judge reads no numbers; load the judges of the repository "
            "with load_judges()."
        )
    readings = zip(
        read_attributes(judge, images),
        read_numbers(judge, images),
        strict=True,
    )
    if isinstance(concept, world.Pattern):
        return [_compare_pattern(*reading, concept) for reading in readings]
    return [_compare_person(*reading, concept) for reading in readings]


def summarize_deviations(deviations: Sequence[Deviation]) -> Deviation:
    """Return the shares of right labels, and the median of each number.

    Raises JudgeError without any deviation.
    """
    if not deviations:
        raise JudgeError("There is no image whose deviation was measured.")
    first = deviations[0]
    return Deviation(
        {
            name: mean(d.right[name] for d in deviations)
            for name in first.right
        },
        {name: median(d.off[name] for d in deviations) for name in first.off},
    )


def describe_deviation(
    deviation: Deviation, concept: world.Pattern | world.Person
) -> str:
    """Say in words how far off: "right motif, period 5 % too long, ..."."""
    if isinstance(concept, world.Pattern):
        return ", ".join(_describe_pattern(deviation, concept))
    return ", ".join(_describe_person(deviation))


# --- patterns --------------------------------------------------------------


def _compare_pattern(
    labels: dict[str, str], numbers: Numbers, pattern: world.Pattern
) -> Deviation:
    """Compare what was read with a pattern."""
    motifs = {labels["motif"], labels["second_motif"]} - {"none"}
    truth = {pattern.motif, pattern.other_motif} - {None}
    period = math.exp(numbers["log_period"]) / pattern.period
    off = {
        "period": 100 * (period - 1),
        "angle": world.angle_between(pattern, read_angle(numbers, pattern)),
    }
    if world.has_offset(pattern):
        cosine = min(1.0, max(-1.0, numbers["offset"]))
        read = math.acos(cosine) / (2 * math.pi)
        true = min(pattern.stagger % 1, -pattern.stagger % 1)
        off["offset"] = abs(read - true)
    return Deviation(
        {"motif": float(motifs == truth)},
        off | _compare_print(numbers, pattern),
    )


def read_angle(numbers: Numbers, pattern: world.Pattern) -> float:
    """Return the angle that was read, as this pattern's motifs repeat it."""
    fold = world.fold_of(pattern)
    sine, cosine = numbers[f"sine_{fold}"], numbers[f"cosine_{fold}"]
    return math.degrees(math.atan2(sine, cosine)) / fold


def _compare_print(
    numbers: Numbers, pattern: world.Pattern
) -> dict[str, float]:
    """Compare the colours of a print; equal motifs have them in any order."""
    first, second, ground = (
        read_color(numbers, name) for name in world.PATTERN_COLORS
    )
    orders = [(first, second)]
    if pattern.other_motif is None:
        orders.append((second, first))
    differences = [
        (
            _differ(one, pattern.color_rgb),
            _differ(other, pattern.second_rgb),
        )
        for one, other in orders
    ]
    best = min(differences, key=sum)
    return {
        "color": best[0],
        "second": best[1],
        "background": _differ(ground, pattern.background_rgb),
    }


def _describe_pattern(
    deviation: Deviation, pattern: world.Pattern
) -> Iterator[str]:
    """Say how far off a pattern is."""
    off = deviation.off
    yield "right motif" if deviation.right["motif"] >= 0.5 else "wrong motif"
    if abs(off["period"]) >= LEAST_PERIOD:
        way = "long" if off["period"] > 0 else "short"
        yield f"period {abs(off['period']):.0f} % too {way}"
    if off["angle"] >= LEAST_ANGLE:
        yield f"turned by {off['angle']:.0f} degrees"
    if off.get("offset", 0) >= LEAST_OFFSET:
        yield f"every other row off by {off['offset']:.1f} periods"
    names = {
        "color": pattern.color,
        "second": "the second colour",
        "background": pattern.background,
    }
    yield from _describe_colors(off, names)


# --- people ----------------------------------------------------------------


def _compare_person(
    labels: dict[str, str], numbers: Numbers, person: world.Person
) -> Deviation:
    """Compare what was read with a person; the shirt may be any."""
    truth = world.attributes(person)
    off = {
        name: _differ(
            read_color(numbers, name), getattr(person, f"{name}_rgb")
        )
        for name in ("skin", "hair", "eye")
        if name != "hair" or world.shows_hair(person)
    }
    off["face"] = mean(
        100 * abs(numbers[name] - getattr(person, name)) / (high - low)
        for name, (low, high) in world.FACE_RANGES.items()
    )
    right = {
        name: float(labels[name] == truth[name]) for name in PERSON_LABELS
    }
    return Deviation(right, off)


def _describe_person(deviation: Deviation) -> Iterator[str]:
    """Say how far off a person is."""
    wrong = [
        name.replace("_", " ").replace("color", "colour")
        for name, share in deviation.right.items()
        if share < 0.5
    ]
    yield f"wrong {' and '.join(wrong)}" if wrong else "right features"
    if deviation.off["face"] >= LEAST_FACE:
        yield f"face off by {deviation.off['face']:.0f} % of its range"
    names = {"skin": "skin", "hair": "hair", "eye": "eyes"}
    yield from _describe_colors(deviation.off, names)


# --- colours ---------------------------------------------------------------


def read_color(numbers: Numbers, name: str) -> world.Lab:
    """Return a colour that was read, as CIELAB."""
    lightness, redness, yellowness = (
        numbers[f"{name}_{axis}"] for axis in world.COLOR_AXES
    )
    return lightness, redness, yellowness


def _differ(color: world.Lab, truth: tuple[int, int, int]) -> float:
    """Return the CIEDE2000 difference of a read colour from the true one."""
    return world.color_difference(color, world.to_lab(truth))


def _describe_colors(
    off: dict[str, float], names: dict[str, str]
) -> Iterator[str]:
    """Say which colours are off, the furthest first."""
    known = {name: off[name] for name in names if name in off}
    wrong = [n for n in known if known[n] >= LEAST_COLOR]
    if not wrong:
        yield "right colours"
    for name in sorted(wrong, key=lambda n: -known[n]):
        yield f"{names[name]} off by {known[name]:.0f}"
