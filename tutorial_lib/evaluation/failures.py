"""Words that fail: learned as usual from unseen concepts, and kept."""

import json
from dataclasses import dataclass
from pathlib import Path

from tutorial_lib import world
from tutorial_lib.models import Models, fingerprint_models
from tutorial_lib.settings import find_data
from tutorial_lib.words import LearnedWord

FOLDER = "failures"  # in data/


@dataclass(frozen=True)
class Failure:
    """A learned word that draws its concept badly.

    `truth` is the unseen concept of the seed, and `settings` are those that
    `learn_word` was given beside its images.
    """

    name: str
    word: LearnedWord
    truth: world.Pattern | world.Person
    seed: int
    settings: dict[str, float | str]


def load_failures(models: Models) -> dict[str, Failure]:
    """Load the words that fail by their names, such as "pattern 103".

    They were learned with one set of models; for any other there are none.
    Taught in notebooks/06_t_shirt.ipynb.
    """
    folder = find_data() / FOLDER
    text = (folder / "failures.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    if fingerprint_models(models) != stored["models"]:
        return {}
    return {
        name: load_failure(models, folder, name, entry)
        for name, entry in stored["words"].items()
    }


def load_failure(
    models: Models, folder: Path, name: str, entry: dict
) -> Failure:
    """Load one of the words of `load_failures`."""
    file = folder / f"{name.replace(' ', '-')}.safetensors"
    return Failure(
        name=name,
        word=LearnedWord.load(file, models.profile),
        truth=world.new_concept(entry["kind"], entry["seed"]),
        seed=entry["seed"],
        settings=entry["settings"],
    )
