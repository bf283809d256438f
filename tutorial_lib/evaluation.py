"""Evaluation: how well was X learned, beside four reference rows.

Rows: `x` the learned word; `drawn` pictures of the true concept drawn by
the world (the ceiling); `named` concepts whose names the models were
trained with, each judged among lookalikes of its own; `words` the most
careful plain description; `initializer` the word that X started from.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.drawing import draw
from tutorial_lib.judging import (
    Judges,
    Lineup,
    LineupMaker,
    identity,
    paired_interval,
    prompt_score,
    share,
)
from tutorial_lib.models import Models
from tutorial_lib.pictures import Concept
from tutorial_lib.prompts import PROMPTS, Prompt
from tutorial_lib.settings import find_data
from tutorial_lib.words import LearnedWord

ROWS = ("x", "drawn", "named", "words", "initializer")
RIVALS = ("words", "initializer")  # what X has to beat
NUM_PICTURES = {"pattern": 20, "person": 6}  # as in the article
KIND_WORDS = {"pattern": "pattern", "person": "person"}
DRAWN_SEEDS = 500_000  # other drawings than those the references are made of


@dataclass
class Subject:
    """A concept whose truth is known, with the word learned for it."""

    truth: world.Pattern | world.Person
    word: LearnedWord
    seed: int


@dataclass(frozen=True)
class Drawing:
    """A row's text for the gap of a prompt, and whom it should show."""

    row: str
    text: str
    words: tuple[LearnedWord, ...]
    truth: world.Pattern | world.Person
    cluster: str


@dataclass
class Sighting:
    """What the judges said of the pictures of one row, prompt, concept."""

    row: str
    prompt: Prompt
    cluster: str
    identity: list[bool]
    asked: list[bool]
    pictures: list[Image.Image]


@dataclass
class Evaluation:
    """The sightings of one kind of concept, and what they add up to."""

    kind: str
    seeds: list[int]
    recipe: str
    seconds_per_word: float
    sightings: list[Sighting] = field(default_factory=list)

    def pictures(self, row: str, prompt: Prompt) -> list[Image.Image]:
        """Return all pictures of a row for a prompt."""
        return [
            picture
            for each in self.sightings
            if (each.row, each.prompt) == (row, prompt)
            for picture in each.pictures
        ]

    def rate(
        self, measure: str, row: str, prompt: Prompt | None = None
    ) -> dict[str, float]:
        """Return the share of a row with its 95 % interval.

        `measure` is "identity" or "prompt"; without `prompt` all prompts
        count, for identity those on which it can be told. The dict holds
        `value`, `low`, `high`.
        """
        return share(*self._collect(measure, row, prompt))

    def lead(self, row: str) -> dict[str, float]:
        """Return by how much X's identity is above a row's, -1 to 1.

        `row` is "words", "initializer" or "drawn": rows of the same
        concepts, drawn from the same noise as X, so pictures are paired.
        The dict holds `value`, `low`, `high`.
        """
        x, clusters = self._collect("identity", "x")
        other, same = self._collect("identity", row)
        if clusters != same:
            raise ValueError(f"The row {row!r} shows other concepts than X.")
        low, high = paired_interval(x, other, clusters=clusters)
        value = float(np.mean(x) - np.mean(other))
        return {"value": value, "low": low, "high": high}

    def _collect(
        self, measure: str, row: str, prompt: Prompt | None = None
    ) -> tuple[list[bool], list[str]]:
        """Return what was said of a row's pictures, and their clusters."""
        hits, clusters = [], []
        for each in self.sightings:
            wanted = prompt is None or each.prompt == prompt
            if measure == "identity" and prompt is None:
                wanted = each.prompt.tells
            if each.row == row and wanted:
                said = each.identity if measure == "identity" else each.asked
                hits += said
                clusters += [each.cluster] * len(said)
        return hits, clusters

    def summarize(self) -> dict:
        """Return the object that results.json and `evaluate` hold."""
        return {
            "kind": self.kind,
            "seeds": self.seeds,
            "recipe": self.recipe,
            "identity": {row: self.rate("identity", row) for row in ROWS},
            "prompt": {row: self.rate("prompt", row) for row in ROWS},
            "lead": {row: self.lead(row) for row in RIVALS},
            "seconds_per_word": round(self.seconds_per_word, 1),
        }


# --- the rows --------------------------------------------------------------


def share_pictures(kind: str, count: int) -> dict[Prompt, int]:
    """Return how many of a row's pictures each prompt gets, at least one."""
    return {
        prompt: max(1, round(prompt.share * count)) for prompt in PROMPTS[kind]
    }


def pick_names(kind: str, num: int, seed: int) -> dict:
    """Return `num` named concepts of this kind, picked by the seed."""
    names = world.named_concepts(kind)
    chosen = random.Random(seed).sample(sorted(names), num)
    return {name: names[name] for name in chosen}


def list_drawings(kind: str, subject: Subject, names: dict) -> list[Drawing]:
    """Return what to draw for a concept: one entry a row, several names."""
    own, truth, word = str(subject.seed), subject.truth, subject.word
    start = word.initializer or KIND_WORDS[kind]
    return [
        Drawing("x", word.word, (word,), truth, own),
        Drawing("drawn", "", (), truth, own),
        Drawing("words", world.describe(truth), (), truth, own),
        Drawing("initializer", start, (), truth, own),
        *(Drawing("named", name, (), names[name], name) for name in names),
    ]


def draw_row(
    models: Models, drawing: Drawing, prompt: Prompt, count: int, seed: int
) -> list[Image.Image]:
    """Draw a row's pictures for one prompt: by the models, or by the world."""
    if drawing.row == "drawn":
        return world.draw_concept(
            drawing.truth,
            count=count,
            seed=seed + DRAWN_SEEDS,
            size=models.profile.size,
            **prompt.drawn,
        )
    return draw(
        models,
        prompt.text.format(drawing.text),
        words=list(drawing.words),
        count=count,
        seed=seed,
        progress=False,
    )


def judge_pictures(
    judges: Judges,
    drawing: Drawing,
    prompt: Prompt,
    pictures: list[Image.Image],
    lineup: Lineup,
) -> Sighting:
    """Let the judges look at the pictures of one row, prompt, concept."""
    kind = world.kind_of(drawing.truth)
    return Sighting(
        row=drawing.row,
        prompt=prompt,
        cluster=drawing.cluster,
        identity=identity(judges.of_kind(kind), pictures, lineup),
        asked=prompt_score(judges.attributes, pictures, prompt.asked),
        pictures=pictures,
    )


def evaluate_concept(
    models: Models,
    judges: Judges,
    maker: LineupMaker,
    subject: Subject,
    shares: dict[Prompt, int],
    num_names: int,
    seed: int,
    advance: Callable[[int], None],
) -> list[Sighting]:
    """Draw and judge all rows of one concept.

    `advance` is told how many pictures were drawn since it was last told.
    """
    names = pick_names(maker.kind, num_names, seed=seed)
    sightings, parades = [], {}
    for drawing in list_drawings(maker.kind, subject, names):
        if drawing.cluster not in parades:
            parades[drawing.cluster] = maker.make(drawing.truth)
        for prompt, num in shares.items():
            if drawing.row == "named":
                num = -(-num // num_names)
            pictures = draw_row(models, drawing, prompt, num, seed=seed)
            lineup = parades[drawing.cluster]
            sightings.append(
                judge_pictures(judges, drawing, prompt, pictures, lineup)
            )
            advance(num)
    return sightings


def evaluate_words(
    models: Models,
    judges: Judges,
    kind: str,
    subjects: list[Subject],
    recipe: str,
    seconds_per_word: float,
    count: int = 24,
    num_names: int = 1,
    seed: int = 0,
) -> Evaluation:
    """Draw and judge all rows for concepts whose words were learned.

    Each row has about `count` pictures a concept; `named` shares them
    among `num_names` named concepts. All rows start from the same noise.
    Taught in notebooks/06_t_shirt.ipynb.
    """
    seeds = [subject.seed for subject in subjects]
    found = Evaluation(kind, seeds, recipe, seconds_per_word)
    maker = LineupMaker(judge=judges.of_kind(kind), kind=kind)
    shares = share_pictures(kind, count)
    each = 4 * sum(shares.values()) + num_names * sum(
        -(-num // num_names) for num in shares.values()
    )
    with tqdm(
        total=len(subjects) * each, desc=f"Judging, {kind}", unit="picture"
    ) as bar:
        for i, subject in enumerate(subjects):
            found.sightings += evaluate_concept(
                models,
                judges,
                maker,
                subject,
                shares=shares,
                num_names=num_names,
                seed=seed + 1000 * i,
                advance=bar.update,
            )
    return found


# --- concepts and words ----------------------------------------------------


def load_truth(name: str) -> tuple[world.Pattern | world.Person, int]:
    """Return the concept that a shipped folder shows, and its seed.

    `name` is "tshirt" or "face", as in data/concepts/concepts.json.
    """
    path = find_data() / "concepts" / "concepts.json"
    entry = json.loads(path.read_text(encoding="utf-8"))[name]
    return world.new_concept(entry["kind"], entry["seed"]), entry["seed"]


def draw_training_pictures(
    kind: str, seed: int, size: int, count: int | None = None
) -> Concept:
    """Draw what X is learned from for an unseen concept.

    Without a `count`, 20 T-shirts of a pattern or 6 photos of a person, as
    in the article. The first pictures are the same for every count.
    """
    pictures = world.draw_concept(
        world.new_concept(kind, seed),
        count=count or NUM_PICTURES[kind],
        seed=seed,
        size=size,
    )
    files = [f"{i:02d}.png" for i in range(len(pictures))]
    name = f"{kind} {seed}"
    return Concept(name=name, pictures=pictures, files=files, kind=kind)


def draw_film(
    models: Models, word: LearnedWord, prompt: str, frames: int = 7
) -> tuple[list[Image.Image], list[str]]:
    """Draw a prompt, always from the same noise, as X changed.

    Returns pictures and labels, from the snapshots of the vectors kept in
    `word.history`, first and last included.
    """
    kept = {
        each["step"]: each["vectors"]
        for each in word.history
        if each["vectors"] is not None
    }
    steps = sorted(kept)
    places = np.linspace(0, len(steps) - 1, min(frames, len(steps)))
    pictures, labels = [], []
    for i in places.round().astype(int):
        then = replace(word, vectors=kept[steps[i]])
        pictures += draw(models, prompt, words=[then], seed=0, progress=False)
        labels.append(f"step {steps[i]}")
    return pictures, labels
