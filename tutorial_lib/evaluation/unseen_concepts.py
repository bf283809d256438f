"""Unseen concepts by their seeds: learn a word for each, and evaluate it.

That takes a minute a word, so each word has a checkpoint of its own.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from tutorial_lib import world
from tutorial_lib.arguments import (
    read_choice,
    read_path,
    read_seeds,
    read_whole_number,
)
from tutorial_lib.evaluation.evaluation import Evaluation, evaluate_words
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.rows import Subject
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.images import Concept
from tutorial_lib.inversion import RECIPES, learn_word
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import Models, fingerprint_models
from tutorial_lib.processes import share_out
from tutorial_lib.words import LearnedWord

NUM_NAMES = 3  # for each unseen concept: names differ, so many are wanted


def evaluate_seeds(
    models: Models,
    judges: Judges,
    kind: str,
    seeds: int | Sequence[int],
    recipe: str = "both",
    count: int = 12,
    checkpoints: str | Path | None = None,
) -> Evaluation:
    """Learn a word for each unseen concept, then make and judge all rows.

    A row has `count` images a concept; three names share those of "named".
    `checkpoints` is a folder: words that are whole there are taken from it,
    and one that was broken off goes on. Ctrl-C is raised on. Several
    processes share the concepts out.
    """
    kind = read_choice(kind, "kind", KINDS)
    seeds = read_seeds(seeds)
    recipe = read_choice(recipe, "recipe", RECIPES)
    count = read_whole_number(count, "count", 1)
    if checkpoints is not None:  # the words of other models are of no use
        checkpoints = read_path(checkpoints, "checkpoints")
        checkpoints = checkpoints / fingerprint_models(models)

    def learn_subject(i: int) -> tuple[Subject, float]:
        """Learn the word of one seed; return how many seconds it took, too."""
        seed = seeds[i]
        print(f"Learning {kind} {seed} ({i + 1} of {len(seeds)})", flush=True)
        concept = render_training_images(kind, seed, models.profile.size)
        word, seconds = learn_whole_word(models, concept, recipe, checkpoints)
        truth = world.new_concept(kind, seed)
        return Subject(truth=truth, word=word, seed=seed), seconds

    learned = share_out(learn_subject, range(len(seeds)))
    return evaluate_words(
        models,
        judges,
        kind,
        [subject for subject, _ in learned],
        recipe=recipe,
        seconds_per_word=sum(seconds for _, seconds in learned) / len(seeds),
        count=count,
        num_names=NUM_NAMES,
    )


def learn_whole_word(
    models: Models, concept: Concept, recipe: str, checkpoints: Path | None
) -> tuple[LearnedWord, float]:
    """Learn X to its end, or take it from a checkpoint.

    Returns the word and the seconds that its learning took. `checkpoints` is
    a folder of these models' words, one for each concept and recipe.
    """
    name = f"{concept.name} {recipe}.pt".replace(" ", "-")
    start = time.perf_counter()
    word = learn_word(
        models,
        concept,
        word="X",
        recipe=recipe,
        checkpoint=checkpoints / name if checkpoints else None,
        keep_stopped=False,
    )
    # The history still knows the time of a word that was there already.
    seconds = time.perf_counter() - start
    return word, max(seconds, word.history[-1]["seconds"])
