"""`make models`, killed again and again, ends as if undisturbed.

Slow, and so not part of `make test`: `pytest -m slow tests` runs it.
"""

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Everything is small: 80 images, 128 for the judges, four steps a model, a
# checkpoint after each. The stages themselves are those of `make models`.
SMALL_RUN = """
import dataclasses, pathlib, sys
import torch
from tutorial_lib.training import (
    clip,
    dataset,
    judge_images,
    judges,
    stages,
    unet,
    vae,
)

torch.set_num_threads(1)
dataset.SHARD_SIZE = 40
judge_images.GROUPS_PER_SHARD, judge_images.SHARD_SIZE = 1, 32
stages.NUM_HELD_OUT = 20
small = dict(steps=4, batch_size=16, warmup=2, save_every=1)
for module in (clip, vae, unet):
    module.CONFIG = dataclasses.replace(module.CONFIG, **small)
vae.DECODER_CONFIG = dataclasses.replace(vae.DECODER_CONFIG, **small)
for name, config in judges.CONFIGS.items():
    judges.CONFIGS[name] = dataclasses.replace(config, **small)

if __name__ == "__main__":  # processes that render images read this, too
    folder = pathlib.Path(sys.argv[1])
    run = stages.TrainingRun(
        num_images=80,
        num_judge_images=128,
        device="cpu",
        work=folder / "work",
        target=folder / "tiny",
    )
    for stage in stages.STAGES:
        if stage != "card":
            stages.run_stages(stage, run)
"""


def start(folder: Path) -> subprocess.Popen:
    """Start, or go on with, a small run."""
    folder.mkdir(exist_ok=True)
    script = folder / "small_run.py"
    script.write_text(SMALL_RUN, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(folder: Path) -> float:
    """Let a small run come to its end; return the seconds it took."""
    began = time.perf_counter()
    process = start(folder)
    _, errors = process.communicate()
    assert process.returncode == 0, errors.decode()[-2000:]
    return time.perf_counter() - began


def digest_models(folder: Path) -> dict[str, str]:
    """Return a digest of every file that was written."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted((folder / "tiny").rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
def test_three_kills_at_random_moments_change_nothing(tmp_path):
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    seconds = finish(calm)
    expected = digest_models(calm)
    assert len(expected) > 10
    seed = time.time_ns()
    print("seed", seed)
    rng = random.Random(seed)
    survived = 0
    for _ in range(3):
        process = start(killed)
        try:
            process.wait(timeout=rng.uniform(0.1, 0.6) * seconds)
            survived += 1
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert survived < 3, "no run was killed"
    finish(killed)
    assert digest_models(killed) == expected
