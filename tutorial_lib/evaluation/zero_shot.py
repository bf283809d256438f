"""Ask the tiny CLIP one word at a time: stars or hearts, red or blue?"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from tutorial_lib.evaluation.statistics import Share, estimate_share
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
    Pattern,
    Person,
    Scene,
    describe,
    new_concept,
    pattern_scene,
    person_scene,
    render_scene,
)

SEEDS = range(700_100_000, 700_100_150)  # concepts of the model card alone


@dataclass(frozen=True)
class Question:
    """An image, captions that differ in one word, and which is right."""

    attribute: str
    image: Image.Image
    captions: list[str]
    right: int


@dataclass(frozen=True)
class Choice:
    """What a question varies: a caption's argument, its values, the true one.

    `argument` is a keyword of the function that writes the captions.
    """

    argument: str
    values: Iterable[str]
    true_value: str


def measure_zero_shot(
    models: Models, seeds: Sequence[int] = SEEDS
) -> dict[str, Share]:
    """Return how often CLIP picks the right word, for each attribute.

    "Zero-shot" (Radford et al., 2021, section 3.1): nothing is trained for
    it; the caption that is nearest to the image is the answer.
    """
    answers: dict[str, list[bool]] = defaultdict(list)
    for seed in seeds:
        for question in ask_about_pattern(seed, models.profile.size):
            answers[question.attribute].append(is_answered(models, question))
        for question in ask_about_person(seed, models.profile.size):
            answers[question.attribute].append(is_answered(models, question))
    return {name: estimate_share(right) for name, right in answers.items()}


def is_answered(models: Models, question: Question) -> bool:
    """Say whether CLIP finds the right caption the most similar."""
    image_features = embed_images(models, [question.image])[0]
    cosines = embed_texts(models, question.captions) @ image_features
    return cosines.argmax().item() == question.right


def ask_about_pattern(seed: int, size: int) -> Iterator[Question]:
    """Ask for the object, the motif, both colours and the style."""
    pattern = new_concept("pattern", seed)
    assert isinstance(pattern, Pattern)
    scene = pattern_scene(pattern, random.Random(seed))

    def write_caption(
        subject: str = scene.subject,
        style: str = scene.style,
        **changed: Any,
    ) -> str:
        """Write the image's caption, with one word changed."""
        description = describe(replace(pattern, **changed))
        article = "an" if subject == "umbrella" else "a"
        text = f"{article} {subject} with {description}"
        return STYLE_CAPTIONS[style][0].format(text)

    motifs = [motif for motif in MOTIFS if motif != pattern.other_motif]
    choices = {
        "object": Choice("subject", CARRIERS, scene.subject),
        "style": Choice("style", STYLES, scene.style),
        "motif": Choice("motif", motifs, pattern.motif),
        "color": Choice("color", COLORS, pattern.color),
        "background": Choice("background", COLORS, pattern.background),
    }
    yield from _make_questions(scene, size, write_caption, choices)


def ask_about_person(seed: int, size: int) -> Iterator[Question]:
    """Ask for the hair, its colour, the glasses and the style."""
    person = new_concept("person", seed)
    assert isinstance(person, Person)
    scene = person_scene(person, random.Random(seed))

    def write_caption(style: str = scene.style, **changed: Any) -> str:
        """Write the image's caption, with one word changed."""
        description = describe(replace(person, **changed))
        return STYLE_CAPTIONS[style][0].format(description)

    choices = {
        "hair": Choice("hair", HAIR, person.hair),
        "glasses": Choice("glasses", GLASSES[1:], person.glasses),
        "style": Choice("style", STYLES, scene.style),
    }
    if person.hair != "bald":
        choices["hair color"] = Choice(
            "hair_color", HAIR_COLORS, person.hair_color
        )
    yield from _make_questions(scene, size, write_caption, choices)


def _make_questions(
    scene: Scene,
    size: int,
    write_caption: Callable[..., str],
    choices: dict[str, Choice],
) -> Iterator[Question]:
    """Ask one question about a scene for each attribute."""
    image = render_scene(scene, size)
    for attribute, choice in choices.items():
        values = list(dict.fromkeys(choice.values))
        captions = [
            write_caption(**{choice.argument: value}) for value in values
        ]
        right = values.index(choice.true_value)
        yield Question(attribute, image, captions, right)
