"""Random scenes with captions, and the labels that can be read from them."""

import random

from tutorial_lib.world.captions import caption_scene, vary_description
from tutorial_lib.world.concepts import (
    attributes,
    named_concepts,
    sample_concept,
)
from tutorial_lib.world.scenes import (
    Scene,
    pattern_scene,
    person_scene,
)

NAMED_SHARE = 0.6
SUBJECT_WEIGHTS = {"carrier": 0.50, "corgi": 0.20, "portrait": 0.30}
SHIRT_SHARE, PLAIN_CORGI_SHARE = 0.50, 0.10


def choose_concept(kind: str, rng: random.Random):
    """Return the words for a concept and the concept, named or new."""
    if rng.random() < NAMED_SHARE:
        return rng.choice(list(named_concepts(kind).items()))
    concept = sample_concept(kind, rng)
    return vary_description(concept, rng), concept


def sample_captioned_scene(rng: random.Random) -> tuple[Scene, str]:
    """Draw a scene at random and write its caption."""
    subject = rng.choices(
        list(SUBJECT_WEIGHTS), list(SUBJECT_WEIGHTS.values())
    )[0]
    pattern_words, pattern = choose_concept("pattern", rng)
    person_words, person = choose_concept("person", rng)
    if subject == "portrait":
        if rng.random() >= SHIRT_SHARE:
            pattern = None
        scene = person_scene(person, rng, pattern=pattern)
    elif subject == "corgi":
        scene = pattern_scene(pattern, rng, subject="corgi")
        if rng.random() < PLAIN_CORGI_SHARE:
            scene = Scene("corgi", scene.style, scene.seed)
    else:
        scene = pattern_scene(pattern, rng)
    return scene, caption_scene(scene, pattern_words, person_words, rng)


def label_scene(scene: Scene) -> dict[str, str]:
    """Return what can be read from a scene: its attributes.

    Those of a pattern on a person's shirt have names of their own, such as
    "shirt_motif": on so few pixels they are harder to read.
    """
    label = {"object": scene.subject, "style": scene.style}
    if scene.subject == "corgi":
        label["way"] = scene.way or "none"
    elif scene.subject == "portrait":
        label |= attributes(scene.person)
    if scene.pattern:
        prefix = "shirt_" if scene.subject == "portrait" else ""
        for name, value in attributes(scene.pattern).items():
            label[prefix + name] = value
    return label
