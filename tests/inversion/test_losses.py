"""The two losses: what they measure, and on what."""

import copy
from dataclasses import replace

import pytest
import torch
from diffusers import DDIMScheduler
from mini_models import learn

from tutorial_lib.errors import DataError
from tutorial_lib.generation import (
    encode_distributions,
    encode_prompts,
    generate,
    sampling,
)
from tutorial_lib.inversion import (
    DenoisingLoss,
    SimilarityLoss,
    compute_timestep_weights,
)
from tutorial_lib.inversion.timesteps import make_target
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


# --- models that predict a velocity


@pytest.fixture
def change_prediction(models):
    """Return a function that gives models whose scheduler names another one.

    What the U-Net really predicts is noise: only the loss is looked at.
    """

    def change(prediction_type, middle=None):
        pipeline = copy.copy(models.pipeline)
        pipeline.scheduler = DDIMScheduler.from_config(
            models.pipeline.scheduler.config, prediction_type=prediction_type
        )
        profile = replace(models.profile, middle_timesteps=middle)
        return replace(models, pipeline=pipeline, profile=profile)

    return change


def test_the_loss_is_the_error_of_the_predicted_velocity(
    change_prediction, images, make_word
):
    models = change_prediction("v_prediction")
    word = make_word("X")
    loss = DenoisingLoss(models, images, ["an x of {}"], word, autocast=False)
    latents, noise, timesteps, texts = loss.sample_batch(torch.Generator())
    scheduler = models.pipeline.scheduler
    noisy = scheduler.add_noise(latents, noise, timesteps)
    prompt_embeds = encode_prompts(models, ["an x of X"], [word])
    with torch.no_grad():
        prediction = models.pipeline.unet(
            noisy, timesteps, encoder_hidden_states=prompt_embeds[texts]
        ).sample
    value = loss.compute_on(latents, noise, timesteps, texts).item()
    velocity = scheduler.get_velocity(latents, noise, timesteps)
    errors = (prediction - velocity).square().mean()
    assert value == pytest.approx(errors.item(), rel=1e-4)
    of_noise = (prediction - noise).square().mean().item()
    assert value != pytest.approx(of_noise, rel=0.05)
    alphas = scheduler.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    mixture = alphas.sqrt() * noise - (1 - alphas).sqrt() * latents
    assert torch.allclose(velocity, mixture, atol=1e-5)


def test_with_weights_an_error_counts_alike_as_noise_or_velocity(
    change_prediction, images, make_word
):
    """A wrong guess of the image is the same, whatever names it."""
    values = []
    for kind in ("epsilon", "v_prediction"):
        models = change_prediction(kind, middle=(350, 850))
        word = make_word("X")
        loss = DenoisingLoss(
            models, images, ["an x of {}"], word, autocast=False
        )
        latents, noise, timesteps, texts = loss.sample_batch(
            torch.Generator().manual_seed(1)
        )
        guess = latents + 0.1 * torch.ones_like(latents)
        scheduler = models.pipeline.scheduler
        noisy = scheduler.add_noise(latents, noise, timesteps)
        alphas = scheduler.alphas_cumprod[timesteps].view(-1, 1, 1, 1)
        guessed_noise = (noisy - alphas.sqrt() * guess) / (1 - alphas).sqrt()
        prediction = make_target(
            loss.noise_scheduler, guess, guessed_noise, timesteps
        )
        loss.predict = lambda *_, prediction=prediction: prediction
        values.append(loss.compute_on(latents, noise, timesteps, texts).item())
    assert values[0] == pytest.approx(values[1], rel=1e-3)
    assert values[0] > 0


def test_velocities_are_learned_with_and_drawn_with(
    change_prediction, images, monkeypatch
):
    models = change_prediction("v_prediction")
    word = learn(models, images, recipe="denoising", steps=3)
    assert torch.isfinite(word.vectors).all() and word.steps == 3
    made = []
    make = sampling.make_sampling_scheduler
    monkeypatch.setattr(
        sampling,
        "make_sampling_scheduler",
        lambda config: made.append(make(config)) or made[-1],
    )
    generate(models, "a photo of X", [word], progress=False)
    assert made[0].config.prediction_type == "v_prediction"


def test_models_that_predict_anything_else_are_refused(
    change_prediction, images
):
    models = change_prediction("sample")
    with pytest.raises(DataError, match='predict "sample", and only'):
        learn(models, images, recipe="denoising", steps=3)
