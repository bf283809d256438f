"""Words and an evaluation that any number of processes can share.

As a program it is one of several processes: what it is given comes from one
file, and what it did goes into another.
"""

import contextlib
import io
import signal
import sys
import types

import torch
from mini_models import learn
from torch import distributed

from tutorial_lib import world
from tutorial_lib.errors import WordError
from tutorial_lib.evaluation import (
    AttributeJudge,
    EmbeddingJudge,
    Judges,
    evaluate_seeds,
    gallery,
)
from tutorial_lib.inversion import trainer
from tutorial_lib.models import load_models
from tutorial_lib.processes import (
    count_processes,
    get_process_index,
    share_out,
    start_processes,
)

SETTINGS = {
    "similarity": {"recipe": "similarity"},
    "even": {"recipe": "denoising"},
    "uneven": {"recipe": "denoising", "batch_size": 5, "num_vectors": 2},
    "in parts": {"recipe": "denoising", "micro_batch_size": 1},
    "both": {"evaluate_every": 2, "patience": 2, "min_delta": 0.5},
}
LABELS = {
    "object": [*world.CARRIERS, "corgi", "portrait"],
    "style": list(world.STYLES),
}
STOP_AFTER = 4  # steps


def evaluate(models, folder):
    """Evaluate three words, judged by networks that nobody trained."""
    torch.manual_seed(0)
    judges = Judges(
        pattern=EmbeddingJudge(32).eval(),
        person=EmbeddingJudge(32).eval(),
        attributes=AttributeJudge(32, LABELS).eval(),
    )
    gallery.NUM_LOOKALIKES = gallery.NUM_DISTRACTORS = 3
    return evaluate_seeds(
        models,
        judges,
        kind="person",
        seeds=[101, 102, 103],
        recipe="similarity",
        count=2,
        checkpoints=folder,
    )


# --- what only several processes do


def count_numbers_sent(models, images):
    """Return how many numbers each exchange of learning sends."""
    sizes, all_reduce = set(), distributed.all_reduce

    def record(tensor):
        sizes.add(tensor.numel())
        all_reduce(tensor)

    distributed.all_reduce = record
    learn(models, images, **SETTINGS["uneven"])
    distributed.all_reduce = all_reduce
    return sizes


def say_what_is_printed(models, images):
    """Return what is written to the terminal while a word is learned."""
    written = io.StringIO()
    with (
        contextlib.redirect_stdout(written),
        contextlib.redirect_stderr(written),
    ):
        learn(models, images, steps=3, progress=True)
    return written.getvalue()


def stop_one(models, images, checkpoint):
    """Press Ctrl-C in the second process alone; return the word."""
    check_finite, steps = trainer.check_finite, []

    def press(value, lr):
        steps.append(value)
        if len(steps) == STOP_AFTER and get_process_index() == 1:
            signal.raise_signal(signal.SIGINT)
        check_finite(value, lr)

    trainer.check_finite = press
    word = learn(models, images, checkpoint=checkpoint, **SETTINGS["even"])
    trainer.check_finite = check_finite
    return word


def read_refusal(models, images):
    """Return what is said of a batch that two processes cannot share."""
    try:
        learn(models, images, batch_size=1)
    except WordError as error:
        return str(error)


def be_one_of_two(models, images, folder):
    """Do all that two processes share, and return what came of it."""
    called = []
    alone = share_out(lambda i: (i, count_processes()), range(5))
    return types.SimpleNamespace(
        words={
            name: learn(models, images, callbacks=called.append, **settings)
            for name, settings in SETTINGS.items()
        },
        num_calls=len(called),
        evaluation=evaluate(models, folder / "words"),
        alone=alone,
        sizes=count_numbers_sent(models, images),
        printed=say_what_is_printed(models, images),
        stopped=stop_one(models, images, folder / "stopped.pt"),
        refusal=read_refusal(models, images),
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    start_processes("cpu")
    given = torch.load(sys.argv[1], weights_only=False)
    models = load_models(given.profile, device="cpu")
    done = be_one_of_two(models, given.images, given.folder)
    torch.save(done, given.folder / f"process {get_process_index()}.pt")
