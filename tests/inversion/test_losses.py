"""The two losses: what they measure, and on what."""

from dataclasses import replace

import pytest
import torch

from tutorial_lib.generation.latents import encode_distributions
from tutorial_lib.generation.text_encoding import encode_prompts
from tutorial_lib.inversion.losses import DenoisingLoss, SimilarityLoss
from tutorial_lib.inversion.timesteps import compute_timestep_weights
from tutorial_lib.kinds import TEMPLATES


def make_recipe(models, images, make_word, kind=DenoisingLoss):
    word = make_word("X")
    word.vectors.requires_grad_(True)
    return kind(models, images, TEMPLATES["pattern"], word)


@pytest.mark.parametrize("kind", [SimilarityLoss, DenoisingLoss])
def test_a_measure_on_the_fixed_batch_is_always_the_same(
    models, images, make_word, kind
):
    recipe = make_recipe(models, images, make_word, kind)
    before = recipe.evaluate()
    recipe.loss(torch.Generator().manual_seed(1)).backward()
    assert recipe.evaluate() == before
    other = make_recipe(models, images, make_word, kind)
    assert other.evaluate() == before
    assert recipe.word.vectors.grad.norm() > 0


def test_latents_are_sampled_anew_and_scaled(models, images, make_word):
    recipe = make_recipe(models, images, make_word)
    generator = torch.Generator().manual_seed(0)
    latents, noise, times, texts = recipe.pick_batch(generator)
    again = recipe.pick_batch(generator)[0]
    assert latents.shape == noise.shape == (4, 4, 8, 8)
    assert not torch.equal(latents, again)
    assert (times >= 0).all() and (times < 1000).all()
    low, high = models.profile.middle_timesteps
    assert (times[:2].diff() > 0).all()  # spread over the whole schedule
    assert (times[2:] >= low).all() and (times[2:] < high).all()
    recipe.std = torch.zeros_like(recipe.std)
    latents = recipe.pick_batch(generator)[0]
    known = recipe.mean * models.pipeline.vae.config.scaling_factor
    assert models.pipeline.vae.config.scaling_factor == 0.5
    for latent in latents:
        assert (known == latent).flatten(1).all(1).any()
    recipe.mean = torch.zeros_like(recipe.mean)
    recipe.std = torch.ones_like(recipe.std)
    latents = recipe.pick_batch(generator)[0]
    assert 0.4 < latents.std() < 0.6  # the factor times a deviation of 1


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
            found = models.pipeline.vae.encode(version).latent_dist
        assert torch.allclose(mean[k], found.mean[0], atol=1e-5)
        assert torch.allclose(std[k], found.std[0], atol=1e-5)


@pytest.mark.parametrize("middle", [None, (350, 850)])
def test_the_loss_is_the_error_of_the_predicted_noise(
    models, images, make_word, middle
):
    profile = replace(models.profile, middle_timesteps=middle)
    models = replace(models, profile=profile)
    word = make_word("X")
    templates = ["an x of {}", "{}, {} and a blue mug"]
    recipe = DenoisingLoss(models, images, templates, word, autocast=False)
    latents, noise, times, _ = recipe.pick_batch(torch.Generator())
    texts = torch.tensor([0, 1, 1, 0])
    alphas = models.pipeline.scheduler.alphas_cumprod[times]
    alphas = alphas.view(-1, 1, 1, 1)
    noisy = alphas.sqrt() * latents + (1 - alphas).sqrt() * noise
    prompts = ["an x of X", "X, X and a blue mug"]
    conditions = encode_prompts(models, prompts, [word])
    with torch.no_grad():
        guess = models.pipeline.unet(
            noisy, times, encoder_hidden_states=conditions[texts]
        ).sample
    found = recipe.measure(latents, noise, times, texts)
    errors = (guess - noise).square().mean((1, 2, 3))
    if middle:
        signal = models.pipeline.scheduler.alphas_cumprod
        errors = errors * compute_timestep_weights(signal)[times]
    assert found.item() == pytest.approx(errors.mean().item(), rel=1e-4)
