"""A VAE for larger images keeps its latents and learns to be crisp."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDPMScheduler

from tutorial_lib.errors import CommandError
from tutorial_lib.evaluation import measure_sharpness
from tutorial_lib.training.batches import name_shard
from tutorial_lib.training.clip import make_clip
from tutorial_lib.training.config import read_config
from tutorial_lib.training.dataset import save_shard
from tutorial_lib.training.discriminator import (
    PatchDiscriminator,
    compute_adversarial_weight,
    compute_discriminator_loss,
)
from tutorial_lib.training.enlarging import enlarge_vae
from tutorial_lib.training.larger_vae import (
    LargerVAETrainer,
    halve,
    make_larger_vae,
    make_source,
    train_larger_vae,
)
from tutorial_lib.training.partial_denoising import PartialDenoiser
from tutorial_lib.training.sampling import ImagePool
from tutorial_lib.training.stages import LARGER_VAE, run_stages
from tutorial_lib.training.training_run import TrainingRun

CONFIG = dataclasses.replace(
    read_config("larger-vae"), batch_size=2, warmup=2, steps=4
)


@pytest.fixture
def vae():
    """A small untrained VAE for images of 16 pixels, latents of 4 x 4."""
    torch.manual_seed(0)
    widths = (8, 8, 16)
    return AutoencoderKL(
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        norm_num_groups=4,
        sample_size=16,
        mid_block_add_attention=False,
        scaling_factor=0.5,
    )


class SamePixels(torch.nn.Module):
    """Stands for the perceptual loss where CLIP is not at hand."""

    def forward(self, decoded, images):
        return (decoded - images).square().mean()


@pytest.fixture
def images():
    """Two images with a sharp edge, at another place each."""
    images = torch.full((2, 3, 32, 32), -0.5)
    images[0, :, :, 11:] = 0.7
    images[1, :, 20:] = 0.7
    return images


def keep(latents, token_ids):
    """Soften nothing."""
    return latents


def make_trainer(vae, soften=keep):
    larger = make_larger_vae(vae).requires_grad_(True)
    return LargerVAETrainer(larger, vae, SamePixels(), CONFIG, soften)


def test_a_larger_vae_takes_images_twice_as_large_and_keeps_its_shapes(vae):
    larger = make_larger_vae(vae)
    latents = larger.encode(torch.zeros(1, 3, 32, 32)).latent_dist.mean
    assert latents.shape == (1, 4, 4, 4)
    assert larger.decode(latents).sample.shape == (1, 3, 32, 32)
    assert larger.config.sample_size == 32
    assert larger.config.scaling_factor == 0.5


def test_a_larger_vae_starts_from_all_weights_that_fit(vae):
    mine, theirs = make_larger_vae(vae).state_dict(), vae.state_dict()
    for new, old in (
        ("encoder.down_blocks.1.resnets.0.conv1.weight",) * 2,
        ("encoder.down_blocks.3.resnets.0.conv1.weight",) * 2,
        ("decoder.up_blocks.0.resnets.0.conv1.weight",) * 2,
    ):
        level = int(old.split(".")[2])
        if old.startswith("encoder"):
            old = old.replace(f"blocks.{level}", f"blocks.{level - 1}")
        assert torch.equal(mine[new], theirs[old])


def test_encoder_and_decoder_learn_and_the_smaller_vae_stays(vae, images):
    before = {k: v.clone() for k, v in vae.state_dict().items()}
    trainer = make_trainer(vae)
    rows = [
        trainer.take_step(images, torch.arange(2), progress=0.1)
        for _ in range(40)
    ]
    for name in ("encoder", "pixels", "edges"):
        assert rows[-1][name] < 0.8 * rows[0][name]
    assert "discriminator" not in rows[-1]
    after = vae.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_discriminator_joins_late_and_learns(vae, images):
    trainer = make_trainer(vae)
    rows = [
        trainer.take_step(images, torch.arange(2), progress=0.7)
        for _ in range(15)
    ]
    assert rows[-1]["discriminator"] < rows[0]["discriminator"]
    assert trainer.ramp(0.4) == 0 < trainer.ramp(0.5) < trainer.ramp(0.9)


def test_softened_latents_reach_the_decoder(vae, images):
    seen = []

    def soften(latents, token_ids):
        seen.append(token_ids.tolist())
        return torch.zeros_like(latents)

    trainer = make_trainer(vae, soften=soften)
    trainer.take_step(images, torch.tensor([5, 7]), progress=0.1)
    assert seen == [[5, 7]]


def test_a_discriminator_can_tell_noise_from_flat_images():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(width=8)
    optimizer = torch.optim.Adam(discriminator.parameters(), 2e-3)
    flat, noisy = torch.zeros(4, 3, 32, 32), torch.randn(4, 3, 32, 32)
    for _ in range(40):
        loss = compute_discriminator_loss(discriminator, flat, noisy)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.5
    assert discriminator(flat).mean() > discriminator(noisy).mean()


def test_the_adversarial_weight_balances_both_gradients():
    weight = torch.nn.Parameter(torch.tensor([2.0, -1.0]))
    first, second = (3 * weight).sum(), (weight * 0.5).sum()
    balance = compute_adversarial_weight(first, second, weight)
    assert balance.item() == pytest.approx(6, rel=1e-4)


def test_sharpness_is_one_for_the_same_and_less_for_softer_images(images):
    assert measure_sharpness(images, images) == pytest.approx(1)
    soft = torch.nn.functional.interpolate(
        halve(images), scale_factor=2, mode="bicubic"
    )
    assert measure_sharpness(soft, images) < 0.6


def test_a_training_reads_shards_and_ends_after_its_steps(vae, tmp_path):
    pixels = [np.full((32, 32, 3), 9 * i, np.uint8) for i in range(6)]
    token_ids = {"token_ids": torch.arange(6)[:, None]}
    path = name_shard(tmp_path / "captioned", 0)
    path.parent.mkdir()
    save_shard(path, pixels, [""] * 6, [{}] * 6, token_ids)
    seen = []

    def soften(latents, token_ids):
        seen.append(token_ids.flatten().tolist())
        return latents

    trainer = make_trainer(vae, soften)
    source = make_source(ImagePool(tmp_path, {"captioned": [0]}))
    progresses = []
    trained = train_larger_vae(
        trainer, source, lambda progress, losses: progresses.append(progress)
    )
    assert progresses == [0, 0.25, 0.5, 0.75]
    assert [len(row) for row in seen] == [2] * 4 and max(max(seen)) < 6
    assert trained is trainer.ema_vae and trainer.step == 4


class Encoder:
    """Stands for a text encoder: counts what it is asked for."""

    def __call__(self, token_ids):
        return (torch.zeros(len(token_ids), 1, 1),)


def test_denoising_again_with_the_true_noise_gives_the_latents_back():
    """A U-Net that knows the noise is an oracle: nothing may change."""
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(3, 4, 4, 4, generator=generator)
    scheduler = DDPMScheduler()
    asked = []

    class Oracle:
        """Computes the noise from the latents that it knows."""

        def __call__(self, noisy, timesteps, prompt_embeds):
            asked.append(len(noisy))
            alpha = scheduler.alphas_cumprod[timesteps][:, None, None, None]
            known = 2 * latents[: len(noisy)]
            noise = (noisy - alpha**0.5 * known) / (1 - alpha) ** 0.5
            return type("Output", (), {"sample": noise})

    denoiser = PartialDenoiser(
        Oracle(), Encoder(), scheduler, scaling_factor=2, share=2 / 3
    )
    again = denoiser(latents, torch.zeros(3, 1, dtype=torch.long))
    assert torch.allclose(again, latents, atol=1e-4)
    assert asked == [2, 2, 2]


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
    save_shard(
        path, list(pixels), [""] * 4, [{}] * 4, {"token_ids": token_ids}
    )
    source = make_source(ImagePool(tmp_path, {"captioned": [0]}))
    config = dataclasses.replace(CONFIG, batch_size=4, steps=2)
    given = dataclasses.replace(copy.deepcopy(models), clip=make_clip().clip)
    enlarge_vae(given, source, config, tmp_path / "vae")
    vae = AutoencoderKL.from_pretrained(tmp_path / "vae")
    assert vae.config.sample_size == size
    assert "larger VAE is in" in capsys.readouterr().out


def test_a_larger_vae_of_another_size_is_refused(tmp_path):
    run = TrainingRun(size=128, work=tmp_path, device="cpu")
    with pytest.raises(CommandError, match="ones of 256, not 128; give that"):
        run_stages(LARGER_VAE, run)  # the shipped models are that large
