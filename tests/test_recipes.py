"""The two losses: what they measure, and on what."""

from dataclasses import replace

import pytest
import torch

from tutorial_lib.drawing import encode_prompts_for_drawing
from tutorial_lib.recipes import (
    TEMPLATES,
    DenoisingRecipe,
    SimilarityRecipe,
    encode_latents,
)
from tutorial_lib.timesteps import weigh_timesteps


def make_recipe(models, pictures, make_word, kind=DenoisingRecipe):
    word = make_word("X")
    word.vectors.requires_grad_(True)
    return kind(models, pictures, TEMPLATES["pattern"], word)


@pytest.mark.parametrize("kind", [SimilarityRecipe, DenoisingRecipe])
def test_a_measure_on_the_fixed_batch_is_always_the_same(
    models, pictures, make_word, kind
):
    recipe = make_recipe(models, pictures, make_word, kind)
    before = recipe.evaluate()
    recipe.loss(torch.Generator().manual_seed(1)).backward()
    assert recipe.evaluate() == before
    other = make_recipe(models, pictures, make_word, kind)
    assert other.evaluate() == before
    assert recipe.word.vectors.grad.norm() > 0


def test_latents_are_sampled_anew_and_scaled(models, pictures, make_word):
    recipe = make_recipe(models, pictures, make_word)
    generator = torch.Generator().manual_seed(0)
    latents, noise, times, texts = recipe.pick_batch(generator)
    again = recipe.pick_batch(generator)[0]
    assert latents.shape == noise.shape == (4, 4, 8, 8)
    assert not torch.equal(latents, again)
    assert (times >= 0).all() and (times < 1000).all()
    low, high = models.profile.middle_timesteps
    assert (times[:2].diff() > 0).all()  # spread over the whole schedule
    assert (times[2:] >= low).all() and (times[2:] < high).all()
    recipe.deviation = torch.zeros_like(recipe.deviation)
    latents = recipe.pick_batch(generator)[0]
    known = recipe.mean * models.pipeline.vae.config.scaling_factor
    assert models.pipeline.vae.config.scaling_factor == 0.5
    for latent in latents:
        assert (known == latent).flatten(1).all(1).any()
    recipe.mean = torch.zeros_like(recipe.mean)
    recipe.deviation = torch.ones_like(recipe.deviation)
    latents = recipe.pick_batch(generator)[0]
    assert 0.4 < latents.std() < 0.6  # the factor times a deviation of 1


@pytest.mark.parametrize("mirror", [True, False])
def test_the_cached_latents_are_what_the_vae_makes_of_the_pictures(
    models, pictures, mirror
):
    small = [picture.resize((32, 32)) for picture in pictures[:2]]
    models = replace(models, profile=replace(models.profile, mirror=mirror))
    mean, deviation = encode_latents(models, small, progress=False)
    versions = []
    for picture in small:
        pixels = torch.tensor(list(picture.tobytes())).view(32, 32, 3)
        pixels = pixels.permute(2, 0, 1)[None] / 127.5 - 1
        versions += [pixels, pixels.flip(-1)] if mirror else [pixels]
    assert len(mean) == len(deviation) == len(versions)
    for k, version in enumerate(versions):
        with torch.no_grad():
            found = models.pipeline.vae.encode(version).latent_dist
        assert torch.allclose(mean[k], found.mean[0], atol=1e-5)
        assert torch.allclose(deviation[k], found.std[0], atol=1e-5)


@pytest.mark.parametrize("middle", [None, (350, 850)])
def test_the_loss_is_the_error_of_the_predicted_noise(
    models, pictures, make_word, middle
):
    profile = replace(models.profile, middle_timesteps=middle)
    models = replace(models, profile=profile)
    word = make_word("X")
    templates = ["an x of {}", "{}, {} and a blue mug"]
    recipe = DenoisingRecipe(models, pictures, templates, word, autocast=False)
    latents, noise, times, _ = recipe.pick_batch(torch.Generator())
    texts = torch.tensor([0, 1, 1, 0])
    alphas = models.pipeline.scheduler.alphas_cumprod[times]
    alphas = alphas.view(-1, 1, 1, 1)
    noisy = alphas.sqrt() * latents + (1 - alphas).sqrt() * noise
    prompts = ["an x of X", "X, X and a blue mug"]
    conditions = encode_prompts_for_drawing(models, prompts, [word])
    with torch.no_grad():
        guess = models.pipeline.unet(
            noisy, times, encoder_hidden_states=conditions[texts]
        ).sample
    found = recipe.measure(latents, noise, times, texts)
    errors = (guess - noise).square().mean((1, 2, 3))
    if middle:
        signal = models.pipeline.scheduler.alphas_cumprod
        errors = errors * weigh_timesteps(signal)[times]
    assert found.item() == pytest.approx(errors.mean().item(), rel=1e-4)
