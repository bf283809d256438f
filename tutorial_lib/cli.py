"""The command line: `python -m tutorial_lib run | evaluate | ...`."""

import argparse
import json
import os
import re
import sys
import time
from pathlib import Path

from tutorial_lib.errors import CommandError

RECIPES = ("both", "similarity", "denoising")
KINDS = ("pattern", "person")
SHIPPED = ("tshirt", "face")


# --- arguments -------------------------------------------------------------


def read_seeds(text: str) -> list[int]:
    """Return the seeds that "7", "1-10" or "1,4,8-9" stands for.

    Raises CommandError for anything else, or an empty range.
    """
    seeds = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", part)
        first = int(found[1]) if found else 1
        last = int(found[2] or first) if found else 0
        if last < first:
            raise CommandError(
                f"--seeds {text} is no range of seeds; write it as in "
                f"--seeds 1-10."
            )
        seeds += range(first, last + 1)
    return list(dict.fromkeys(seeds))


def check_target(path: str | Path) -> Path:
    """Return the Path of a file to be written, its folder made.

    Raises CommandError now rather than after minutes of work.
    """
    path = Path(path).expanduser().absolute()
    if path.is_dir():
        raise CommandError(f"{path} is a folder; name a file in it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise CommandError(
            f"{path.parent} is a file, so nothing can be put into it; "
            f"name another file."
        ) from None
    if not os.access(path.parent, os.W_OK):
        raise CommandError(
            f"{path.parent} may not be written to; name another folder."
        )
    return path


def add_concepts(command: argparse.ArgumentParser, example: str) -> None:
    """Add the options that say which unseen concepts, and where to write."""
    command.add_argument("--kind", required=True, choices=KINDS)
    command.add_argument(
        "--seeds", required=True, metavar="A-B", help=f"such as {example}"
    )
    command.add_argument(
        "--json", required=True, metavar="FILE", help="where the numbers go"
    )


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all subcommands."""
    parser = argparse.ArgumentParser(
        prog="python -m tutorial_lib",
        description="Textual Inversion: a few pictures become a word, X.",
    )
    stages = parser.add_subparsers(
        dest="command",
        required=True,
        metavar="run | evaluate | sweep | notebooks | models",
    )
    run = stages.add_parser(
        "run", help="learn both words, draw the four examples, report"
    )
    run.add_argument(
        "--quick", action="store_true", help="fewer steps, fewer pictures"
    )
    evaluate = stages.add_parser(
        "evaluate", help="learn and judge words for unseen concepts"
    )
    add_concepts(evaluate, example="1-10")
    evaluate.add_argument("--recipe", default="both", choices=RECIPES)
    sweep = stages.add_parser(
        "sweep", help="learn with more and fewer pictures, steps, vectors"
    )
    add_concepts(sweep, example="201-204")
    notebooks = stages.add_parser(
        "notebooks", help="run notebooks and write them with their outputs"
    )
    notebooks.add_argument(
        "numbers", nargs="*", metavar="NN", help="such as 01 (default: all)"
    )
    stages.add_parser(
        "models", help="train the tiny models again", add_help=False
    )
    return parser


# --- run -------------------------------------------------------------------


def tell_story(name: str, models, judges, quick: bool):
    """Learn the word of a shipped concept, judge it, and draw its film."""
    from tutorial_lib import images, kinds, settings, world
    from tutorial_lib.evaluation import evaluation
    from tutorial_lib.inversion import trainer
    from tutorial_lib.report import page

    concept = images.load_concept(name)
    print(f"\nLearning X from {concept.report}", flush=True)
    start = time.perf_counter()
    word = trainer.learn_word(
        models, concept, word="X", steps=30 if quick else None
    )
    seconds = time.perf_counter() - start
    kept = word.save(settings.OUT / f"{name}.safetensors")
    print(f"The word is in {kept}", flush=True)
    truth, seed = evaluation.load_truth(name)
    found = evaluation.evaluate_words(
        models,
        judges,
        kind=concept.kind,
        subjects=[evaluation.Subject(truth=truth, word=word, seed=seed)],
        recipe=word.recipe,
        seconds_per_word=seconds,
        count=8 if quick else 48,
        num_names=1 if quick else 3,
    )
    prompt = kinds.PROMPTS[concept.kind][0].text.format(word.word)
    return page.Story(
        name=name,
        concept=concept,
        word=word,
        description=world.describe(truth),
        evaluation=found,
        film=evaluation.draw_film(models, word, prompt),
    )


def run(quick: bool = False) -> Path:
    """Learn both shipped concepts, draw, judge, and write the report."""
    from tutorial_lib import settings
    from tutorial_lib.evaluation import gallery
    from tutorial_lib.models import load_models
    from tutorial_lib.report import page

    start = time.perf_counter()
    print("Loading the models ...", flush=True)
    models, judges = load_models("tiny"), gallery.load_judges()
    stories = [
        tell_story(name, models, judges, quick=quick) for name in SHIPPED
    ]
    seconds = time.perf_counter() - start
    page = page.write_report(stories, seconds, folder=settings.OUT)
    for story in stories:
        print(f"\n{story.name}: X from {len(story.concept.images)} pictures")
        print_table(story.evaluation)
    print(f"\n{seconds:.0f} s altogether. Look at {page}")
    return page


# --- evaluate --------------------------------------------------------------


def evaluate(kind: str, seeds: list[int], recipe: str, path: Path) -> None:
    """Learn and judge a word for each unseen concept, and write the rows."""
    from tutorial_lib.evaluation import gallery, unseen_concepts
    from tutorial_lib.models import load_models

    models, judges = load_models("tiny"), gallery.load_judges()
    words = path.with_suffix(".words")
    found = unseen_concepts.evaluate_seeds(
        models,
        judges,
        kind=kind,
        seeds=seeds,
        recipe=recipe,
        checkpoints=words,
    )
    unfinished = path.with_name(f".{path.name}.part")
    text = json.dumps(found.summarize(), indent=1) + "\n"
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
    print_table(found)
    print(
        f"\n{found.seconds_per_word:.1f} s a word. The rows are in {path}, "
        f"the words in {words}"
    )


def write_rate(rate: dict[str, float]) -> str:
    """Write a share with its interval, as in " 83 % ( 67- 96)"."""
    low, high = round(100 * rate["low"]), round(100 * rate["high"])
    return f"{100 * rate['value']:3.0f} % ({low:3}-{high:3})"


def print_table(found) -> None:
    """Print the rows of an evaluation, and each prompt's identity."""
    from tutorial_lib.evaluation import BASELINES, ROWS
    from tutorial_lib.figures import ROW_LABELS
    from tutorial_lib.kinds import PROMPTS

    kinds = PROMPTS[found.kind]
    heads = ["identity", "prompt", *(each.text[:20] for each in kinds)]
    print(f"{'':20}" + "".join(f"{head:22}" for head in heads))
    for row in ROWS:
        rates = [found.rate(measure, row) for measure in heads[:2]]
        rates += [found.rate("identity", row, prompt=each) for each in kinds]
        cells = "".join(f"{write_rate(rate):22}" for rate in rates)
        print(f"{ROW_LABELS[row]:20}{cells}")
    for row in BASELINES:
        head = f"X minus {ROW_LABELS[row]}"
        print(f"{head:28}{write_rate(found.lead(row))}")
    print("Shares of pictures, 95 % intervals; right: identity by prompt.")


# --- sweep -----------------------------------------------------------------


def sweep(kind: str, seeds: list[int], path: Path) -> None:
    """Learn unseen concepts with each setting changed; print the shares."""
    from tutorial_lib.evaluation import gallery, sweep
    from tutorial_lib.models import load_models

    models, judges = load_models("tiny"), gallery.load_judges()
    found = sweep.run_sweep(models, judges, kind, seeds, path)
    for setting, values in (*sweep.SWEEPS.items(), ("words", (0,))):
        for value in values:
            rate = found.rate(setting, value)
            print(f"{setting:14} {value:<6g} {write_rate(rate)}")
    print(f"Identity, 95 % intervals. The points are in {path}")


# --- the door --------------------------------------------------------------


def dispatch(arguments: list[str]) -> None:
    """Carry out one command line."""
    parser = build_parser()
    if arguments[:1] == ["models"]:
        from tutorial_lib.training import stages

        models = argparse.ArgumentParser(prog="python -m tutorial_lib models")
        stages.add_arguments(models)
        stages.run(models.parse_args(arguments[1:]))
        return
    args = parser.parse_args(arguments)
    if args.command == "run":
        run(quick=args.quick)
        return
    if args.command == "notebooks":
        from tutorial_lib.notebooks import run_notebooks

        run_notebooks(args.numbers)
        return
    seeds, path = read_seeds(args.seeds), check_target(args.json)
    if args.command == "sweep":
        sweep(kind=args.kind, seeds=seeds, path=path)
        return
    evaluate(kind=args.kind, seeds=seeds, recipe=args.recipe, path=path)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; a user's mistake gets one sentence, no traceback."""
    try:
        dispatch(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        print(
            "\nStopped; files written before are untouched.", file=sys.stderr
        )
        return 130
    except (FileNotFoundError, PermissionError, ValueError) as error:
        if not is_explained(error):
            raise
        print(f"\nError: {error}", file=sys.stderr)
        return 1
    return 0


def is_explained(error: Exception) -> bool:
    """Say whether the library itself raised this, with a remedy.

    Any other error is a fault of ours, and its traceback is wanted.
    """
    if isinstance(error, PermissionError):
        return True
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    room = trace.tb_frame.f_globals.get("__name__", "")
    return room.startswith("tutorial_lib") or room == "__main__"


if __name__ == "__main__":
    sys.exit(main())
