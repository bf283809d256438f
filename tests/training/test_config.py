"""One config a model: what it may hold, and what a rehearsal makes of it."""

import pytest

from tutorial_lib.errors import CommandError
from tutorial_lib.training.config import (
    CONFIGS,
    PretrainingConfig,
    read_config,
)
from tutorial_lib.training.stages import LARGER_VAE

NAMES = sorted(path.stem for path in CONFIGS.glob("*.toml"))
PLAIN = "steps = 100\nbatch_size = 8\nlr = 1e-3\n"


@pytest.mark.parametrize("name", NAMES)
def test_every_model_has_a_config_of_steps_and_one_of_time(name):
    cpu, gpu = read_config(name), read_config(name, "gpu")
    assert cpu.steps and not cpu.seconds
    assert gpu.seconds and not gpu.steps
    assert gpu.loss_weights == cpu.loss_weights and gpu.betas == cpu.betas


def test_the_times_on_a_gpu_leave_a_minute_of_twelve():
    names = {*NAMES} - {LARGER_VAE}  # starts from models that are written
    assert sum(read_config(name, "gpu").seconds for name in names) <= 11 * 60


def test_a_rehearsal_takes_its_share_of_the_steps_but_at_least_two():
    config = PretrainingConfig(steps=1000, batch_size=1, lr=1.0, warmup=100)
    short = [config.shorten(share) for share in (1.0, 0.25, 0.0001)]
    assert [c.steps for c in short] == [1000, 250, 2]
    assert [c.warmup for c in short] == [100, 25, 1]
    timed = PretrainingConfig(seconds=100, batch_size=1, lr=1.0)
    assert timed.shorten(0.1).seconds == pytest.approx(10)


@pytest.mark.parametrize(
    "text, message",
    [
        (PLAIN + "speed = 3", "sets `speed`, which there is not"),
        (PLAIN + 'warmup = "long"', "`warmup` to 'long', .* no whole number"),
        (PLAIN + "betas = [0.9]", "`betas` .* list of two decimal numbers"),
        (PLAIN + "seconds = 3", "after `steps` or after `seconds`"),
        ("batch_size = 8\nlr = 1e-3", "after `steps` or after `seconds`"),
        ("steps = 100\nlr = 1e-3", "must set `batch_size` and `lr`"),
        (PLAIN + "accumulation = 3", "8 cannot be taken in .* 3 equal parts"),
        (PLAIN + 'mixed_precision = "int8"', '"no", "fp16" or "bf16"'),
        (PLAIN + "[loss_weights]\nkl = true\n", "no table of numbers"),
        ("steps 100", "cannot be read as TOML"),
    ],
)
def test_a_wrong_config_is_named_with_what_is_wrong(tmp_path, text, message):
    (tmp_path / "vae.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=message) as caught:
        read_config("vae", folder=tmp_path)
    assert "vae.toml" in str(caught.value)


def test_a_missing_config_or_preset_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"vae\.toml' is not there"):
        read_config("vae", folder=tmp_path)
    with pytest.raises(CommandError, match='"tpu"; choose cpu or gpu'):
        read_config("vae", "tpu")


def test_a_loss_without_a_weight_is_named():
    config = PretrainingConfig(
        steps=1, batch_size=1, lr=1.0, loss_weights={"kl": 0.1}
    )
    assert config.loss_weight("kl") == 0.1
    with pytest.raises(CommandError, match="no weight for `edges`"):
        config.loss_weight("edges")
