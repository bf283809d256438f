"""The command line: `textual-inversion run | evaluate | ...`.

`python -m tutorial_lib` is the same. Torch and what needs it are imported
by the commands that use them, so that --help answers at once.
"""

import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from tutorial_lib.arguments import MAX_SEED
from tutorial_lib.command_options import (
    BatchSizeOption,
    CardOption,
    ConfigsOption,
    DeviceOption,
    DrawnOption,
    DtypeOption,
    FormOption,
    ImagesArgument,
    JsonOption,
    JudgedOption,
    KindOption,
    LearnableKindOption,
    OthersOption,
    PicturesOption,
    PresetOption,
    RecipeOption,
    SeedsOption,
    ShareOption,
    SizeOption,
    SourceArgument,
    StageArgument,
    StepsOption,
    SweptOption,
    TargetFileArgument,
    TargetOption,
    TensorboardOption,
    WordFileArgument,
    WordOption,
    WorkersOption,
    WorkOption,
)
from tutorial_lib.errors import CommandError, TutorialError
from tutorial_lib.settings import OUT, choose_device
from tutorial_lib.training.training_run import TrainingRun

MAX_CONCEPTS = 10_000  # of one range; a word takes a minute to learn
INTERRUPTED = 130  # the exit code of a command that Ctrl-C ended


app = typer.Typer(
    help="Textual Inversion: a few pictures become a word, X.",
    epilog="\b\nExample:\n  textual-inversion run --quick",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


# --- arguments -------------------------------------------------------------


def read_seeds(text: str) -> list[int]:
    """Return the seeds that "7", "1-10" or "1,4,8-9" stands for.

    Raises CommandError for anything else, or an empty range.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,10})(?:\s*-\s*(\d{1,10}))?\s*", part)
        first = int(match[1]) if match else 1
        last = int(match[2] or first) if match else 0
        if last < first:
            raise CommandError(
                f"--seeds {text} is no range of seeds; write it as in "
                f"--seeds 1-10."
            )
        if last > MAX_SEED or last - first >= MAX_CONCEPTS:
            raise CommandError(
                f"--seeds {text} is too much: a seed is at most {MAX_SEED}, "
                f"and a range has at most {MAX_CONCEPTS} of them; name fewer."
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
    except PermissionError:
        raise CommandError(
            f"{path.parent} cannot be made; name another folder."
        ) from None
    if not os.access(path.parent, os.W_OK):
        raise CommandError(
            f"{path.parent} may not be written to; name another folder."
        )
    return path


# --- commands --------------------------------------------------------------


@app.command(epilog="\b\nExample:\n  textual-inversion run --quick")
def run(
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer steps, fewer pictures.")
    ] = False,
) -> None:
    """Learn both words, generate the four examples, write the report."""
    check_target(OUT / "index.html")
    from tutorial_lib.report import report_shipped_concepts

    report_shipped_concepts(OUT, quick=quick)


@app.command(
    epilog="\b\nExample:\n  textual-inversion learn my-mug "
    "out/mug.safetensors --kind object"
)
def learn(
    images: ImagesArgument,
    target: WordFileArgument,
    kind: LearnableKindOption = None,
    recipe: RecipeOption = "both",
    steps: StepsOption = None,
    batch_size: BatchSizeOption = None,
) -> None:
    """Learn the word X from images, and save it.

    TUTORIAL_MODEL says which models. Stopped, it goes on where it was.
    """
    path = check_target(target)
    from tutorial_lib.inversion import learn_word
    from tutorial_lib.models import load_models
    from tutorial_lib.processes import is_main_process, start_processes
    from tutorial_lib.words import complete_name

    path = complete_name(path, "diffusers")
    start_processes(choose_device())
    checkpoint = path.with_suffix(".checkpoint")
    word = learn_word(
        load_models(),
        images,
        checkpoint=checkpoint,
        keep_stopped=False,
        kind=kind,
        recipe=recipe,
        steps=steps,
        batch_size=batch_size,
    )
    if is_main_process():
        word.save(path)
        checkpoint.unlink(missing_ok=True)
        print(f'"X" took {word.steps} steps to learn. It is in {path}')


@app.command(
    epilog="\b\nExample:\n  textual-inversion evaluate --kind pattern "
    "--seeds 1-10 --json out/rows.json"
)
def evaluate(
    kind: KindOption,
    seeds: SeedsOption,
    target: JsonOption,
    recipe: RecipeOption = "both",
) -> None:
    """Learn and judge a word for each of some unseen concepts."""
    numbers, path = read_seeds(seeds), check_target(target)
    from tutorial_lib.evaluation import evaluate_seeds, load_judges
    from tutorial_lib.files import write_json
    from tutorial_lib.models import load_models
    from tutorial_lib.processes import is_main_process, start_processes
    from tutorial_lib.report import format_evaluation

    start_processes(choose_device())
    words = path.with_suffix(".words")
    evaluation = evaluate_seeds(
        load_models("tiny"),
        load_judges(),
        kind=kind,
        seeds=numbers,
        recipe=recipe,
        checkpoints=words,
    )
    if not is_main_process():
        return
    write_json(path, evaluation.summarize())
    print(format_evaluation(evaluation))
    print(
        f"\n{evaluation.seconds_per_word:.1f} s a word. The rows are in "
        f"{path}, the words in {words}"
    )


@app.command(
    epilog="\b\nExample:\n  textual-inversion sweep --kind person "
    "--seeds 101-120 --json out/sweep-person.json"
)
def sweep(
    kind: KindOption,
    seeds: SeedsOption,
    target: JsonOption,
    recipe: SweptOption = None,
    merge: OthersOption = None,
) -> None:
    """Learn with more and fewer pictures, steps and vectors."""
    numbers, path = read_seeds(seeds), check_target(target)
    from tutorial_lib.evaluation import SWEEPS, load_judges, run_sweep
    from tutorial_lib.models import load_models
    from tutorial_lib.report import format_sweep

    points = run_sweep(
        load_models("tiny"),
        load_judges(),
        kind,
        numbers,
        path,
        recipes=[recipe] if recipe else list(SWEEPS),
        others=merge or (),
    )
    print(f"{format_sweep(points)}\n95 % intervals. The points are in {path}")


@app.command(
    epilog="\b\nExample:\n  textual-inversion compare --seeds 7 --json a.json"
)
def compare(seeds: SeedsOption, target: JsonOption) -> None:
    """Learn unseen patterns by X and by a LoRA; see what is forgotten."""
    numbers, path = read_seeds(seeds), check_target(target)
    from tutorial_lib.evaluation import load_judges, run_lora_comparison
    from tutorial_lib.models import load_models
    from tutorial_lib.report import format_lora_comparison

    tiny, judges = load_models("tiny"), load_judges()
    points = run_lora_comparison(tiny, judges, numbers, path)
    print(f"{format_lora_comparison(points)}\nThe points are in {path}")


@app.command(
    epilog="\b\nExample:\n  textual-inversion convert X.safetensors mymug.pt "
    "--form a1111"
)
def convert(
    source: SourceArgument,
    target: TargetFileArgument,
    form: FormOption = None,
    dtype: DtypeOption = "float32",
    word: WordOption = None,
) -> None:
    """Write a word's file anew, as another program reads it."""
    from tutorial_lib.words import FORMS, LearnedWord, pick_form

    learned = LearnedWord.load(source, word=word)
    if form is None and target.lower().endswith(".pt"):
        form = "a1111"
    used = pick_form(form, len(learned.tensors), learned.word)
    path = learned.save(target, used, dtype)
    widths = " and ".join(str(rows.shape[1]) for rows in learned.tensors)
    print(
        f'{path} holds "{learned.word}": {learned.num_vectors} x {widths} '
        f"numbers in {dtype}.\nFor {FORMS[used].programs}. {FORMS[used].use}"
    )


@app.command(epilog="\b\nExample:\n  textual-inversion notebooks 01 02")
def notebooks(
    numbers: Annotated[
        list[str] | None,
        typer.Argument(metavar="NN", help="As in 01; all by default."),
    ] = None,
) -> None:
    """Run notebooks and write them with their outputs."""
    from tutorial_lib.notebooks import run_notebooks

    run_notebooks(numbers or [])


@app.command(
    epilog="\b\nExample:\n  textual-inversion models --preset gpu --workers 14"
)
def models(
    stage: StageArgument = "all",
    device: DeviceOption = None,
    size: SizeOption = TrainingRun.size,
    pictures: PicturesOption = TrainingRun.num_images,
    judged: JudgedOption = TrainingRun.num_judge_images,
    drawn: DrawnOption = TrainingRun.num_captions,
    share: ShareOption = TrainingRun.share,
    preset: PresetOption = TrainingRun.preset,
    configs: ConfigsOption = TrainingRun.configs,
    work: WorkOption = None,
    target: TargetOption = TrainingRun.target,
    card: CardOption = None,
    workers: WorkersOption = TrainingRun.workers,
    tensorboard: TensorboardOption = False,
) -> None:
    """Train the tiny CLIP, Stable Diffusion and judges, or one stage."""
    from tutorial_lib.devices import read_device
    from tutorial_lib.training.stages import run_stages

    run_stages(
        stage,
        TrainingRun(
            size=size,
            num_images=pictures,
            num_judge_images=judged,
            num_captions=drawn,
            share=share,
            preset=preset,
            configs=configs,
            device=read_device(device),
            work=work,
            target=target,
            card=card,
            workers=workers,
            tensorboard=tensorboard,
        ),
    )


# --- the whole -------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code.

    A reader's mistake gets one sentence on stderr and the code 2. Any other
    error is a fault of the library, and keeps its traceback.
    """
    try:
        app(arguments)
    except TutorialError as error:
        print(f"\nError: {error}", file=sys.stderr)
        return 2
    except SystemExit as end:  # typer leaves by it, whatever happened
        if end.code == INTERRUPTED:
            print(
                "\nStopped; files written before are untouched.",
                file=sys.stderr,
            )
        return int(end.code or 0)
    return 0
