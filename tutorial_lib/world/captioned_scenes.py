"""Random scenes with captions, and the labels that can be read from them."""

import random
from typing import Any

from tutorial_lib.world.captions import caption_scene, vary_description
from tutorial_lib.world.concepts import (
    attributes,
    named_concepts,
    sample_concept,
)
from tutorial_lib.world.scenes import Scene, pattern_scene, person_scene

NAMED_SHARE = 0.6
SUBJECT_WEIGHTS = {"carrier": 0.50, "corgi": 0.20, "portrait": 0.30}
SHIRT_SHARE, PLAIN_CORGI_SHARE = 0.50, 0.10


def choose_concept(kind: str, rng: random.Random) -> tuple[str, Any]:
    """Return the name or description of a concept, and the concept.

    That is a Pattern or a Person, as `kind` says.
    """
    if rng.random() < NAMED_SHARE:
        return rng.choice(list(named_concepts(kind).items()))
    concept = sample_concept(kind, rng)
    return vary_description(concept, rng), concept


def sample_captioned_scene(rng: random.Random) -> tuple[Scene, str]:
    """Sample a scene and write its caption."""
    subject = rng.choices(
        list(SUBJECT_WEIGHTS), list(SUBJECT_WEIGHTS.values())
    )[0]
    pattern_name, pattern = choose_concept("pattern", rng)
    person_name, person = choose_concept("person", rng)
    if subject == "portrait":
        shirt = pattern if rng.random() < SHIRT_SHARE else None
        scene = person_scene(person, rng, pattern=shirt)
    elif subject == "corgi":
        scene = pattern_scene(pattern, rng, subject="corgi")
        if rng.random() < PLAIN_CORGI_SHARE:
            scene = Scene("corgi", scene.style, scene.seed)
    else:
        scene = pattern_scene(pattern, rng)
    return scene, caption_scene(scene, pattern_name, person_name, rng)


def sample_wearer_scene(rng: random.Random) -> tuple[Scene, str]:
    """Sample a person who wears a pattern, and write the caption."""
    pattern_name, pattern = choose_concept("pattern", rng)
    person_name, person = choose_concept("person", rng)
    scene = person_scene(person, rng, pattern=pattern)
    return scene, caption_scene(scene, pattern_name, person_name, rng)


def label_scene(scene: Scene) -> dict[str, str]:
    """Return the attributes that can be read from a rendered scene.

    Those of a pattern on a person's shirt have names of their own, such as
    "shirt_motif": on so few pixels they are harder to read.
    """
    label = {"object": scene.subject, "style": scene.style}
    if scene.subject == "corgi":
        label["way"] = scene.way or "none"
    elif scene.person:
        label |= attributes(scene.person)
    if scene.pattern:
        prefix = "shirt_" if scene.subject == "portrait" else ""
        for name, value in attributes(scene.pattern).items():
            label[prefix + name] = value
    return label
