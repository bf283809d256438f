"""Latents: pictures in and out, noise in and out, a picture drawn by hand."""

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler

from tutorial_lib.generation.generate import (
    generate,
    make_noise,
    make_sampling_scheduler,
)
from tutorial_lib.generation.latents import (
    decode_latents,
    encode_distributions,
    encode_images,
    predict_noise,
    predict_x0,
)
from tutorial_lib.generation.text_encoding import encode_prompts


def test_pictures_become_the_latents_that_learning_uses(models, images):
    latents = encode_images(models, images)
    assert latents.shape == (4, 4, 8, 8) and latents.dtype == torch.float32
    means, _ = encode_distributions(models, images, progress=False)
    scale = models.pipeline.vae.config.scaling_factor
    # The two resize alike, but round a grey level or two apart.
    assert torch.allclose(latents, means * scale, atol=0.05)


def test_latents_become_pictures_of_the_right_size(models, images):
    shown = decode_latents(models, encode_images(models, images))
    assert [image.size for image in shown] == [(32, 32)] * 4
    assert {image.mode for image in shown} == {"RGB"}


def test_the_true_noise_taken_out_leaves_the_latents():
    latents, noise = torch.randn(2, 3, 4, 8, 8)
    schedule = DDPMScheduler(beta_schedule="scaled_linear")
    for timestep in (0, 400, 999):
        noisy = schedule.add_noise(latents, noise, torch.tensor([timestep]))
        signal = schedule.alphas_cumprod[timestep]
        found = predict_x0(noisy, noise, signal)
        assert torch.allclose(found, latents, atol=1e-4)


@pytest.mark.parametrize("scale", [1.5, 7.0])
def test_a_loop_written_out_draws_what_the_library_draws(models, scale):
    conditions = encode_prompts(models, ["", "a corgi"])
    latents = make_noise(models, seed=3, numbers=[1])
    sampler = make_sampling_scheduler(models.pipeline.scheduler.config)
    sampler.set_timesteps(4)
    for timestep in sampler.timesteps:
        twice = latents.repeat(2, 1, 1, 1)
        predictions = predict_noise(models, twice, timestep, conditions)
        without, with_caption = predictions.chunk(2)
        guess = without + scale * (with_caption - without)
        latents = sampler.step(guess, timestep, latents).prev_sample
    [mine] = decode_latents(models, latents)
    drawn = generate(
        models, "a corgi", count=2, seed=3, guidance_scale=scale,
        num_inference_steps=4,
    )[1]  # fmt: skip
    difference = np.asarray(mine, float) - np.asarray(drawn, float)
    assert np.abs(difference).max() <= 1
