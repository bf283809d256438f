"""Two processes do what one does, with the same batches.

Each has half of the rows of every batch; gradients meet by gloo, on the
CPU. What differs is the order in which floats are added up.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from two_processes import TWO_PROCESSES

from tutorial_lib.training.checkpoints import read_checkpoint

ROOT = Path(__file__).resolve().parents[2]
# The share of weights that may be off by more than a tenth of a step. Of the
# decoder's gradients many are zero but for rounding (see training_of_two.py).
MAX_SHARES = {"clip.pt": 0.0, "unet.pt": 0.0, "decoder.pt": 1e-3}
SCRIPT = """
import pathlib, sys
import torch
sys.path.insert(0, "tests")
from training_of_two import train_all

torch.set_num_threads(1)
if __name__ == "__main__":
    train_all(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""


def start(script, launcher, shards, target):
    """Train CLIP, a U-Net and a decoder in one or several processes."""
    target.mkdir()
    result = subprocess.run(
        [sys.executable, *launcher, str(script), str(shards), str(target)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return {name: read_checkpoint(target / name) for name in NAMES}


NAMES = ("clip.pt", "unet.pt", "decoder.pt")


@pytest.fixture(scope="module")
def checkpoints(shards, tmp_path_factory):
    """Return what one process gives, and what two do."""
    folder = tmp_path_factory.mktemp("processes")
    script = folder / "train_all.py"
    script.write_text(SCRIPT, encoding="utf-8")
    return (
        start(script, [], shards, folder / "one"),
        start(script, TWO_PROCESSES, shards, folder / "two"),
    )


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_give_what_one_gives(checkpoints, name):
    one, two = (content[name] for content in checkpoints)
    assert one["step"] == two["step"] == 3
    tenth_of_a_step = one["config"]["lr"] / 10
    errors = [
        (weight.float() - two["model"][key].float()).abs().flatten()
        for key, weight in one["model"].items()
    ]
    is_off = torch.cat(errors) > tenth_of_a_step
    assert is_off.float().mean() <= MAX_SHARES[name]


@pytest.mark.parametrize("name", NAMES)
def test_their_losses_are_those_of_the_whole_batch(checkpoints, name):
    one, two = (content[name] for content in checkpoints)
    for key in ("losses", "held_out_losses"):
        (step, loss), (same_step, same_loss) = one[key][-1], two[key][-1]
        assert step == same_step == 3
        assert loss == pytest.approx(same_loss, rel=1e-4), key


@pytest.mark.parametrize("name", NAMES)
def test_their_gradients_are_those_of_the_whole_batch(checkpoints, name):
    one, two = (content[name]["optimizer"] for content in checkpoints)
    for number, state in one["state"].items():
        mean, same_mean = state["exp_avg"], two["state"][number]["exp_avg"]
        size = mean.abs().max()
        assert (mean - same_mean).abs().max() <= 1e-3 * size + 1e-7, number
