"""The training loop: seeded, resumable, the same in parts as at once."""

import dataclasses
import time

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from tutorial_lib.errors import CommandError
from tutorial_lib.training import acceleration, loop
from tutorial_lib.training.batches import BatchSource
from tutorial_lib.training.checkpoints import (
    load_trained,
    read_checkpoint,
    write_checkpoint,
)
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.loop import train
from tutorial_lib.training.optimization import lr_multiplier, make_optimizer
from tutorial_lib.training.steps import Step, make_step

CONFIG = PretrainingConfig(
    steps=12, batch_size=4, lr=0.05, warmup=2, save_every=5
)


class Stopped(Exception):
    """Stands for a kill at some step."""


class Numbers(Dataset):
    """The whole numbers, as far as they are asked for."""

    def __getitems__(self, indices):
        return {"x": torch.tensor(indices, dtype=torch.float32)[:, None]}


def draw_numbers(count, generator):
    """Sample numbers from 0 to 9."""
    return torch.randint(10, (count,), generator=generator).tolist()


NUMBERS = BatchSource(Numbers(), draw_numbers)


def fit_a_line(stop_at=None):
    """Return a loss that wants w = 3, and stops once at a step."""
    calls = {"left": stop_at}

    def compute_loss(model, batch, step):
        if calls["left"] is not None:
            calls["left"] -= 1
            if calls["left"] < 0:
                raise Stopped
        x = batch["x"] / 10 + step.randn(1)
        return (model(x) - 3 * x).square().mean()

    return compute_loss


def make_line():
    torch.manual_seed(0)
    return nn.Linear(1, 1)


def train_line(path, config=CONFIG, stop_at=None, **options):
    """Train a line on numbers."""
    return train(
        make_line(),
        config,
        fit_a_line(stop_at),
        path,
        "line",
        NUMBERS,
        **options,
    )


def same(first, second):
    return torch.equal(first.weight, second.weight) and torch.equal(
        first.bias, second.bias
    )


@pytest.mark.parametrize("step", [1, 5, 7, 11])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_a_run_killed_anywhere_ends_with_the_same_weights(tmp_path, step, ema):
    config = dataclasses.replace(CONFIG, ema=ema)
    whole = train_line(tmp_path / "whole.pt", config)
    path = tmp_path / "broken.pt"
    with pytest.raises(Stopped):
        train_line(path, config, stop_at=step)
    assert read_checkpoint(path)["step"] == step
    assert same(whole, train_line(path, config))


def test_training_lowers_the_loss_and_freezes_the_result(tmp_path):
    config = dataclasses.replace(CONFIG, steps=200)
    model = train_line(tmp_path / "a.pt", config)
    assert model.weight.item() == pytest.approx(3, abs=0.2)
    assert not any(p.requires_grad for p in model.parameters())
    content = read_checkpoint(tmp_path / "a.pt")
    steps, losses = zip(*content["losses"], strict=True)
    assert steps == tuple(range(20, 201, 20))
    assert losses[-1] < losses[0] / 10


def test_a_run_interrupted_after_its_last_step_is_finished(tmp_path):
    path = tmp_path / "a.pt"
    first = train_line(path)
    write_checkpoint(path, read_checkpoint(path) | {"finished": False})
    assert same(first, train_line(path, stop_at=0))
    assert same(first, load_trained(path, make_line(), "line"))


def test_a_finished_run_takes_no_further_step(tmp_path):
    first = train_line(tmp_path / "a.pt")
    assert same(first, train_line(tmp_path / "a.pt", stop_at=0))


def test_a_batch_in_parts_gives_what_it_gives_at_once(tmp_path):
    parts = dataclasses.replace(CONFIG, accumulation=2)
    whole = train_line(tmp_path / "whole.pt")
    in_parts = train_line(tmp_path / "parts.pt", parts)
    assert torch.allclose(whole.weight, in_parts.weight, atol=1e-5)
    assert torch.allclose(whole.bias, in_parts.bias, atol=1e-5)


def test_workers_load_the_same_batches(tmp_path):
    config = dataclasses.replace(CONFIG, workers=1)
    whole = train_line(tmp_path / "whole.pt")
    assert same(whole, train_line(tmp_path / "workers.pt", config))


def test_a_loss_may_sample_for_itself(tmp_path):
    def compute_loss(model, batch, step):
        assert batch is None
        x = torch.randn(4, 1, generator=step.generator)
        return (model(x) - 3 * x).square().mean()

    config = dataclasses.replace(CONFIG, steps=200)
    model = train(make_line(), config, compute_loss, tmp_path / "a.pt", "line")
    assert model.weight.item() == pytest.approx(3, abs=0.5)


def test_a_time_ends_a_training_as_well_and_is_gone_on_with(tmp_path):
    config = PretrainingConfig(seconds=0.4, batch_size=4, lr=0.05, warmup=2)
    seen = []

    def wait():
        time.sleep(0.02)
        seen.append(time.monotonic())

    path = tmp_path / "a.pt"
    train_line(path, config, on_step=wait)
    content = read_checkpoint(path)
    assert content["finished"] and content["seconds"] >= 0.4
    assert 2 <= content["step"] <= 25 and seen[-1] - seen[0] < 5
    with pytest.raises(Stopped):
        train_line(tmp_path / "b.pt", config, stop_at=3, on_step=wait)
    before = read_checkpoint(tmp_path / "b.pt")
    assert not before["finished"] and 0 < before["seconds"] < 0.4
    train_line(tmp_path / "b.pt", config, on_step=wait)
    assert read_checkpoint(tmp_path / "b.pt")["step"] > before["step"]


def test_held_out_losses_are_logged_and_change_nothing(tmp_path):
    config = dataclasses.replace(CONFIG, evaluate_every=4, ema=0.5)
    plain = train_line(tmp_path / "plain.pt", config)
    held_out = train_line(tmp_path / "held.pt", config, held_out=NUMBERS)
    assert same(plain, held_out)
    losses = read_checkpoint(tmp_path / "held.pt")["held_out_losses"]
    assert [step for step, _ in losses] == [4, 8, 12]
    assert losses[0][1] > losses[2][1] > 0


def test_noise_is_drawn_apart_from_what_holds_for_a_whole_batch():
    apart = torch.Generator().manual_seed(9)
    step = Step(torch.Generator().manual_seed(0), 4, slice(1, 3), 0.0, apart)
    wanted = torch.randn(4, 2, generator=torch.Generator().manual_seed(9))
    assert torch.equal(step.randn(2), wanted[1:3])
    untouched = torch.Generator().manual_seed(0).get_state()
    assert torch.equal(step.generator.get_state(), untouched)
    shared = make_step(CONFIG, (5, 0), 0.5, (0, 1), torch.device("cpu"))
    assert shared.noise_generator is None and shared.rows == slice(0, 4)


def test_a_compiled_model_keeps_its_names_and_learns_the_same(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(acceleration, "BACKEND", "aot_eager")
    plain = train_line(tmp_path / "plain.pt")
    config = dataclasses.replace(CONFIG, compile=True)
    compiled = train_line(tmp_path / "a.pt", config, held_out=NUMBERS)
    assert compiled._compiled_call_impl is not None
    assert torch.allclose(plain.weight, compiled.weight, atol=1e-6)
    names = [read_checkpoint(tmp_path / f"{n}.pt") for n in ("plain", "a")]
    assert list(names[0]["model"]) == list(names[1]["model"])
    # A run that was compiled may be gone on with uncompiled.
    assert same(compiled, train_line(tmp_path / "a.pt", stop_at=0))


def test_where_nothing_can_be_compiled_a_model_is_trained_as_it_is(
    tmp_path, monkeypatch
):
    def fail(*_, **__):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", fail)
    config = dataclasses.replace(CONFIG, compile=True)
    with pytest.warns(UserWarning, match="cannot compile here .RuntimeError"):
        model = train_line(tmp_path / "a.pt", config)
    assert same(model, train_line(tmp_path / "plain.pt"))


# --- checkpoints


def test_a_checkpoint_of_a_gpu_loads_on_a_cpu(tmp_path, monkeypatch):
    path = tmp_path / "a.pt"
    with monkeypatch.context() as patch:
        # Every tensor says of itself that it lies on a GPU.
        registry = list(torch.serialization._package_registry)
        patch.setattr(torch.serialization, "_package_registry", registry)
        torch.serialization.register_package(
            0, lambda storage: "cuda:0", lambda storage, place: None
        )
        first = train_line(path)
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.load(path, weights_only=True)
    assert same(first, load_trained(path, make_line(), "line"))
    assert same(first, train_line(path, stop_at=0))


@pytest.mark.parametrize("damage", [b"", b"no checkpoint", None])
def test_a_damaged_checkpoint_is_named_with_the_remedy(tmp_path, damage):
    path = tmp_path / "a.pt"
    train_line(path)
    content = path.read_bytes()
    path.write_bytes(
        content[: len(content) // 2] if damage is None else damage
    )
    with pytest.raises(CommandError, match=r"a\.pt' cannot be read.*delete"):
        train_line(path)


def test_an_older_checkpoint_is_refused(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"model": {}, "state": {"step": 3}}, path)
    with pytest.raises(CommandError, match="older version; delete it"):
        train_line(path)


@pytest.mark.parametrize(
    "change, name",
    [({"lr": 0.1}, "lr"), ({"steps": 20}, "steps"), ({"seed": 1}, "seed")],
)
def test_a_checkpoint_of_other_settings_is_refused(tmp_path, change, name):
    path = tmp_path / "a.pt"
    train_line(path)
    with pytest.raises(CommandError, match=f"made with `{name}` = "):
        train_line(path, dataclasses.replace(CONFIG, **change))
    harmless = dataclasses.replace(CONFIG, save_every=3, workers=1)
    train_line(path, harmless, stop_at=0)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    path = tmp_path / "a.pt"
    train_line(path)
    with pytest.raises(CommandError, match="a model of other sizes"):
        train(nn.Linear(2, 1), CONFIG, fit_a_line(), path, "line", NUMBERS)


def test_what_was_not_trained_to_its_end_is_not_used(tmp_path):
    path = tmp_path / "vae.pt"
    with pytest.raises(
        CommandError, match=r"not there; run .*models vae` first"
    ):
        load_trained(path, make_line(), "vae")
    with pytest.raises(Stopped):
        train_line(path, stop_at=3)
    with pytest.raises(
        CommandError, match=r"its end; run .*models vae` first"
    ):
        load_trained(path, make_line(), "vae")


def test_the_moving_average_is_what_is_used(tmp_path):
    config = dataclasses.replace(CONFIG, ema=0.9)
    path = tmp_path / "a.pt"
    used = train_line(path, config)
    content = read_checkpoint(path)
    average = content["ema"]["shadow_params"][0]
    assert torch.equal(used.weight, average)
    assert not torch.equal(content["model"]["weight"], average)
    assert same(used, load_trained(path, make_line(), "line"))


# --- the optimizer


def test_the_learning_rate_rises_holds_and_falls_to_nearly_nothing():
    config = PretrainingConfig(
        steps=1000, batch_size=1, lr=1.0, warmup=10, hold=0.4
    )
    shares = [lr_multiplier(config, s, s / 1000) for s in range(1000)]
    assert shares[0] == pytest.approx(0.1)
    assert all(s == pytest.approx(1) for s in shares[10:400])
    assert shares[999] < 0.011 and shares[500:] == sorted(
        shares[500:], reverse=True
    )


def test_weight_decay_never_touches_an_embedding_table():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 2))
    config = PretrainingConfig(steps=1, batch_size=1, lr=0.1, weight_decay=0.5)
    decayed, others = make_optimizer(model, config).param_groups
    assert [p.shape for p in decayed["params"]] == [(2, 3)]
    assert decayed["weight_decay"] == 0.5 and others["weight_decay"] == 0
    assert (5, 3) in [tuple(p.shape) for p in others["params"]]


@pytest.mark.parametrize("has_bfloat16", [True, False])
def test_a_cpu_computes_in_16_bits_only_where_it_can(
    monkeypatch, has_bfloat16
):
    monkeypatch.setattr(loop, "cpu_has_bfloat16", lambda: has_bfloat16)
    formats = []
    for precision in ("bf16", "no"):
        with loop.autocast("cpu", precision):
            formats.append((torch.ones(2, 2) @ torch.ones(2, 2)).dtype)
    first = torch.bfloat16 if has_bfloat16 else torch.float32
    assert formats == [first, torch.float32]


def test_half_precision_on_a_cpu_is_refused(tmp_path):
    config = dataclasses.replace(CONFIG, mixed_precision="fp16")
    with pytest.raises(CommandError, match='needs a GPU; choose "bf16"'):
        train_line(tmp_path / "a.pt", config)


def test_tensorboard_gets_its_files_or_says_what_is_missing(tmp_path):
    config = dataclasses.replace(CONFIG, tensorboard=True)
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        with pytest.raises(CommandError, match="package tensorboard"):
            train_line(tmp_path / "a.pt", config)
    else:
        train_line(tmp_path / "a.pt", config)
        assert list((tmp_path / "logs").rglob("events.out.*"))
