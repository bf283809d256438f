"""Latents: images in and out, noise in and out, sampling written out."""

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler

from tutorial_lib.generation import (
    decode_latents,
    encode_distributions,
    encode_images,
    encode_prompts,
    generate,
    make_noise,
    make_sampling_scheduler,
    predict_noise,
    predict_x0,
)


def test_images_become_the_latents_that_learning_uses(models, images):
    latents = encode_images(models, images)
    assert latents.shape == (4, 4, 8, 8) and latents.dtype == torch.float32
    means, _ = encode_distributions(models, images, progress=False)
    scale = models.pipeline.vae.config.scaling_factor
    assert torch.equal(latents, means * scale)


def test_latents_become_images_of_the_right_size(models, images):
    decoded = decode_latents(models, encode_images(models, images))
    assert [image.size for image in decoded] == [(32, 32)] * 4
    assert {image.mode for image in decoded} == {"RGB"}


def test_the_true_noise_taken_out_leaves_the_latents():
    latents, noise = torch.randn(2, 3, 4, 8, 8)
    scheduler = DDPMScheduler(beta_schedule="scaled_linear")
    for timestep in (0, 400, 999):
        noisy = scheduler.add_noise(latents, noise, torch.tensor([timestep]))
        alpha_cumprod = scheduler.alphas_cumprod[timestep]
        x0 = predict_x0(noisy, noise, alpha_cumprod)
        assert torch.allclose(x0, latents, atol=1e-4)


@pytest.mark.parametrize("scale", [1.5, 7.0])
def test_a_loop_written_out_generates_what_the_library_does(models, scale):
    prompt_embeds = encode_prompts(models, ["", "a corgi"])
    latents = make_noise(models, seed=3, numbers=[1])
    scheduler = make_sampling_scheduler(models.pipeline.scheduler.config)
    scheduler.set_timesteps(4)
    for timestep in scheduler.timesteps:
        twice = latents.repeat(2, 1, 1, 1)
        noise_preds = predict_noise(models, twice, timestep, prompt_embeds)
        unconditional, conditional = noise_preds.chunk(2)
        guided = unconditional + scale * (conditional - unconditional)
        latents = scheduler.step(guided, timestep, latents).prev_sample
    [mine] = decode_latents(models, latents)
    theirs = generate(
        models,
        "a corgi",
        count=2,
        seed=3,
        guidance_scale=scale,
        num_inference_steps=4,
    )[1]
    difference = np.asarray(mine, float) - np.asarray(theirs, float)
    assert np.abs(difference).max() <= 1
