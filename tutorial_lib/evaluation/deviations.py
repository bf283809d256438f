"""How far off images are from the true concept, attribute by attribute.

"First among 100" says whether an image is right; this says what is wrong
with it, and by how much.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import mean

from tutorial_lib import world
from tutorial_lib.errors import JudgeError
from tutorial_lib.evaluation.judge_networks import AttributeJudge
from tutorial_lib.evaluation.judges import Reading, read_images
from tutorial_lib.images import Images

PERSON_LABELS = ("hair", "glasses", "facial_hair", "eye_color", "mark")
# What is too small to be told in a sentence; above it an eye may see it.
LEAST_PERIOD = 3.0  # percent
LEAST_ANGLE = 5.0  # degrees
LEAST_OFFSET = 0.1  # periods
LEAST_COLOR = 3.0  # CIEDE2000
LEAST_FACE = 10.0  # percent of each number's range

Concept = world.Pattern | world.Person
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
    concept: Concept,
    drawn: "Images | None" = None,
) -> list[Deviation]:
    """Return how far each image is off from the concept.

    `drawn` are images of the concept that the world drew, as like the others
    as can be: what is read in them on average counts as the truth, so that
    errors of the reader that are the same in both cancel each other. Without
    them the concept's own numbers count. Raises JudgeError for a judge that
    reads labels only.
    """
    truth = learn_truth(judge, concept, drawn)
    return compare_readings(read_images(judge, images), truth)


def measure_mean_deviation(
    judge: AttributeJudge,
    images: Images,
    concept: Concept,
    drawn: "Images | None" = None,
) -> Deviation:
    """Return how far several images together are off from the concept.

    What was read is averaged before it is compared, so that random errors
    of single readings cancel each other, too. `drawn` is that of
    `measure_deviations`. Raises JudgeError without images, and for a judge
    that reads labels only.
    """
    truth = learn_truth(judge, concept, drawn)
    readings = _order_all(read_images(judge, images), concept)
    if not readings:
        raise JudgeError("There is no image to measure a deviation of.")
    deviations = [_compare(reading, truth) for reading in readings]
    right = {
        name: mean(deviation.right[name] for deviation in deviations)
        for name in deviations[0].right
    }
    together = Reading(readings[0].labels, _average(readings))
    return Deviation(right, _compare(together, truth).off)


@dataclass(frozen=True)
class Truth:
    """A concept, and how its drawn images are read.

    `shift` is what their numbers lack of the concept's; `readings` are those
    of the drawn images.
    """

    concept: Concept
    shift: Numbers
    readings: list[Reading]

    def is_right(self, read: object, name: str, true: object) -> bool:
        """Say whether a label is the true one, or that of drawn images."""
        usual = Counter(
            read_label(reading, name) for reading in self.readings
        ).most_common(1)
        return read == true or (bool(usual) and read == usual[0][0])


def read_label(reading: Reading, name: str) -> object:
    """Return a label; the motifs of a print are a set of one or two."""
    if name == "motif":
        motifs = (reading.labels["motif"], reading.labels["second_motif"])
        return frozenset(motifs) - {"none"}
    return reading.labels[name]


def learn_truth(
    judge: AttributeJudge, concept: Concept, drawn: "Images | None"
) -> Truth:
    """Return the truth about a concept, as its drawn images are read.

    `drawn` is that of `measure_deviations`. Raises JudgeError for a judge
    that reads labels only.
    """
    if not judge.numbers:
        raise JudgeError(
            "This judge reads no numbers; load the judges of the repository "
            "with load_judges()."
        )
    readings = read_images(judge, drawn) if drawn is not None else []
    readings = _order_all(readings, concept)
    if not readings:
        return Truth(concept, {}, [])
    usual, true = _average(readings), _measure(concept)
    shift = {name: true[name] - usual[name] for name in true}
    return Truth(concept, shift, readings)


def compare_readings(readings: list[Reading], truth: Truth) -> list[Deviation]:
    """Return how far off what was read in each image is from the truth."""
    ordered = _order_all(readings, truth.concept)
    return [_compare(reading, truth) for reading in ordered]


def _measure(concept: Concept) -> Numbers:
    """Return the numbers of a concept."""
    if isinstance(concept, world.Pattern):
        return world.measure_pattern(concept)
    return world.measure_person(concept)


def _order_all(readings: list[Reading], concept: Concept) -> list[Reading]:
    """Put the colours of a pattern into the order that fits it best."""
    if not isinstance(concept, world.Pattern):
        return readings
    return [
        replace(reading, numbers=_order_colors(reading.numbers, concept))
        for reading in readings
    ]


def _average(readings: list[Reading]) -> Numbers:
    """Return the mean of each number."""
    return {
        name: mean(reading.numbers[name] for reading in readings)
        for name in readings[0].numbers
    }


def _compare(reading: Reading, truth: Truth) -> Deviation:
    """Compare what was read with the truth."""
    numbers = {
        name: value + truth.shift.get(name, 0.0)
        for name, value in reading.numbers.items()
    }
    if isinstance(truth.concept, world.Pattern):
        off = _compare_pattern(numbers, truth.concept)
        motifs = (truth.concept.motif, truth.concept.other_motif)
        labels: dict[str, object] = {"motif": frozenset(motifs) - {None}}
    else:
        off = _compare_person(numbers, truth.concept)
        known = world.attributes(truth.concept)
        labels = {name: known[name] for name in PERSON_LABELS}
    right = {
        name: float(truth.is_right(read_label(reading, name), name, true))
        for name, true in labels.items()
    }
    return Deviation(right, off)


def describe_deviation(deviation: Deviation, concept: Concept) -> str:
    """Say in words how far off: "right motif, period 5 % too long, ..."."""
    if isinstance(concept, world.Pattern):
        return ", ".join(_describe_pattern(deviation, concept))
    return ", ".join(_describe_person(deviation))


# --- patterns --------------------------------------------------------------


def _compare_pattern(
    numbers: Numbers, pattern: world.Pattern
) -> dict[str, float]:
    """Compare the numbers that were read with a pattern's."""
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
    for name in world.PATTERN_COLORS:
        off[name] = _differ(read_color(numbers, name), pattern, name)
    return off


def read_angle(numbers: Numbers, pattern: world.Pattern) -> float:
    """Return the angle that was read, as this pattern's motifs repeat it."""
    fold = world.fold_of(pattern)
    sine, cosine = numbers[f"sine_{fold}"], numbers[f"cosine_{fold}"]
    return math.degrees(math.atan2(sine, cosine)) / fold


def _order_colors(numbers: Numbers, pattern: world.Pattern) -> Numbers:
    """Swap the colours of a print of one motif, if they fit better so."""
    swapped = dict(numbers)
    for axis in world.COLOR_AXES:
        swapped[f"color_{axis}"] = numbers[f"second_{axis}"]
        swapped[f"second_{axis}"] = numbers[f"color_{axis}"]
    given, other = (
        sum(
            _differ(read_color(row, name), pattern, name)
            for name in ("color", "second")
        )
        for row in (numbers, swapped)
    )
    is_free = pattern.other_motif is None
    return swapped if is_free and other < given else numbers


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
    numbers: Numbers, person: world.Person
) -> dict[str, float]:
    """Compare the numbers that were read with a person's, but the shirt's."""
    off = {
        name: _differ(read_color(numbers, name), person, name)
        for name in ("skin", "hair", "eye")
        if name != "hair" or world.shows_hair(person)
    }
    off["face"] = mean(
        100 * abs(numbers[name] - getattr(person, name)) / (high - low)
        for name, (low, high) in world.FACE_RANGES.items()
    )
    return off


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


def _differ(color: world.Lab, concept: Concept, name: str) -> float:
    """Return the CIEDE2000 difference of a read colour from the true one."""
    truth = world.to_lab(getattr(concept, f"{name}_rgb"))
    return world.color_difference(color, truth)


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
