"""The rows of an evaluation: what is generated, or rendered, for a concept."""

import random
from dataclasses import dataclass

from PIL import Image

from tutorial_lib import world
from tutorial_lib.generation import generate
from tutorial_lib.kinds import KINDS, Prompt
from tutorial_lib.models import Models
from tutorial_lib.words import LearnedWord

ROWS = ("x", "drawn", "named", "words", "initializer")
DRAWN_SEEDS = 500_000  # other drawings than those the references are made of


@dataclass
class Subject:
    """A concept whose truth is known, with the word learned for it."""

    truth: world.Pattern | world.Person
    word: LearnedWord
    seed: int


@dataclass(frozen=True)
class Row:
    """A row's text for the gap of a prompt, and whom it should show."""

    row: str
    text: str
    words: tuple[LearnedWord, ...]
    truth: world.Pattern | world.Person
    cluster: str


# --- the rows --------------------------------------------------------------


def share_images(kind: str, count: int) -> dict[Prompt, int]:
    """Return how many of a row's pictures each prompt gets, at least one."""
    return {
        prompt: max(1, round(prompt.share * count))
        for prompt in KINDS[kind].prompts
    }


def pick_names(kind: str, num: int, seed: int) -> dict:
    """Return `num` named concepts of this kind, picked by the seed."""
    names = world.named_concepts(kind)
    chosen = random.Random(seed).sample(sorted(names), num)
    return {name: names[name] for name in chosen}


def list_rows(kind: str, subject: Subject, names: dict) -> list[Row]:
    """Return what to draw for a concept: one entry a row, several names."""
    own, truth, word = str(subject.seed), subject.truth, subject.word
    start = word.initializer or KINDS[kind].initializer
    return [
        Row("x", word.word, (word,), truth, own),
        Row("drawn", "", (), truth, own),
        Row("words", world.describe(truth), (), truth, own),
        Row("initializer", start, (), truth, own),
        *(Row("named", name, (), names[name], name) for name in names),
    ]


def make_row_images(
    models: Models, row: Row, prompt: Prompt, count: int, seed: int
) -> list[Image.Image]:
    """Draw a row's pictures for one prompt: by the models, or by the world."""
    if row.row == "drawn":
        return world.render_concept(
            row.truth,
            count=count,
            seed=seed + DRAWN_SEEDS,
            size=models.profile.size,
            **prompt.drawn,
        )
    return generate(
        models,
        prompt.text.format(row.text),
        words=list(row.words),
        count=count,
        seed=seed,
        progress=False,
    )
