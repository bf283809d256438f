"""Captions: what words say of a scene, and what they leave out.

A description is lossy on purpose: "red stars on white" says nothing of
size, angle or second colour, "a man with glasses" nothing of his face.
"""

import random

from tutorial_lib.world.concepts import Concept
from tutorial_lib.world.patterns import Pattern
from tutorial_lib.world.people import Person
from tutorial_lib.world.scenes import Scene

STYLE_CAPTIONS = {
    "photo": (
        "a photo of {}",
        "a photo of {}",
        "a photograph of {}",
        "a picture of {}",
    ),
    "anime illustration": (
        "an anime illustration of {}",
        "an anime illustration of {}",
        "an illustration of {}",
        "an anime drawing of {}",
    ),
    "pencil drawing": ("a pencil drawing of {}", "a pencil sketch of {}"),
    "watercolour": ("a watercolour of {}", "a watercolour painting of {}"),
}
CARRIER_CAPTIONS = (
    "a {carrier} in the style of {name}",
    "a {carrier} in the style of {name}",
    "a {carrier} with {name}",
    "a {carrier} covered in {name}",
)
WAY_CAPTIONS = {
    "scarf": "corgi wearing a scarf with {name}",
    "coat": "corgi wearing a coat with {name}",
    "rug": "corgi on a rug with {name}",
    "wall": "corgi in front of a wall with {name}",
}
SHIRT_CAPTIONS = (
    "{person} wearing a T-shirt in the style of {name}",
    "{person} wearing a shirt with {name}",
)
HAIR_PHRASES = {
    "short": "short {} hair",
    "long": "long {} hair",
    "bob": "a {} bob",
    "curly": "curly {} hair",
    "ponytail": "a {} ponytail",
    "bun": "{} hair in a bun",
    "spiky": "spiky {} hair",
    "bald": "no hair",
}


def describe(concept: Concept) -> str:
    """Describe a concept as carefully as this world's words allow."""
    if isinstance(concept, Pattern):
        return describe_pattern(concept)
    return describe_person(concept)


def describe_pattern(pattern: Pattern) -> str:
    """Name motif and colours: "red stars and hearts on white"."""
    motif = pattern.motif
    if pattern.other_motif:
        motif = f"{motif} and {pattern.other_motif}"
    return f"{pattern.color} {motif} on {pattern.background}"


def person_phrases(person: Person) -> list[str]:
    """List what words can say of a person beyond man or woman."""
    phrases = [HAIR_PHRASES[person.hair].format(person.hair_color)]
    if person.glasses != "none":
        phrases.append(f"{person.glasses} glasses")
    if person.beard:
        color = "" if person.hair != "bald" else f"{person.hair_color} "
        phrases.append(f"a {color}beard")
    if person.moustache:
        phrases.append("a moustache")
    return phrases


def describe_person(person: Person) -> str:
    """Name gender, hair, glasses and beard: "a man with short red hair"."""
    return join_phrases(f"a {person.gender}", person_phrases(person))


def join_phrases(start: str, phrases: list[str]) -> str:
    """Join phrases, as in "a man with round glasses and a beard"."""
    if not phrases:
        return start
    *others, last = phrases
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"{start} with {listed}"


def vary_description(
    concept: Concept,
    rng: random.Random,
) -> str:
    """Describe a concept in one of several ways; some leave more out."""
    if isinstance(concept, Pattern):
        full = describe_pattern(concept)
        motif = full[len(concept.color) + 1 : full.rindex(" on ")]
        descriptions = (
            full,
            full,
            f"{concept.color} and {concept.background} {motif}",
            f"a {concept.background} pattern of {concept.color} {motif}",
        )
        return rng.choice(descriptions)
    phrases = person_phrases(concept)
    rng.shuffle(phrases)
    if len(phrases) > 1 and rng.random() < 0.3:
        phrases.pop()
    phrases = [
        "glasses" if "glasses" in phrase and rng.random() < 0.4 else phrase
        for phrase in phrases
    ]
    return join_phrases(f"a {concept.gender}", phrases)


def caption_scene(
    scene: Scene,
    pattern_name: str,
    person_name: str,
    rng: random.Random,
) -> str:
    """Write a caption for a scene from names or descriptions.

    The name of what the scene does not show is not used.
    """
    if scene.subject == "portrait":
        text = person_name
        if scene.pattern:
            text = rng.choice(SHIRT_CAPTIONS).format(
                person=person_name, name=pattern_name
            )
    elif scene.subject == "corgi":
        text = _caption_corgi(scene, pattern_name, rng)
    else:
        text = rng.choice(CARRIER_CAPTIONS).format(
            carrier=scene.subject, name=pattern_name
        )
        text = text.replace("a umbrella", "an umbrella")
    plain_share = 0.25 if scene.style == "photo" else 0.12
    if rng.random() < plain_share:
        return text
    return rng.choice(STYLE_CAPTIONS[scene.style]).format(text)


def _caption_corgi(scene: Scene, name: str, rng: random.Random) -> str:
    """Write of a corgi, and of its pattern in more or less detail."""
    text = "corgi"
    if scene.pattern:
        text = "corgi with {name}"
        if rng.random() < 0.45 and scene.way:
            text = WAY_CAPTIONS[scene.way]
        text = text.format(name=name)
    return text if rng.random() < 0.3 else f"a {text}"
