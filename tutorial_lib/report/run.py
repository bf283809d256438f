"""What `run` does: both shipped words learned, judged, and reported."""

import time
from pathlib import Path

from tutorial_lib import world
from tutorial_lib.evaluation import (
    Judges,
    Subject,
    evaluate_words,
    load_judges,
    load_truth,
)
from tutorial_lib.generation import generate_over_steps
from tutorial_lib.images import SHIPPED, load_concept
from tutorial_lib.inversion import learn_word
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import Models, load_models
from tutorial_lib.report.files import write_report
from tutorial_lib.report.story import Story
from tutorial_lib.report.text_tables import format_evaluation


def report_shipped_concepts(folder: Path, quick: bool = False) -> Path:
    """Learn both shipped concepts, judge the words, and write the report.

    The words and the report go to `folder`. `quick` takes fewer steps and
    generates fewer images. Returns the path of the page.
    """
    start = time.perf_counter()
    print("Loading the models ...", flush=True)
    models, judges = load_models("tiny"), load_judges()
    stories = [
        learn_story(name, models, judges, folder, quick) for name in SHIPPED
    ]
    seconds = time.perf_counter() - start
    page = write_report(stories, seconds, folder=folder)
    for story in stories:
        print(f"\n{story.name}: X from {len(story.concept.images)} pictures")
        print(format_evaluation(story.evaluation))
    print(f"\n{seconds:.0f} s altogether. Look at {page}")
    return page


def learn_story(
    name: str, models: Models, judges: Judges, folder: Path, quick: bool
) -> Story:
    """Learn the word of a shipped concept, judge it, and show it grow."""
    concept = load_concept(name)
    print(f"\nLearning X from {concept.report}", flush=True)
    start = time.perf_counter()
    steps = 30 if quick else None
    word = learn_word(models, concept, steps=steps, keep_stopped=False)
    seconds = time.perf_counter() - start
    file = word.save(folder / f"{name}.safetensors")
    print(f"The word is in {file}", flush=True)
    truth, seed = load_truth(name)
    evaluation = evaluate_words(
        models,
        judges,
        kind=concept.kind,
        subjects=[Subject(truth=truth, word=word, seed=seed)],
        recipe=word.recipe,
        seconds_per_word=seconds,
        count=8 if quick else 48,
        num_names=1 if quick else 3,
    )
    prompt = KINDS[concept.kind].prompts[0].text.format(word.word)
    return Story(
        name=name,
        concept=concept,
        word=word,
        description=world.describe(truth),
        evaluation=evaluation,
        film=generate_over_steps(models, word, prompt),
    )
