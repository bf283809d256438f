"""The decoder learns to be crisp, beside a discriminator that joins late."""

import dataclasses

import pytest
import torch
from diffusers import DDPMScheduler
from mini_training import SamePixels, keep_latents

from tutorial_lib.evaluation import measure_sharpness
from tutorial_lib.training.checkpoints import load_trained, read_checkpoint
from tutorial_lib.training.config import read_config
from tutorial_lib.training.decoder import COLUMNS, train_decoder
from tutorial_lib.training.decoder_losses import AdversarialVAE, DecoderLoss
from tutorial_lib.training.discriminator import (
    PatchDiscriminator,
    compute_adversarial_weight,
    compute_discriminator_loss,
)
from tutorial_lib.training.larger_vae import halve, make_larger_vae
from tutorial_lib.training.optimization import make_optimizer, split_parameters
from tutorial_lib.training.partial_denoising import PartialDenoiser
from tutorial_lib.training.sampling import ImagePool, make_source
from tutorial_lib.training.steps import Step

CONFIG = dataclasses.replace(
    read_config("decoder"), batch_size=4, warmup=2, steps=6, wearers=0.0
)


class Stopped(Exception):
    """Stands for a kill at some step."""


@pytest.fixture
def images():
    """Two images with a sharp edge, at another place each."""
    images = torch.full((2, 3, 32, 32), -0.5)
    images[0, :, :, 11:] = 0.7
    images[1, :, 20:] = 0.7
    return images


def train(vae, folder, name, stop_at=None, soften=keep_latents, **changes):
    """Train the decoder of a copy of a VAE; return the copy."""
    calls = []

    def count(latents, token_ids, step):
        calls.append(token_ids)
        if len(calls) - 1 == stop_at:
            raise Stopped
        return soften(latents, token_ids, step)

    copy = type(vae).from_config(vae.config)
    copy.load_state_dict(vae.state_dict())
    return train_decoder(
        copy,
        SamePixels(),
        count,
        make_source(ImagePool(folder, {"captioned": [0]}), COLUMNS),
        folder / f"{name}.pt",
        dataclasses.replace(CONFIG, **changes),
    )


@pytest.fixture
def vae(small_vae):
    """A small VAE for images of 32 pixels."""
    return make_larger_vae(small_vae)


@pytest.mark.parametrize("stop_at", [2, 4])
def test_a_killed_training_ends_with_the_same_weights(vae, edges, stop_at):
    whole = train(vae, edges, "whole")
    with pytest.raises(Stopped):
        train(vae, edges, "broken", stop_at)
    assert read_checkpoint(edges / "broken.pt")["step"] == stop_at
    resumed = train(vae, edges, "broken")
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name
    contents = [
        read_checkpoint(edges / f"{n}.pt") for n in ("whole", "broken")
    ]
    for name, weight in contents[0]["model"].items():
        assert torch.equal(weight, contents[1]["model"][name]), name


def test_the_decoder_and_the_discriminator_learn_and_latents_stay(vae, edges):
    trained = train(vae, edges, "a", ema=0.0)
    for name, weight in trained.state_dict().items():
        is_decoder = name.startswith(("decoder.", "post_quant_conv."))
        assert torch.equal(vae.state_dict()[name], weight) != is_decoder, name
    torch.manual_seed(CONFIG.seed)
    untrained = PatchDiscriminator().state_dict()
    content = read_checkpoint(edges / "a.pt")["model"]
    name = "layers.0.parametrizations.weight.original"
    assert not torch.equal(untrained[name], content[f"discriminator.{name}"])
    model = AdversarialVAE(make_larger_vae(vae))
    with pytest.raises(Exception, match="other sizes"):
        load_trained(edges / "a.pt", model, "decoder")


def test_the_reconstruction_gets_better(vae, edges):
    def measure(model):
        images = torch.full((1, 3, 32, 32), -0.5)
        images[:, :, :, 10:] = 0.7
        with torch.no_grad():
            latents = model.encode(images).latent_dist.mean
            return (model.decode(latents).sample - images).abs().mean().item()

    trained = train(vae, edges, "a", steps=40, ema=0.0)
    assert measure(trained) < 0.6 * measure(vae)


def test_the_decoder_sees_softened_latents_of_its_own_captions(vae, edges):
    seen = []

    def soften(latents, token_ids, step):
        seen.append((token_ids.flatten().tolist(), step.rows))
        return torch.zeros_like(latents)

    train(vae, edges, "a", soften=soften, steps=2)
    assert [len(ids) for ids, _ in seen] == [4, 4]
    assert all(rows == slice(0, 4) for _, rows in seen)
    assert {number for ids, _ in seen for number in ids} <= set(range(8))


# --- the losses


@pytest.fixture
def model(vae):
    torch.manual_seed(1)
    return AdversarialVAE(vae.requires_grad_(True))


def compute_gradients(model, images, progress):
    """Take the gradients of the whole loss of decoding flat latents."""
    latents = torch.zeros(len(images), 4, 4, 4)
    decoded = model.vae.decode(latents).sample
    loss = DecoderLoss(SamePixels(), CONFIG)(model, decoded, images, progress)
    model.zero_grad()
    loss.backward()
    return {
        name: parameter.grad
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


def test_each_learns_from_its_own_part_of_the_loss(model, images):
    """The discriminator's gradients are those of its own loss alone."""
    model.discriminator.eval()  # each look would change spectral norms
    gradients = compute_gradients(model, images, progress=0.9)
    decoded = model.vae.decode(torch.zeros(2, 4, 4, 4)).sample
    model.zero_grad()
    compute_discriminator_loss(model.discriminator, images, decoded).backward()
    name = "discriminator.layers.0.bias"
    own = model.get_parameter(name).grad
    assert torch.allclose(gradients[name], own, rtol=1e-3)
    assert own.abs().sum() > 0
    assert all(p.requires_grad for p in model.discriminator.parameters())


def test_the_discriminator_joins_late(model, images):
    early = compute_gradients(model, images, progress=0.4)
    late = compute_gradients(model, images, progress=0.9)
    names = [name for name in late if name.startswith("discriminator.")]
    assert names and all((early[name] == 0).all() for name in names)
    assert any(late[name].abs().sum() > 0 for name in names)
    loss = DecoderLoss(SamePixels(), CONFIG)
    assert loss.ramp(0.4) == 0 < loss.ramp(0.5) < loss.ramp(0.9)


def test_held_out_images_are_measured_by_the_reconstruction(model, images):
    loss = DecoderLoss(SamePixels(), CONFIG)
    with torch.no_grad():
        decoded = model.vae.decode(torch.zeros(2, 4, 4, 4)).sample
        measured = loss(model, decoded, images, 1.0)
        parts = loss.compute_reconstruction_losses(decoded, images)
    assert measured.item() == pytest.approx(sum(parts.values()).item())


def test_a_discriminator_has_a_learning_rate_and_a_norm_of_its_own(model):
    groups = make_optimizer(model, CONFIG).param_groups
    assert [group["is_scheduled"] for group in groups] == [True, True, False]
    assert groups[2]["lr"] == CONFIG.loss_weight("discriminator_lr")
    assert tuple(groups[0]["betas"]) == CONFIG.betas
    own, adversary = split_parameters(model)
    assert len(adversary) == len(list(model.discriminator.parameters()))
    assert len(own) == len(list(model.vae.parameters()))


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


# --- latents as the U-Net makes them


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
            known = 2 * latents[[1, 2]]
            noise = (noisy - alpha**0.5 * known) / (1 - alpha) ** 0.5
            return type("Output", (), {"sample": noise})

    denoiser = PartialDenoiser(
        Oracle(), Encoder(), scheduler, scaling_factor=2, share=2 / 3
    )
    token_ids = torch.zeros(3, 1, dtype=torch.long)
    again = denoiser(latents, token_ids, make_step(3))
    assert torch.allclose(again, latents, atol=1e-4)
    assert asked == [2, 2, 2]


def make_step(count, rows=None):
    generator = torch.Generator().manual_seed(0)
    return Step(generator, count, rows or slice(0, count), 0.5)


def test_two_processes_denoise_what_one_does():
    class Shrinker:
        """Finds noise in what is left of half the latents."""

        def __call__(self, noisy, timesteps, prompt_embeds):
            return type("Output", (), {"sample": noisy * 0.1})

    denoiser = PartialDenoiser(Shrinker(), Encoder(), DDPMScheduler(), 1.0)
    latents = torch.randn(8, 4, 4, 4)
    token_ids = torch.zeros(8, 1, dtype=torch.long)
    whole = denoiser(latents, token_ids, make_step(8))
    rows = (slice(0, 4), slice(4, 8))
    parts = [denoiser(latents[r], token_ids[r], make_step(8, r)) for r in rows]
    assert torch.allclose(whole, torch.cat(parts), atol=1e-6)
    changed = (whole != latents).flatten(1).any(1)
    assert changed.tolist() == denoiser.choose(slice(0, 8)).tolist()


def test_a_third_of_a_batch_is_denoised_wherever_it_is_cut():
    denoiser = PartialDenoiser(None, None, None, 1.0)
    for size in (3, 12, 129, 2049):
        assert denoiser.choose(slice(0, size)).sum() == size // 3
    assert not denoiser.choose(slice(0, 1)).any()
