"""Breaking a learning run off and going on: records and checkpoint files.

A record is a copy of all that changes during a run; a checkpoint is a file
that holds one, kilobytes, with a text that says to which run it belongs.
"""

import copy
import hashlib
import json
from dataclasses import asdict

import torch

from tutorial_lib.models import fingerprint_models
from tutorial_lib.words import WordError, write_whole


def make_record(run):
    """Copy all that changes during a run; kilobytes."""
    return {
        "vectors": run.word.vectors.detach().cpu().clone(),
        "optimizer": copy.deepcopy(run.optimizer.state_dict()),
        "generator": run.generator.get_state(),
        "phase": run.phase,
        "step": run.step,
        "evaluations": list(run.evaluations),
        "history": list(run.history),
    }


def restore(run, record):
    """Set a run back to where it was when the record was made."""
    with torch.no_grad():
        run.word.vectors.copy_(record["vectors"])
    run.optimizer = torch.optim.Adam([run.word.vectors], weight_decay=0)
    run.optimizer.load_state_dict(record["optimizer"])
    run.generator.set_state(record["generator"])
    run.phase, run.step = record["phase"], record["step"]
    run.evaluations = list(record["evaluations"])
    run.history = list(record["history"])
    run.record = record


def name_run(run):
    """Return a text that two runs share only if they are the same run."""
    pictures = hashlib.sha256()
    for picture in run.pictures:
        pictures.update(repr(picture.size).encode() + picture.tobytes())
    start = run.word.vectors.detach().cpu().numpy().tobytes()
    settings = {
        **run.word.describe(),
        "models": fingerprint_models(run.models),
        "start": hashlib.sha256(start).hexdigest(),
        "phases": [asdict(phase) for phase in run.phases],
        "templates": run.templates,
        "seed": run.seed,
        "pictures": pictures.hexdigest(),
    }
    return json.dumps(settings, sort_keys=True)


def write_checkpoint(run):
    """Save a run's record to its checkpoint file, if it has one."""
    if run.checkpoint:
        with write_whole(run.checkpoint) as unfinished:
            torch.save({"run": run.name, **run.record}, unfinished)


def read_checkpoint(run):
    """Read a run's checkpoint; WordError if it is broken or another's."""
    path = run.checkpoint
    try:
        record = torch.load(path, map_location="cpu", weights_only=True)
        name = record.pop("run")
    except Exception as error:  # a broken file can raise nearly anything
        raise WordError(
            f"'{path}' is no checkpoint that can be read "
            f"({type(error).__name__}); delete it to begin anew, or name "
            "another file."
        ) from None
    if name != run.name:
        raise WordError(
            f"'{path}' is the checkpoint of another run (another word, "
            "other pictures, models or settings); delete it to begin anew, "
            "or name another file."
        )
    return record
