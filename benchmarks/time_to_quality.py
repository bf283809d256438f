"""How soon a word is as good as one that diffusers' script learns.

    python benchmarks/time_to_quality.py --script textual_inversion.py

Both learn the same unseen pattern from the same pictures with the tiny
models. On the way their words are kept; then the judges look at images made
with each. Time is the processor's, of one thread, so that other programs on
the machine do not count. Stages may be run one by one (--stage).
"""

import argparse
import json
import time
from pathlib import Path
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
from tutorial_lib.inversion import TextualInversionTrainer, TrainingConfig
from tutorial_lib.words import Entry, LearnedWord
from tutorial_lib.world import new_concept

KIND = "pattern"
STAGES = ("ours", "theirs", "judge")
SAVE_EVERY = 25  # steps of the script
Snapshot = dict[str, Any]


def learn_ours(options: argparse.Namespace) -> list[Snapshot]:
    """Learn with the library's usual settings; keep the word on its way."""
    models = load_models("tiny", device="cpu")
    concept = render_training_images(KIND, options.seed, models.profile.size)
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


def learn_theirs(options: argparse.Namespace) -> list[Snapshot]:
    """Let the script learn; read the words that it saved on its way."""
    models = load_models("tiny", device="cpu")
    size, pipeline = models.profile.size, models.profile.pipeline
    images = render_training_images(KIND, options.seed, size).images
    folder = options.out / "theirs"
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


def pick_some(snapshots: list[Snapshot]) -> list[Snapshot]:
    """Return at most seven of the snapshots, evenly spread, with the last."""
    step = -(-len(snapshots) // 6)
    return snapshots[::-step][::-1]


def judge(options: argparse.Namespace) -> None:
    """Judge images made with some of the words that were kept."""
    models = load_models("tiny", device="cpu")
    judges = load_judges(device="cpu")
    builder = GalleryBuilder(judge=judges.of_kind(KIND), kind=KIND)
    truth = new_concept(KIND, options.seed)
    names = [n for n in STAGES[:2] if (options.out / f"{n}.json").exists()]
    for name in names:
        path = options.out / f"{name}.json"
        snapshots = json.loads(path.read_text(encoding="utf-8"))
        for snapshot in pick_some(snapshots):
            if "hits" in snapshot:
                continue
            word = LearnedWord("X", torch.tensor(snapshot["vectors"]))
            row = Row("x", "X", (word,), truth, str(options.seed))
            snapshot.update(judge_row(models, judges, builder, row))
            shown = {k: v for k, v in snapshot.items() if k != "vectors"}
            print(name, json.dumps(shown), flush=True)
            path.write_text(json.dumps(snapshots), encoding="utf-8")


def main() -> None:
    """Run the stages that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--stage", choices=STAGES, action="append")
    parser.add_argument("--seed", type=int, default=900_000)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--out", type=Path, default=Path("time_to_quality"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    stages = options.stage or STAGES
    for name, learn in (("ours", learn_ours), ("theirs", learn_theirs)):
        if name in stages:
            content = json.dumps(learn(options))
            path = options.out / f"{name}.json"
            path.write_text(content, encoding="utf-8")
    if "judge" in stages:
        judge(options)


if __name__ == "__main__":
    main()
