"""A VAE for larger images keeps its latents and learns to be crisp."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from mini_training import SamePixels, keep_latents

from tutorial_lib.errors import CommandError
from tutorial_lib.training import dataset
from tutorial_lib.training.batches import name_shard
from tutorial_lib.training.checkpoints import read_checkpoint
from tutorial_lib.training.clip import make_clip
from tutorial_lib.training.config import read_config
from tutorial_lib.training.decoder import COLUMNS
from tutorial_lib.training.enlarging import enlarge_vae
from tutorial_lib.training.larger_vae import (
    compute_encoder_loss,
    halve,
    make_larger_vae,
    train_larger_vae,
)
from tutorial_lib.training.sampling import ImagePool, make_source
from tutorial_lib.training.stages import LARGER_VAE, run_stages
from tutorial_lib.training.training_run import TrainingRun

CONFIG = dataclasses.replace(
    read_config("larger-vae"), batch_size=4, warmup=2, steps=4
)


def test_a_larger_vae_takes_images_twice_as_large_and_keeps_its_shapes(
    small_vae,
):
    larger = make_larger_vae(small_vae)
    latents = larger.encode(torch.zeros(1, 3, 32, 32)).latent_dist.mean
    assert latents.shape == (1, 4, 4, 4)
    assert larger.decode(latents).sample.shape == (1, 3, 32, 32)
    assert larger.config.sample_size == 32
    assert larger.config.scaling_factor == 0.5


def test_a_larger_vae_starts_from_all_weights_that_fit(small_vae):
    mine, theirs = (
        make_larger_vae(small_vae).state_dict(),
        small_vae.state_dict(),
    )
    for new, old in (
        ("encoder.down_blocks.1.resnets.0.conv1.weight",) * 2,
        ("encoder.down_blocks.3.resnets.0.conv1.weight",) * 2,
        ("decoder.up_blocks.0.resnets.0.conv1.weight",) * 2,
    ):
        level = int(old.split(".")[2])
        if old.startswith("encoder"):
            old = old.replace(f"blocks.{level}", f"blocks.{level - 1}")
        assert torch.equal(mine[new], theirs[old])


def measure_encoder_error(larger, smaller):
    """Return how far the larger VAE's latents are off, on a new image."""
    images = torch.full((1, 3, 32, 32), -0.5)
    images[:, :, :, 10:] = 0.7
    with torch.no_grad():
        given = larger.encode(images).latent_dist
        wanted = smaller.encode(halve(images)).latent_dist
    return compute_encoder_loss(
        given.mean - wanted.mean, given.std - wanted.std
    ).item()


def test_the_encoder_learns_and_the_smaller_vae_stays(
    small_vae, edges, tmp_path
):
    before = {k: v.clone() for k, v in small_vae.state_dict().items()}
    torch.manual_seed(CONFIG.seed)
    untrained = make_larger_vae(small_vae)
    larger = train_larger_vae(
        small_vae,
        SamePixels(),
        keep_latents,
        make_source(ImagePool(edges, {"captioned": [0]}), COLUMNS),
        tmp_path / "larger.pt",
        dataclasses.replace(CONFIG, steps=40, ema=0.0),
    )
    after = small_vae.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    first, last = (
        measure_encoder_error(model, small_vae)
        for model in (untrained, larger)
    )
    assert last < 0.7 * first
    losses = read_checkpoint(tmp_path / "larger.pt")["losses"]
    assert losses[-1][0] == 40


def test_the_larger_vae_of_models_is_trained_and_loads(
    models, tmp_path, capsys
):
    size = 2 * models.pipeline.vae.config.sample_size
    shape = (4, size, size, 3)
    pixels = np.random.RandomState(0).randint(0, 255, shape, np.uint8)
    token_ids = models.pipeline.tokenizer(
        ["a shirt"] * 4, padding="max_length", return_tensors="pt"
    ).input_ids
    path = name_shard(tmp_path / "captioned", 0)
    path.parent.mkdir()
    dataset.save_shard(
        path, list(pixels), [""] * 4, [{}] * 4, {"token_ids": token_ids}
    )
    source = make_source(ImagePool(tmp_path, {"captioned": [0]}), COLUMNS)
    config = dataclasses.replace(CONFIG, batch_size=4, steps=2)
    given = dataclasses.replace(copy.deepcopy(models), clip=make_clip().clip)
    enlarge_vae(given, source, config, tmp_path / "vae")
    assert read_checkpoint(tmp_path / "vae.pt")["finished"]
    vae = AutoencoderKL.from_pretrained(tmp_path / "vae")
    assert vae.config.sample_size == size
    assert "larger VAE is in" in capsys.readouterr().out


def test_a_larger_vae_of_another_size_is_refused(tmp_path):
    run = TrainingRun(size=128, work=tmp_path, device="cpu")
    with pytest.raises(CommandError, match="ones of 256, not 128; give that"):
        run_stages(LARGER_VAE, run)  # the shipped models are that large
