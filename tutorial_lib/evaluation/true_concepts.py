"""Concepts whose truth is known: the shipped ones, and unseen ones by seed."""

import json

from tutorial_lib import world
from tutorial_lib.arguments import read_choice, read_seed, read_whole_number
from tutorial_lib.images import Concept, check_size
from tutorial_lib.kinds import KINDS
from tutorial_lib.settings import find_data


def load_truth(name: str) -> tuple[world.Pattern | world.Person, int]:
    """Return the concept that a shipped folder shows, and its seed.

    `name` is "tshirt" or "face", as in data/concepts/concepts.json.
    """
    path = find_data() / "concepts" / "concepts.json"
    entry = json.loads(path.read_text(encoding="utf-8"))[name]
    return world.new_concept(entry["kind"], entry["seed"]), entry["seed"]


def render_training_images(
    kind: str, seed: int, size: int, count: int | None = None
) -> Concept:
    """Render the images that X is learned from for an unseen concept.

    Without a `count` there are as many as in the article: 20 T-shirts of a
    pattern or 6 photos of a person. The first images are the same for every
    count.
    """
    kind = read_choice(kind, "kind", KINDS)
    seed = read_seed(seed)
    if count is None:
        count = KINDS[kind].num_images
    images = world.render_concept(
        world.new_concept(kind, seed),
        count=read_whole_number(count, "count", 1),
        seed=seed,
        size=check_size(size),
    )
    files = [f"{i:02d}.png" for i in range(len(images))]
    name = f"{kind} {seed}"
    return Concept(name=name, images=images, files=files, kind=kind)
