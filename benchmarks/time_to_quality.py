"""How soon a word is as good as one that diffusers' script learns.

    python benchmarks/time_to_quality.py --script textual_inversion.py

Both learn the same unseen patterns from the same pictures with the tiny
models. On the way their words are kept; then the judges look at images made
with each. The table says when each was first as good as the script at its
best. Time is the processor's, of one thread, so that other programs on the
machine do not count. Stages may be run one by one (--stage); what is there
already in --out is not learned again.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import peer_script
import torch
from safetensors.torch import load_file

from tutorial_lib import load_models
from tutorial_lib.evaluation.gallery import GalleryBuilder
from tutorial_lib.evaluation.judges import load_judges
from tutorial_lib.evaluation.rows import Row
from tutorial_lib.evaluation.sweep_points import judge_row
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.files import write_json
from tutorial_lib.inversion import TextualInversionTrainer, TrainingConfig
from tutorial_lib.words import Entry, LearnedWord
from tutorial_lib.world import new_concept

KIND = "pattern"
STAGES = ("ours", "theirs", "judge", "compare")
MEASURES = ("hits", "cosine")
SAVE_EVERY = 25  # steps of the script
Snapshot = dict[str, Any]


def learn_ours(options: argparse.Namespace, seed: int) -> list[Snapshot]:
    """Learn with the library's usual settings; keep the word on its way."""
    models = load_models("tiny", device="cpu")
    concept = render_training_images(KIND, seed, models.profile.size)
    snapshots: list[Snapshot] = []
    began = time.process_time()

    def keep(entry: Entry) -> None:
        """Keep the vectors that were evaluated, with the time so far."""
        if entry["vectors"] is not None:
            snapshots.append(
                {
                    "step": entry["step"],
                    "seconds": round(time.process_time() - began, 2),
                    "vectors": entry["vectors"].tolist(),
                }
            )

    trainer = TextualInversionTrainer(
        models,
        concept,
        TrainingConfig(kind=KIND, batch_size=options.batch_size),
        callbacks=keep,
        progress=False,
    )
    trainer.fit()
    return snapshots


def learn_theirs(options: argparse.Namespace, seed: int) -> list[Snapshot]:
    """Let the script learn; read the words that it saved on its way."""
    models = load_models("tiny", device="cpu")
    size, pipeline = models.profile.size, models.profile.pipeline
    images = render_training_images(KIND, seed, size).images
    folder = options.out / str(seed) / "theirs"
    pictures = peer_script.write_pictures(folder, images, size)
    peer_script.StampingBar.clock = time.process_time
    script = peer_script.load_script(options.script)
    began = time.process_time()
    stamps = peer_script.run_script(
        script,
        {
            "pretrained_model_name_or_path": pipeline,
            "train_data_dir": pictures,
            "output_dir": folder / "output",
            "learnable_property": "style",
            "resolution": size,
            "train_batch_size": options.batch_size,
            "max_train_steps": options.steps,
            "learning_rate": options.lr,
            "lr_warmup_steps": 0,
            "save_steps": SAVE_EVERY,
            "checkpointing_steps": 10 * options.steps,
        },
    )
    snapshots = []
    for step in range(SAVE_EVERY, options.steps + 1, SAVE_EVERY):
        name = f"learned_embeds-steps-{step}.safetensors"
        (vectors,) = load_file(folder / "output" / name).values()
        seconds = round(stamps[step - 1] - began, 2)
        snapshots.append(
            {"step": step, "seconds": seconds, "vectors": vectors.tolist()}
        )
    return snapshots


def read_snapshots(path: Path) -> list[Snapshot]:
    """Return the snapshots of a file."""
    snapshots: list[Snapshot] = json.loads(path.read_text(encoding="utf-8"))
    return snapshots


# --- how good they are -----------------------------------------------------


def pick_some(snapshots: list[Snapshot]) -> list[Snapshot]:
    """Return at most ten of the snapshots, evenly spread, with the last."""
    step = -(-len(snapshots) // 10)
    return snapshots[::-step][::-1]


def judge(options: argparse.Namespace, seed: int) -> None:
    """Judge images made with some of the words that were kept."""
    models = load_models("tiny", device="cpu")
    judges = load_judges(device="cpu")
    builder = GalleryBuilder(judge=judges.of_kind(KIND), kind=KIND)
    truth = new_concept(KIND, seed)
    for name in ("ours", "theirs"):
        path = options.out / str(seed) / f"{name}.json"
        snapshots = read_snapshots(path)
        for snapshot in pick_some(snapshots):
            if "hits" in snapshot:
                continue
            word = LearnedWord("X", torch.tensor(snapshot["vectors"]))
            row = Row("x", "X", (word,), truth, str(seed))
            snapshot.update(judge_row(models, judges, builder, row))
            shown = {k: v for k, v in snapshot.items() if k != "vectors"}
            print(seed, name, json.dumps(shown), flush=True)
            write_json(path, snapshots)


def find_time(
    snapshots: list[Snapshot], measure: str, level: float
) -> float | None:
    """Return the seconds until a level was first reached; None if never."""
    for snapshot in snapshots:
        if snapshot.get(measure, -1) >= level:
            seconds: float = snapshot["seconds"]
            return seconds
    return None


def compare(options: argparse.Namespace) -> None:
    """Print when each was as good as the script at its best."""
    for measure in MEASURES:
        ratios = []
        for seed in options.seeds:
            folder = options.out / str(seed)
            ours = read_snapshots(folder / "ours.json")
            theirs = read_snapshots(folder / "theirs.json")
            level = max(entry.get(measure, -1) for entry in theirs)
            sooner = find_time(ours, measure, level)
            later = find_time(theirs, measure, level)
            print(f"{measure} {seed}: {level:.3g} after {later} s", end=", ")
            print(f"ours after {sooner} s" if sooner else "ours never")
            if level > 0 and sooner and later:  # else it learned nothing
                ratios.append(later / sooner)
        if ratios:
            print(
                f"{measure}: as good on {len(ratios)} of "
                f"{len(options.seeds)}, there {geometric_mean(ratios):.1f} "
                "times as soon (geometric mean)"
            )


def main() -> None:
    """Run the stages that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--stage", choices=STAGES, action="append")
    parser.add_argument("--seeds", type=int, nargs="+", default=[900_000])
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--out", type=Path, default=Path("time_to_quality"))
    options = parser.parse_args()
    stages = options.stage or STAGES
    learners = {"ours": learn_ours, "theirs": learn_theirs}
    for seed in options.seeds:
        for name, learn_one in learners.items():
            path = options.out / str(seed) / f"{name}.json"
            if name in stages and not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_json(path, learn_one(options, seed))
        if "judge" in stages:
            judge(options, seed)
    if "compare" in stages:
        compare(options)


if __name__ == "__main__":
    main()
