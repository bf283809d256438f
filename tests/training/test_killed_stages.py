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
from mini_training import write_small_run

from tutorial_lib.training.checkpoints import read_checkpoint

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("pictures", "vae", "clip", "unet", "decoder", "judges", "write")


def start(
    folder: Path, stages: tuple[str, ...] = STAGES, **settings
) -> subprocess.Popen:
    """Start, or go on with, a small run of four steps a model."""
    script = write_small_run(folder, **{"steps": 4} | settings)
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), "64", *stages],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(folder: Path, **options) -> float:
    """Let a small run come to its end; return the seconds it took."""
    began = time.perf_counter()
    process = start(folder, **options)
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


@pytest.mark.slow
def test_models_are_trained_while_images_are_rendered(tmp_path):
    finish(
        tmp_path,
        stages=("all",),
        steps=None,
        seconds=6.0,
        data_on_device=True,
    )
    assert len(digest_models(tmp_path)) > 10
    work = tmp_path / "work"
    for name in ("vae", "clip", "unet", "decoder", "judge-pattern"):
        content = read_checkpoint(work / f"{name}.pt")
        assert content["finished"] and content["seconds"] >= 6, name
    # More was rendered than was asked for, and encoded; of that, the images
    # are gone, but for the last, which the U-Net did not come to.
    latents = len(list((work / "latents" / "captioned").iterdir()))
    assert latents > 3
