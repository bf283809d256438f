"""The training of the tiny models: seeded, resumable, and they do learn."""

import dataclasses
import random

import numpy as np
import pytest
import torch
from torch import nn

from tutorial_lib.errors import CommandError
from tutorial_lib.evaluation import CaptionedImages
from tutorial_lib.training import dataset, loop, stages
from tutorial_lib.training.clip import (
    GROUP_SIZE,
    group_lookalikes,
    sample_batch,
)
from tutorial_lib.training.dataset import (
    collect_labels,
    load_images,
    save_shard,
)
from tutorial_lib.training.loop import PretrainingConfig, train
from tutorial_lib.training.training_run import TrainingRun
from tutorial_lib.training.unet import make_unet
from tutorial_lib.training.vae import (
    compute_reconstruction_loss,
    make_vae,
    train_decoder,
)
from tutorial_lib.world import label_scene, sample_captioned_scene

CONFIG = PretrainingConfig(
    steps=12, batch_size=4, lr=0.05, warmup=2, save_every=5
)


class Stopped(Exception):
    """Stands for a kill at some step."""


def fit_a_line(stop_at=None):
    """Return a loss that wants w = 3, and stops once at a step."""
    calls = {"left": stop_at}

    def compute_loss(model, generator):
        if calls["left"] is not None:
            calls["left"] -= 1
            if calls["left"] < 0:
                raise Stopped
        x = torch.randn(4, 1, generator=generator)
        return (model(x) - 3 * x).square().mean()

    return compute_loss


def make_line():
    torch.manual_seed(0)
    return nn.Linear(1, 1)


@pytest.mark.parametrize("step", [1, 5, 7, 11])
def test_a_run_killed_anywhere_ends_with_the_same_weights(tmp_path, step):
    whole = train(
        make_line(), CONFIG, fit_a_line(), tmp_path / "whole.pt", "whole"
    )
    path = tmp_path / "broken.pt"
    with pytest.raises(Stopped):
        train(make_line(), CONFIG, fit_a_line(step), path, "broken")
    resumed = train(make_line(), CONFIG, fit_a_line(), path, "resumed")
    assert torch.equal(whole.weight, resumed.weight)
    assert torch.equal(whole.bias, resumed.bias)


def test_training_lowers_the_loss_and_freezes_the_result(tmp_path):
    config = PretrainingConfig(steps=200, batch_size=4, lr=0.05, warmup=2)
    model = train(make_line(), config, fit_a_line(), tmp_path / "a.pt", "line")
    assert model.weight.item() == pytest.approx(3, abs=0.2)
    assert not any(p.requires_grad for p in model.parameters())
    losses = torch.load(tmp_path / "a.pt", weights_only=True)
    losses = losses["state"]["losses"]
    assert len(losses) == 200 and losses[-1] < losses[0] / 10


def test_a_finished_run_takes_no_further_step(tmp_path):
    first = train(make_line(), CONFIG, fit_a_line(), tmp_path / "a.pt", "line")
    again = train(
        make_line(), CONFIG, fit_a_line(0), tmp_path / "a.pt", "line"
    )
    assert torch.equal(first.weight, again.weight)


def test_the_learning_rate_rises_holds_and_falls_to_nearly_nothing():
    config = PretrainingConfig(
        steps=1000, batch_size=1, lr=1.0, warmup=10, hold=0.4
    )
    shares = [loop.lr_multiplier(config, step) for step in range(1000)]
    assert shares[0] == pytest.approx(0.1)
    assert all(s == pytest.approx(1) for s in shares[10:400])
    assert shares[999] < 0.011 and shares[500:] == sorted(
        shares[500:], reverse=True
    )


def test_the_clock_ends_a_run_and_lowers_its_learning_rate(tmp_path):
    config = dataclasses.replace(
        CONFIG, steps=10**6, save_every=10**6, seconds=0.5
    )
    train(make_line(), config, fit_a_line(), tmp_path / "a.pt", "line")
    state = torch.load(tmp_path / "a.pt", weights_only=True)["state"]
    assert 10 < state["step"] == len(state["losses"]) < 10**6
    assert 0.4 < state["seconds"] < 0.5
    shares = [loop.lr_multiplier(config, 100, s / 10) for s in range(6)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1 and shares[-1] == pytest.approx(0.01)
    train(make_line(), config, fit_a_line(), tmp_path / "a.pt", "line")
    again = torch.load(tmp_path / "a.pt", weights_only=True)["state"]
    assert again["seconds"] < 0.51  # the time of before counts


def test_weight_decay_never_touches_an_embedding_table():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 2))
    config = PretrainingConfig(steps=1, batch_size=1, lr=0.1, weight_decay=0.5)
    decayed, others = loop.make_optimizer(model, config).param_groups
    assert [p.shape for p in decayed["params"]] == [(2, 3)]
    assert decayed["weight_decay"] == 0.5 and others["weight_decay"] == 0
    assert (5, 3) in [tuple(p.shape) for p in others["params"]]


def test_the_moving_average_follows_the_model():
    unet = make_unet(text_width=32)
    config = PretrainingConfig(steps=1, batch_size=1, lr=0.1, ema=0.5)
    ema_model = loop.make_ema_model(unet, config)
    with torch.no_grad():
        for parameter in unet.parameters():
            parameter.add_(1)
    loop.update_ema_model(ema_model, unet, config, step=100)
    gap = unet.conv_in.weight - ema_model.conv_in.weight
    assert torch.allclose(gap, torch.full_like(gap, 0.5), atol=1e-5)


@pytest.mark.parametrize("size", [64, 128])
def test_latents_have_sixteen_cells_a_side_at_every_size(size):
    vae = make_vae(size).eval()
    with torch.no_grad():
        latents = vae.encode(torch.zeros(1, 3, size, size)).latent_dist.mean
        assert latents.shape == (1, 4, 16, 16)
        assert vae.decode(latents).sample.shape == (1, 3, size, size)


def test_a_decoder_trained_on_leaves_the_latents_as_they_were(tmp_path):
    torch.manual_seed(0)
    vae = make_vae(64)
    pixels = np.zeros((8, 64, 64, 3), np.uint8)
    pixels[:, 16:48, 16:48] = [255, 0, 0]
    images = CaptionedImages(pixels, [""] * 8, [{}] * 8)
    batch = images.batch(torch.arange(2), "cpu")

    def encode_and_decode():
        with torch.no_grad():
            mode = vae.encode(batch).latent_dist.mode()
            error = (vae.decode(mode).sample - batch).square().mean()
        return mode, error.item()

    before = {k: v.clone() for k, v in vae.encoder.state_dict().items()}
    latents, error = encode_and_decode()
    config = PretrainingConfig(steps=12, batch_size=4, lr=2e-3, warmup=2)
    vae = train_decoder(vae, images, tmp_path / "decoder.pt", "cpu", config)
    same, less = encode_and_decode()
    assert torch.allclose(latents, same, atol=1e-5)
    after = vae.encoder.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert less < 0.7 * error


def test_blurring_an_image_counts_as_a_reconstruction_error():
    sharp = torch.zeros(1, 3, 8, 8)
    sharp[..., ::2] = 1
    flat = torch.full_like(sharp, 0.5)
    assert compute_reconstruction_loss(sharp, sharp) == 0
    assert (
        compute_reconstruction_loss(flat, sharp) > (flat - sharp).abs().mean()
    )


def test_half_of_a_batch_for_clip_looks_alike():
    colors = ["red", "blue", "green", "pink", "black"] * 200
    labels = [{"color": color, "motif": "stars"} for color in colors]
    groups = group_lookalikes(labels)
    assert sorted(map(len, groups)) == [200] * 5
    generator = torch.Generator().manual_seed(0)
    batch = sample_batch(groups, len(labels), 256, generator)
    assert batch.shape == (256,) and batch.max() < 1000
    for part in batch[:128].split(GROUP_SIZE):
        assert len({colors[i] for i in part.tolist()}) == 1
    assert len({colors[i] for i in batch[128:].tolist()}) == 5


def test_every_attribute_of_a_scene_has_a_label():
    rng = random.Random(0)
    scenes = [sample_captioned_scene(rng)[0] for _ in range(500)]
    labels = collect_labels([label_scene(scene) for scene in scenes])
    assert {"T-shirt", "corgi", "portrait"} <= set(labels["object"])
    assert set(labels["way"]) == {"scarf", "coat", "rug", "wall", "none"}
    assert len(labels["motif"]) == 12 and len(labels["style"]) == 4
    assert labels["shirt_motif"] == labels["motif"]


def test_half_of_the_portraits_wear_a_pattern_that_has_labels():
    rng = random.Random(1)
    scenes = [sample_captioned_scene(rng)[0] for _ in range(1000)]
    portraits = [scene for scene in scenes if scene.subject == "portrait"]
    worn = [scene for scene in portraits if scene.pattern]
    assert 0.4 < len(worn) / len(portraits) < 0.6
    for scene in portraits:
        label, pattern = label_scene(scene), scene.pattern
        assert label.get("shirt_color") == (pattern and pattern.color)
        assert "motif" not in label and label["hair"] == scene.person.hair


def test_a_shard_comes_back_as_it_was_written(tmp_path):
    pixels = [np.full((4, 4, 3), i, np.uint8) for i in range(3)]
    labels = [{"object": "mug"}] * 3
    save_shard(tmp_path / "0000.npz", pixels, ["a", "b", "c"], labels)
    read = load_images(tmp_path, 2)
    assert read.captions == ["a", "b"] and read.labels == labels[:2]
    assert read.pixels.tolist() == [p.tolist() for p in pixels[:2]]
    assert [p.name for p in tmp_path.iterdir()] == ["0000.npz"]


def test_held_out_images_are_rendered_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "SHARD_SIZE", 4)
    monkeypatch.setattr(stages, "NUM_HELD_OUT", 2)
    rendered = []

    def render_shards(folder, count, size, render_shard, workers, first):
        folder.mkdir(parents=True)
        for number in dataset.list_shards(count, first):
            rendered.append(number)
            pixels = [np.zeros((4, 4, 3), np.uint8)] * 4
            save_shard(
                folder / f"{number:04d}.npz", pixels, list("abcd"), [{}] * 4
            )

    monkeypatch.setattr(dataset, "render_shards", render_shards)
    run = TrainingRun(num_images=40, work=tmp_path)
    assert stages.load_held_out(run).captions == ["c", "d"]
    assert rendered == [9]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_images": 500}, "--pictures must be over 1,000"),
        ({"num_judge_images": 3071}, "--judged at least 3,072"),
        ({"size": 96}, "--size must be 64 or 128, not 96"),
    ],
)
def test_what_nothing_can_be_trained_on_gets_a_clear_error(
    options, message, tmp_path
):
    run = TrainingRun(work=tmp_path, **options)
    with pytest.raises(CommandError, match=message):
        stages.run_stages("all", run)
    assert not list(tmp_path.iterdir())


def test_a_rehearsal_takes_its_share_of_the_steps_but_at_least_two():
    config = PretrainingConfig(steps=1000, batch_size=1, lr=1.0)
    shortened = [
        stages.shorten(config, TrainingRun(step_share=share)).steps
        for share in (1.0, 0.25, 0.0001)
    ]
    assert shortened == [1000, 250, 2]


def test_each_size_has_a_work_folder_of_its_own(tmp_path):
    folders = {TrainingRun(size=size).work_folder for size in (64, 128)}
    assert {folder.name for folder in folders} == {"tiny64", "tiny128"}
    assert TrainingRun(work=tmp_path).work_folder == tmp_path
