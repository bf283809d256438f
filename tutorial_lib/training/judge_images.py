"""Render what the judges learn from, in shards that appear one by one.

Each shard is a safetensors file from its own seed. It is whole as soon as it
is there, so the judges can be trained while others are still rendered.
"""

import itertools
import math
import random
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int16
from safetensors.numpy import save

from tutorial_lib.errors import CommandError
from tutorial_lib.files import write_atomically
from tutorial_lib.training.judge_concepts import (
    GROUP_SIZE,
    loosen,
    make_group,
)
from tutorial_lib.world import (
    CARRIERS,
    COLOR_AXES,
    COLORS,
    EYE_COLORS,
    GLASSES,
    HAIR,
    HAIR_COLORS,
    MARKS,
    MOTIFS,
    NUMBERS,
    SITE_MOTIFS,
    STYLES,
    WAYS,
    Concept,
    Pattern,
    Person,
    Scene,
    label_scene,
    measure_pattern,
    measure_scene,
    pattern_scene,
    person_scene,
    render_scene,
    sample_captioned_scene,
    sample_concept,
)

VIEWS = 4  # images of each concept
GROUPS_PER_SHARD = 24
SHARD_SIZE = VIEWS * GROUP_SIZE * GROUPS_PER_SHARD
# What a shard holds, by its number: groups of a kind, or loose scenes.
CYCLE = (
    "pattern",
    "scenes",
    "pattern",
    "person",
    "pattern",
    "scenes",
    "pattern",
    "person",
)
LOOSE_SHARE = 0.7  # of the scenes' concepts
CUT_SHARE, WHOLE = 0.15, "whole"
PART_NAMES = (WHOLE, "person", "pattern")  # of an image: all, head or shirt
NO_LABEL = -100  # the index that torch's cross entropy leaves out

LABELS: dict[str, list[str]] = {
    name: sorted(set(labels))
    for name, labels in {
        "background": tuple(COLORS),
        "color": tuple(COLORS),
        "eye_color": tuple(EYE_COLORS),
        "facial_hair": ("beard", "moustache", "none"),
        "gender": ("man", "woman"),
        "glasses": GLASSES,
        "hair": HAIR,
        "hair_color": tuple(HAIR_COLORS),
        "mark": MARKS,
        "motif": MOTIFS,
        "object": (*CARRIERS, "corgi", "portrait"),
        "second_motif": (*SITE_MOTIFS, "none"),
        "style": STYLES,
        "way": (*WAYS, "none"),
    }.items()
}


class View(NamedTuple):
    """A scene, which part of it counts, and the labels that do not fit."""

    scene: Scene
    part: str = WHOLE
    misfits: frozenset[str] = frozenset()


# --- what to render --------------------------------------------------------


def list_views(number: int) -> list[View]:
    """List what a shard shows, in its order."""
    rng = random.Random(f"judges at 128 px {number}")
    content = CYCLE[number % len(CYCLE)]
    if content == "scenes":
        return [_sample_view(rng) for _ in range(SHARD_SIZE)]
    groups = (
        make_group(sample_concept(content, rng), rng)
        for _ in range(GROUPS_PER_SHARD)
    )
    return [
        view
        for concept in itertools.chain.from_iterable(groups)
        for view in view_concept(concept, rng)
    ]


def view_concept(concept: Concept, rng: random.Random) -> list[View]:
    """Show a concept `VIEWS` times: plainly, and as it is hard to see.

    A pattern is shown on two things, on a corgi, and on a shirt or another
    thing, a person in two portraits, in one that may wear a pattern, and as
    a head cut out of such a portrait.
    """
    if isinstance(concept, Person):
        shirt = sample_concept("pattern", rng) if rng.random() < 0.5 else None
        return [
            View(person_scene(concept, rng)),
            View(person_scene(concept, rng)),
            View(person_scene(concept, rng, pattern=_as_pattern(shirt))),
            View(
                _dress(concept, sample_concept("pattern", rng), rng), "person"
            ),
        ]
    views = [
        View(pattern_scene(concept, rng)),
        View(pattern_scene(concept, rng)),
        View(pattern_scene(concept, rng, subject="corgi")),
    ]
    if rng.random() < 0.6:
        scene = _dress(sample_concept("person", rng), concept, rng)
        return [*views, View(scene, "pattern")]
    return [*views, View(pattern_scene(concept, rng))]


def _dress(person: Concept, pattern: Concept, rng: random.Random) -> Scene:
    """Let a person wear a pattern."""
    assert isinstance(person, Person)
    return person_scene(person, rng, pattern=_as_pattern(pattern))


def _as_pattern(concept: Concept | None) -> Pattern | None:
    """Return a concept that is known to be a pattern."""
    assert concept is None or isinstance(concept, Pattern)
    return concept


def _sample_view(rng: random.Random) -> View:
    """Sample a captioned scene, most often of loosened concepts."""
    scene, _ = sample_captioned_scene(rng)
    misfits: set[str] = set()
    changes: dict[str, Any] = {}
    for kind in ("pattern", "person"):
        concept = getattr(scene, kind)
        if concept and rng.random() < LOOSE_SHARE:
            changes[kind], new_misfits = loosen(concept, rng)
            misfits |= new_misfits
    scene = scene_with(scene, changes)
    part = WHOLE
    if scene.person and scene.pattern and rng.random() < 2 * CUT_SHARE:
        part = rng.choice(PART_NAMES[1:])
    return View(scene, part, frozenset(misfits))


def scene_with(scene: Scene, changes: dict[str, Concept]) -> Scene:
    """Return a scene with other concepts."""
    return Scene(**{**vars(scene), **changes})


# --- what can be read from it ----------------------------------------------


def label_view(view: View) -> dict[str, str]:
    """Return the labels that can be read from what a view shows."""
    scene, part = view.scene, view.part
    labels = label_scene(scene)
    pattern = scene.pattern
    if part == "pattern":
        assert pattern is not None
        labels = {
            "style": scene.style,
            "motif": pattern.motif,
            "color": pattern.color,
            "background": pattern.background,
        }
    elif part == "person":
        del labels["object"]
    if pattern and (part == "pattern" or not scene.person):
        labels["second_motif"] = pattern.other_motif or "none"
    return {
        name: label
        for name, label in labels.items()
        if name in LABELS and name not in view.misfits
    }


def measure_view(view: View) -> dict[str, float]:
    """Return the numbers that can be read from what a view shows."""
    scene = view.scene
    if view.part == "pattern":
        assert scene.pattern is not None
        return measure_pattern(scene.pattern)
    numbers = measure_scene(scene)
    if view.part == "person":
        for axis in COLOR_AXES:
            numbers.pop(f"shirt_{axis}", None)
    return numbers


def encode_views(
    views: list[View],
) -> tuple[Int16[np.ndarray, "views labels"], Float32[np.ndarray, "views n"]]:
    """Return the index of each label and each number, as LABELS and NUMBERS.

    What cannot be read is `NO_LABEL`, or not a number.
    """
    labels = [label_view(view) for view in views]
    numbers = [measure_view(view) for view in views]
    indices = [
        [
            known.index(label[name]) if name in label else NO_LABEL
            for name, known in LABELS.items()
        ]
        for label in labels
    ]
    values = [[row.get(name, math.nan) for name in NUMBERS] for row in numbers]
    return np.array(indices, np.int16), np.array(values, np.float32)


# --- shards ----------------------------------------------------------------


def shard_path(folder: Path, number: int) -> Path:
    """Return the file of a shard; its name says what it holds."""
    content = CYCLE[number % len(CYCLE)]
    return folder / f"{number:05d}-{content}.safetensors"


def check_shards(folder: Path, count: int) -> int:
    """Return how many images the shards of `count` images hold together.

    Raises CommandError if one is missing.
    """
    numbers = range(math.ceil(count / SHARD_SIZE))
    for number in numbers:
        path = shard_path(folder, number)
        if not path.exists():
            raise CommandError(
                f"{path.name} is missing in {folder}; run 'textual-inversion "
                f"models pictures' first."
            )
    return len(numbers) * SHARD_SIZE


def render_judge_shard(path: Path, number: int, size: int) -> None:
    """Render one shard to a file; whole images, even of those to be cut."""
    views = list_views(number)
    labels, numbers = encode_views(views)
    pixels = [np.asarray(render_scene(view.scene, size)) for view in views]
    parts = [PART_NAMES.index(view.part) for view in views]
    content = save(
        {
            "pixels": np.stack(pixels),
            "parts": np.array(parts, np.uint8),
            "labels": labels,
            "numbers": numbers,
        }
    )
    with write_atomically(path) as unfinished:
        unfinished.write_bytes(content)
