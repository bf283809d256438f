"""The judges learn: from shards as they appear, softened and decoded."""

import contextlib
import dataclasses
import random

import pytest
import torch
from torch.nn import functional

from tutorial_lib import world
from tutorial_lib.evaluation import load_judges, save_judges
from tutorial_lib.evaluation.judges import stack_images
from tutorial_lib.training import judge_images, judges
from tutorial_lib.training.checkpoints import read_checkpoint
from tutorial_lib.training.config import read_config
from tutorial_lib.training.judge_concepts import GROUP_SIZE
from tutorial_lib.training.judge_images import (
    LABELS,
    VIEWS,
    render_judge_shard,
    shard_path,
)
from tutorial_lib.training.judge_pool import JudgePool, cut_part, decode_again
from tutorial_lib.training.judge_softening import shift_colors, soften
from tutorial_lib.training.judges import (
    COLOR_COLUMNS,
    POOLING,
    SECOND_COLUMNS,
    compute_label_loss,
    compute_number_loss,
    compute_prototype_loss,
    measure_numbers,
)
from tutorial_lib.training.vae import make_vae
from tutorial_lib.world import NUMBERS, PARTS

CONFIGS = {name: read_config(f"judge-{name}") for name in POOLING}
SIZE = 16
SHARD = VIEWS * GROUP_SIZE


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Make shards of one group; compute in float32, faster on any CPU."""
    monkeypatch.setattr(judge_images, "GROUPS_PER_SHARD", 1)
    monkeypatch.setattr(judge_images, "SHARD_SIZE", SHARD)
    monkeypatch.setattr(
        judges, "autocast", lambda *_: contextlib.nullcontext()
    )


def render(folder, *numbers):
    """Render shards, of 32 images each."""
    for number in numbers:
        render_judge_shard(shard_path(folder, number), number, SIZE)


@pytest.fixture
def pool(tmp_path):
    """Return a pool with one shard of each content."""
    render(tmp_path / "shards", 0, 1, 2, 3)
    return JudgePool(tmp_path / "shards", 4 * SHARD, SIZE, "cpu")


def test_a_pool_reads_shards_in_order_as_far_as_there_is_room(tmp_path):
    render(tmp_path, 4, 3, 0)
    pool = JudgePool(tmp_path, 2 * SHARD, SIZE, "cpu")
    assert pool.count == 2 * SHARD  # a third one has no room
    assert [len(table) for table in pool.groups["person"]] == [1]
    indices = pool.groups["person"][0].flatten()
    assert indices.tolist() == list(range(SHARD, 2 * SHARD))


def test_a_damaged_shard_is_an_error(tmp_path):
    shard_path(tmp_path, 0).write_bytes(b"no safetensors")
    with pytest.raises(Exception, match="eader"):
        JudgePool(tmp_path, SHARD, SIZE, "cpu")


def test_a_share_of_the_images_is_decoded_again(tmp_path):
    render(tmp_path, 0)
    torch.manual_seed(0)
    vae = make_vae(64).eval().requires_grad_(False)
    pools = [
        JudgePool(tmp_path, SHARD, SIZE, "cpu", vae, share)
        for share in (0.0, 0.25, 0.25)
    ]
    plain, decoded, again = (pool.pixels for pool in pools)
    changed = (plain != decoded).flatten(1).any(1)
    assert changed.sum() == SHARD / 4
    assert torch.equal(decoded, again)


def test_a_perfect_vae_decodes_what_it_was_given():
    class Posterior:
        def __init__(self, mean):
            self.mean, self.std = mean, torch.zeros_like(mean)

    class VAE:
        dtype = torch.float32

        def encode(self, x):
            half = functional.avg_pool2d(x, 2)
            return type("Encoded", (), {"latent_dist": Posterior(half)})

        def decode(self, x):
            large = functional.interpolate(x, scale_factor=2)
            return type("Decoded", (), {"sample": large})

    ramp = torch.linspace(0, 255, 8).repeat_interleave(2)
    pixels = ramp.round().byte()[None, :, None, None].expand(40, 16, 16, 3)
    generator = torch.Generator().manual_seed(0)
    decoded = decode_again(VAE(), pixels.contiguous(), generator)
    error = (decoded.float() - pixels.float()).abs().flatten(1).mean(1)
    assert decoded.shape == pixels.shape and decoded.dtype == torch.uint8
    assert 0.1 < error.mean() < 12 and error.min() < error.max() / 3


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_cut_out_as_a_gallery_cuts_it(part):
    pair = [world.new_concept(kind, 1) for kind in ("person", "pattern")]
    scene = world.person_scene(pair[0], random.Random(1), "photo", pair[1])
    image = world.render_scene(scene, 128)
    cut = cut_part(stack_images([image], 128), part)
    theirs = stack_images(world.cut_part([image], part), 128)
    assert cut.shape == theirs.shape
    assert (cut - theirs).abs().mean() < 0.02


def test_softened_images_still_show_what_they_did():
    generator = torch.Generator().manual_seed(0)
    batch = torch.rand(32, 3, 64, 64, generator=generator).round() * 2 - 1
    batch = functional.avg_pool2d(batch, 9, 1, 4)
    softened = soften(batch, generator)
    error = (softened - batch).abs().mean((1, 2, 3))
    assert (error == 0).sum() == 8  # a quarter stays crisp
    assert 0 < error.max() < 0.2
    shifted = shift_colors(batch, generator) - batch
    assert 0.01 < shifted.mean((2, 3)).abs().mean() < 0.05


def test_each_image_must_find_the_mean_of_its_concept_s_others():
    apart = torch.eye(4)[:, None].expand(4, 3, 4)
    assert compute_prototype_loss(apart) < 1e-6
    alike = torch.ones(4, 3, 4)
    assert compute_prototype_loss(alike) == pytest.approx(
        torch.tensor(4.0).log()
    )
    moved = apart.clone()
    moved[0, 0] = moved[1, 0]
    assert compute_prototype_loss(moved) > 1


def test_a_number_that_cannot_be_read_and_the_order_of_colours_are_free():
    targets = torch.full((2, len(NUMBERS)), torch.nan)
    targets[:, COLOR_COLUMNS], targets[:, SECOND_COLUMNS] = 1.0, -1.0
    predicted = torch.full_like(targets, 7.0, requires_grad=True)
    swapped = predicted.detach().clone()
    swapped[:, COLOR_COLUMNS], swapped[:, SECOND_COLUMNS] = -1.0, 1.0
    plain, mixed = torch.tensor([True, True]), torch.tensor([False, True])
    assert compute_number_loss(swapped, targets, plain) == 0
    assert compute_number_loss(swapped, targets, mixed) == 1
    compute_number_loss(predicted, targets, plain).backward()
    assert (predicted.grad != 0).sum() == 12


def test_an_attribute_that_no_image_has_counts_nothing():
    logits = {
        name: torch.zeros(2, len(known)) for name, known in LABELS.items()
    }
    labels = torch.full((2, len(LABELS)), judge_images.NO_LABEL)
    assert compute_label_loss(logits, labels) == 0
    labels[0, 0] = 1
    expected = torch.tensor(float(len(LABELS["background"]))).log()
    assert compute_label_loss(logits, labels) * len(LABELS) == pytest.approx(
        expected
    )


def test_numbers_are_scaled_by_what_is_known_of_them():
    numbers = torch.full((4, len(NUMBERS)), torch.nan)
    numbers[:2, 0] = torch.tensor([1.0, 3.0])
    numbers[:, COLOR_COLUMNS[0]] = torch.tensor([10.0, 30.0, 10.0, 30.0])
    scales = measure_numbers(numbers)
    assert list(scales) == list(NUMBERS)
    assert scales["log_period"] == [2.0, 1.0]
    assert scales["color_lightness"] == scales["second_lightness"] == [20, 10]


def test_the_judges_learn_are_written_and_come_back(pool, tmp_path):
    configs = {
        name: dataclasses.replace(config, steps=60, batch_size=32, warmup=5)
        for name, config in CONFIGS.items()
    }
    trained = judges.train_judges(pool, tmp_path, configs)
    for name in configs:
        content = read_checkpoint(tmp_path / f"judge-{name}.pt")
        losses = [loss for _, loss in content["losses"]]  # of 20 steps each
        assert losses[-1] < 0.9 * losses[0], name
    save_judges(trained, tmp_path / "judges")
    loaded = load_judges(tmp_path / "judges")
    assert list(loaded.attributes.numbers) == list(NUMBERS)
    assert loaded.attributes.labels == LABELS
    x = torch.randn(2, 3, SIZE, SIZE)
    stored, features = (j.attributes.trunk(x) for j in (loaded, trained))
    error = (stored - features).norm() / features.norm()  # of int8
    assert error < 0.005
