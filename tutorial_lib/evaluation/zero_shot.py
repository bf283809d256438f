"""Ask the tiny CLIP one word at a time: stars or hearts, red or blue?"""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

from PIL import Image

from tutorial_lib.evaluation.statistics import estimate_share
from tutorial_lib.generation import embed_images, embed_texts
from tutorial_lib.models import Models
from tutorial_lib.world import (
    CARRIERS,
    COLORS,
    GLASSES,
    HAIR,
    HAIR_COLORS,
    MOTIFS,
    STYLE_CAPTIONS,
    STYLES,
    Scene,
    describe,
    new_concept,
    pattern_scene,
    person_scene,
    render_scene,
)

SEEDS = range(700_100_000, 700_100_150)  # concepts of the card alone


@dataclass(frozen=True)
class Question:
    """A picture, captions that differ in one word, and the right one."""

    attribute: str
    image: Image.Image
    captions: list[str]
    right: int


def measure_zero_shot(models: Models, seeds=SEEDS) -> dict[str, dict]:
    """Return how often CLIP picks the right word, by attribute, as shares.

    "Zero-shot" (Radford et al. 2021, 3.1): nothing is trained for it; the
    caption that is nearest to the picture is the answer.
    """
    answers = defaultdict(list)
    for seed in seeds:
        for question in ask_about_pattern(seed, models.profile.size):
            answers[question.attribute].append(answer(models, question))
        for question in ask_about_person(seed, models.profile.size):
            answers[question.attribute].append(answer(models, question))
    return {name: estimate_share(each) for name, each in answers.items()}


def answer(models: Models, question: Question) -> bool:
    """Say whether CLIP finds the right caption the most similar."""
    vector = embed_images(models, [question.image])[0]
    fits = embed_texts(models, question.captions) @ vector
    return fits.argmax().item() == question.right


def ask_about_pattern(seed: int, size: int) -> Iterator[Question]:
    """Ask for the object, the motif, both colours and the style."""
    pattern = new_concept("pattern", seed)
    scene = pattern_scene(pattern, random.Random(seed))

    def say(subject=scene.subject, style=scene.style, **changed):
        """Write the picture's caption, with one word changed."""
        told = describe(replace(pattern, **changed))
        article = "an" if subject == "umbrella" else "a"
        text = f"{article} {subject} with {told}"
        return STYLE_CAPTIONS[style][0].format(text)

    motifs = [m for m in MOTIFS if m != pattern.other_motif]
    asked = {
        "object": ("subject", CARRIERS, scene.subject),
        "style": ("style", STYLES, scene.style),
        "motif": ("motif", motifs, pattern.motif),
        "color": ("color", COLORS, pattern.color),
        "background": ("background", COLORS, pattern.background),
    }
    yield from _make_questions(scene, size, say, asked)


def ask_about_person(seed: int, size: int) -> Iterator[Question]:
    """Ask for the hair, its colour, the glasses and the style."""
    person = new_concept("person", seed)
    scene = person_scene(person, random.Random(seed))

    def say(style=scene.style, **changed):
        """Write the picture's caption, with one word changed."""
        told = describe(replace(person, **changed))
        return STYLE_CAPTIONS[style][0].format(told)

    asked = {
        "hair": ("hair", HAIR, person.hair),
        "glasses": ("glasses", GLASSES[1:], person.glasses),
        "style": ("style", STYLES, scene.style),
    }
    if person.hair != "bald":
        asked["hair color"] = ("hair_color", HAIR_COLORS, person.hair_color)
    yield from _make_questions(scene, size, say, asked)


def _make_questions(scene: Scene, size, say, asked) -> Iterator[Question]:
    image = render_scene(scene, size)
    for attribute, (argument, values, true) in asked.items():
        values = list(dict.fromkeys(values))
        captions = [say(**{argument: value}) for value in values]
        yield Question(attribute, image, captions, values.index(true))
