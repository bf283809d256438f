"""The two losses: what they measure, and on what."""

from dataclasses import replace

import pytest
import torch

from tutorial_lib.generation import encode_distributions, encode_prompts
from tutorial_lib.inversion import (
    DenoisingLoss,
    SimilarityLoss,
    compute_timestep_weights,
)
from tutorial_lib.kinds import KINDS


def make_loss(models, images, make_word, loss_class=DenoisingLoss):
    word = make_word("X")
    word.vectors.requires_grad_(True)
    return loss_class(models, images, KINDS["pattern"].templates, word)


@pytest.mark.parametrize("loss_class", [SimilarityLoss, DenoisingLoss])
def test_a_measure_on_the_fixed_batch_is_always_the_same(
    models, images, make_word, loss_class
):
    loss = make_loss(models, images, make_word, loss_class)
    before = loss.evaluate()
    loss.compute(torch.Generator().manual_seed(1)).backward()
    assert loss.evaluate() == before
    other = make_loss(models, images, make_word, loss_class)
    assert other.evaluate() == before
    assert loss.word.vectors.grad.norm() > 0


def test_latents_are_sampled_anew_and_scaled(models, images, make_word):
    loss = make_loss(models, images, make_word)
    generator = torch.Generator().manual_seed(0)
    latents, noise, timesteps, _ = loss.sample_batch(generator)
    again = loss.sample_batch(generator)[0]
    assert latents.shape == noise.shape == (4, 4, 8, 8)
    assert not torch.equal(latents, again)
    assert (timesteps >= 0).all() and (timesteps < 1000).all()
    low, high = models.profile.middle_timesteps
    assert (timesteps[:2].diff() > 0).all()  # spread over the whole schedule
    assert (timesteps[2:] >= low).all() and (timesteps[2:] < high).all()
    loss.std = torch.zeros_like(loss.std)
    latents = loss.sample_batch(generator)[0]
    known = loss.mean * models.pipeline.vae.config.scaling_factor
    assert models.pipeline.vae.config.scaling_factor == 0.5
    for latent in latents:
        assert (known == latent).flatten(1).all(1).any()
    loss.mean = torch.zeros_like(loss.mean)
    loss.std = torch.ones_like(loss.std)
    latents = loss.sample_batch(generator)[0]
    assert 0.4 < latents.std() < 0.6  # the factor timesteps a deviation of 1


@pytest.mark.parametrize("mirror", [True, False])
def test_the_cached_latents_are_what_the_vae_makes_of_the_pictures(
    models, images, mirror
):
    small = [image.resize((32, 32)) for image in images[:2]]
    models = replace(models, profile=replace(models.profile, mirror=mirror))
    mean, std = encode_distributions(models, small, progress=False)
    versions = []
    for image in small:
        pixels = torch.tensor(list(image.tobytes())).view(32, 32, 3)
        pixels = pixels.permute(2, 0, 1)[None] / 127.5 - 1
        versions += [pixels, pixels.flip(-1)] if mirror else [pixels]
    assert len(mean) == len(std) == len(versions)
    for k, version in enumerate(versions):
        with torch.no_grad():
            posterior = models.pipeline.vae.encode(version).latent_dist
        assert torch.allclose(mean[k], posterior.mean[0], atol=1e-5)
        assert torch.allclose(std[k], posterior.std[0], atol=1e-5)


@pytest.mark.parametrize("middle", [None, (350, 850)])
def test_the_loss_is_the_error_of_the_predicted_noise(
    models, images, make_word, middle
):
    profile = replace(models.profile, middle_timesteps=middle)
    models = replace(models, profile=profile)
    word = make_word("X")
    templates = ["an x of {}", "{}, {} and a blue mug"]
    loss = DenoisingLoss(models, images, templates, word, autocast=False)
    latents, noise, timesteps, _ = loss.sample_batch(torch.Generator())
    texts = torch.tensor([0, 1, 1, 0])
    alphas = models.pipeline.scheduler.alphas_cumprod[timesteps]
    alphas = alphas.view(-1, 1, 1, 1)
    noisy = alphas.sqrt() * latents + (1 - alphas).sqrt() * noise
    prompts = ["an x of X", "X, X and a blue mug"]
    prompt_embeds = encode_prompts(models, prompts, [word])
    with torch.no_grad():
        noise_pred = models.pipeline.unet(
            noisy, timesteps, encoder_hidden_states=prompt_embeds[texts]
        ).sample
    value = loss.compute_on(latents, noise, timesteps, texts)
    errors = (noise_pred - noise).square().mean((1, 2, 3))
    if middle:
        alphas_cumprod = models.pipeline.scheduler.alphas_cumprod
        weights = compute_timestep_weights(alphas_cumprod)
        errors = errors * weights[timesteps]
    assert value.item() == pytest.approx(errors.mean().item(), rel=1e-4)
