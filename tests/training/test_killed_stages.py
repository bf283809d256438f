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

ROOT = Path(__file__).resolve().parents[1]
# Everything is small: 80 pictures, four steps a model, a checkpoint after
# each. The stages themselves are those of `make models`.
SMALL_RUN = """
import argparse, dataclasses, sys
import torch
from tutorial_lib.tiny import clip, commands, judges, pictures, unet, vae

torch.set_num_threads(1)
pictures.SHARD = commands.SHARD = 40
commands.HELD_OUT = 20
small = dict(steps=4, batch_size=16, warmup=2, save_every=1)
for module in (clip, vae, unet):
    module.PLAN = dataclasses.replace(module.PLAN, **small)
vae.DECODER_PLAN = dataclasses.replace(vae.DECODER_PLAN, **small)
for name, plan in judges.PLANS.items():
    judges.PLANS[name] = dataclasses.replace(plan, **small)

if __name__ == "__main__":  # processes that draw pictures read this, too
    parser = argparse.ArgumentParser()
    commands.add_arguments(parser)
    for stage in commands.STAGES[:-1]:
        commands.run(parser.parse_args([
            stage, "--device", "cpu", "--pictures", "80", "--judged", "80",
            "--work", sys.argv[1] + "/work",
            "--target", sys.argv[1] + "/tiny",
        ]))
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
