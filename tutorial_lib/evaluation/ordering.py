"""The test of the ruler: which of two images is nearer to the truth?

One shows the concept with a small known change, the other with the same
change three times as large. Both are drawn as the same scene and softened,
as generated images are.
"""

import math
import random
from dataclasses import replace
from typing import Any, TypeVar

from PIL import Image, ImageFilter
from tqdm.auto import tqdm

from tutorial_lib.evaluation.gallery import embed_concept
from tutorial_lib.evaluation.judges import Judges, embed_with_judge
from tutorial_lib.evaluation.statistics import Share, estimate_share
from tutorial_lib.world import (
    FACE_RANGES,
    VISIBLE_FACE,
    VISIBLE_PERIOD,
    Concept,
    Pattern,
    Person,
    Scene,
    kind_of,
    new_concept,
    pattern_scene,
    person_scene,
    render_scene,
    visible_distance,
)

Changed = TypeVar("Changed", bound=Pattern | Person | Scene)

PAIR_SEEDS = range(700_000_100, 700_000_140)
NEAR, FAR = 1.0, 3.0  # visible steps
TRIES = 50  # enough for a change of each thing to come up
PATTERN_CHANGES = ("period", "color_rgb", "second_rgb", "background_rgb")
PERSON_CHANGES = ("skin_rgb", "hair_rgb", "eye_rgb", "face_width", "eye_gap")
SOFT_SHARE = 0.5  # of the side, that softened images are sent through
BLUR_RADIUS = 0.006  # of the side


def measure_order(judges: Judges, kind: str, pairs_each: int = 4) -> Share:
    """Return how often the nearer of two images has the higher cosine.

    There are `pairs_each` pairs of each new concept; the cosine is that with
    the reference of the true concept.
    """
    judge = judges.of_kind(kind)
    hits, clusters = [], []
    for number, seed in enumerate(
        tqdm(PAIR_SEEDS, desc=f"Ordering {kind}s", leave=False)
    ):
        concept = new_concept(kind, seed)
        rng = random.Random(f"pairs {kind} {seed}")
        images = [
            image
            for _ in range(pairs_each)
            for image in render_pair(concept, judge.trunk.size, rng)
        ]
        cosines = embed_with_judge(judge, images) @ embed_concept(
            judge, concept
        )
        near, far = cosines.view(pairs_each, 2).T
        hits += (near > far).tolist()
        clusters += [number] * pairs_each
    return estimate_share(hits, clusters)


def render_pair(
    concept: Concept, size: int, rng: random.Random
) -> list[Image.Image]:
    """Render two softened images of one scene: changed little, and more."""
    scene = (
        pattern_scene(concept, rng)
        if isinstance(concept, Pattern)
        else person_scene(concept, rng)
    )
    scenes = [
        put(scene, kind_of(concept), other)
        for other in change_twice(concept, rng)
    ]
    return [soften(render_scene(scene, size)) for scene in scenes]


def soften(image: Image.Image) -> Image.Image:
    """Send an image through a smaller size, and blur it."""
    small = round(SOFT_SHARE * image.width)
    shrunk = image.resize((small, small), Image.Resampling.BOX)
    large = shrunk.resize(image.size, Image.Resampling.BICUBIC)
    return large.filter(ImageFilter.GaussianBlur(BLUR_RADIUS * image.width))


# --- known changes ---------------------------------------------------------


def change_twice(
    concept: Concept, rng: random.Random
) -> tuple[Concept, Concept]:
    """Change one thing of a concept by `NEAR` and by `FAR` visible steps."""
    is_pattern = isinstance(concept, Pattern)
    while True:
        name = rng.choice(PATTERN_CHANGES if is_pattern else PERSON_CHANGES)
        goal = [rng.randrange(256) for _ in range(3)]
        sign = rng.choice((-1, 1))
        near, far = (
            change(concept, name, steps * sign, goal) for steps in (NEAR, FAR)
        )
        # A goal may be too near, or a change nothing that can be seen.
        if visible_distance(concept, far) >= 0.9 * FAR:
            return near, far


def make_hard_negatives(concept: Concept, seed: int) -> list[Concept]:
    """Return concepts that each differ from this one in a single thing.

    It is a colour or a size, another one for each, changed by three visible
    steps: an eye that sees both side by side can tell them apart. Taught in
    notebooks/08_face_photo.ipynb.
    """
    rng = random.Random(f"hard negatives {seed}")
    negatives: dict[str, Concept] = {}
    for _ in range(TRIES):
        _, far = change_twice(concept, rng)
        negatives.setdefault(name_change(concept, far), far)
    return [negatives[name] for name in sorted(negatives)]


def name_change(concept: Concept, other: Concept) -> str:
    """Return the first attribute in which two concepts differ."""
    ours, theirs = vars(concept), vars(other)
    return next(name for name in ours if ours[name] != theirs[name])


def change(
    concept: Concept, name: str, steps: float, goal: list[int]
) -> Concept:
    """Change one thing of a concept by a number of visible steps.

    A colour moves towards the `goal`, whatever the sign of `steps`.
    """
    value: Any = getattr(concept, name)
    if name == "period":
        return put(concept, name, value * math.exp(steps * VISIBLE_PERIOD))
    if name in FACE_RANGES:
        low, high = FACE_RANGES[name]
        return put(concept, name, value + steps * VISIBLE_FACE * (high - low))
    moved = concept
    for percent in range(1, 101):
        if visible_distance(concept, moved) >= abs(steps):
            break
        color = tuple(
            round(a + percent / 100 * (b - a))
            for a, b in zip(value, goal, strict=True)
        )
        moved = put(concept, name, color)
    return moved


def put(changed: Changed, name: str, value: Any) -> Changed:
    """Return a concept or a scene with another value of one attribute."""
    changes: dict[str, Any] = {name: value}
    return replace(changed, **changes)
