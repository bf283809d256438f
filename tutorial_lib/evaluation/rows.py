"""The rows of an evaluation: what is generated, or rendered, for a concept.

`x` is the learned word; `drawn` images of the true concept that the drawn
world rendered (the ceiling); `named` concepts whose names the models were
trained with, each judged in a gallery of its own; `description` the most
careful plain description; `initializer` the word that X started as.
"""

import random
from dataclasses import dataclass

from PIL import Image

from tutorial_lib import world
from tutorial_lib.arguments import read_whole_number
from tutorial_lib.generation import generate
from tutorial_lib.kinds import KINDS, Prompt
from tutorial_lib.models import Models
from tutorial_lib.words import LearnedWord

ROWS = ("x", "drawn", "named", "description", "initializer")
OWN_ROWS = ("x", "drawn", "description", "initializer")  # of X's concept
OFF_ROWS = ("x", "drawn", "description")  # of which is said how far off
BASELINES = ("description", "initializer")  # what X has to beat
DRAWN_SEEDS = 500_000  # other images than those the references are made of


@dataclass
class Subject:
    """A concept whose truth is known, with the word learned for it."""

    truth: world.Pattern | world.Person
    word: LearnedWord
    seed: int


@dataclass(frozen=True)
class Row:
    """The text that a row puts into the gap of a prompt, and whom it means.

    `words` are the learned words in the text. Images of one `cluster` show
    the same concept.
    """

    name: str
    text: str
    words: tuple[LearnedWord, ...]
    truth: world.Pattern | world.Person
    cluster: str


def split_count(kind: str, count: int) -> dict[Prompt, int]:
    """Return how many of a row's images each prompt gets, at least one."""
    return {
        prompt: max(1, round(prompt.share * count))
        for prompt in KINDS[kind].prompts
    }


def pick_names(
    kind: str, num: int, seed: int
) -> dict[str, world.Pattern | world.Person]:
    """Return `num` named concepts of this kind, picked by the seed."""
    concepts = world.named_concepts(kind)
    num = read_whole_number(num, "num_names", 1, len(concepts))
    names = random.Random(seed).sample(sorted(concepts), num)
    return {name: concepts[name] for name in names}


def list_rows(
    kind: str,
    subject: Subject,
    named: dict[str, world.Pattern | world.Person],
) -> list[Row]:
    """Return the rows of a concept; "named" is there once for each name."""
    own, truth, word = str(subject.seed), subject.truth, subject.word
    start = word.initializer or KINDS[kind].initializer
    return [
        Row("x", word.word, (word,), truth, own),
        Row("drawn", "", (), truth, own),
        Row("description", world.describe(truth), (), truth, own),
        Row("initializer", start, (), truth, own),
        *(Row("named", name, (), named[name], name) for name in named),
    ]


def make_row_images(
    models: Models, row: Row, prompt: Prompt, count: int, seed: int
) -> list[Image.Image]:
    """Generate a row's images for one prompt, or render them if "drawn"."""
    if row.name == "drawn":
        return world.render_concept(
            row.truth,
            count=count,
            seed=seed + DRAWN_SEEDS,
            size=models.profile.size,
            **prompt.rendered,
        )
    return generate(
        models,
        prompt.text.format(row.text),
        words=list(row.words),
        count=count,
        seed=seed,
        progress=False,
    )
