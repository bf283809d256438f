"""Models of the velocity do what models of the noise do, but for rounding."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler
from velocity_models import make_velocity_twin

from tutorial_lib.errors import DataError
from tutorial_lib.generation import (
    decode_latents,
    encode_prompts,
    generate,
    generate_from_noise,
    invert_images,
    make_noise,
    make_sampling_scheduler,
    predict_noise,
    predict_x0,
)

PROMPT = "a corgi"


@pytest.fixture(scope="module")
def twin(models):
    """Return models that predict the velocity of what `models` predict."""
    return make_velocity_twin(models)


def test_the_noise_is_that_in_the_velocity(models, twin):
    noisy = make_noise(models, seed=0, numbers=[0, 1])
    embeds = encode_prompts(models, [PROMPT, ""])
    for timestep in (1, torch.tensor(400), 999):
        expected = predict_noise(models, noisy, timestep, embeds)
        noise = predict_noise(twin, noisy, timestep, embeds)
        assert torch.allclose(noise, expected, atol=1e-4)
        with torch.no_grad():
            answer = twin.pipeline.unet(noisy, timestep, embeds).sample
        assert not torch.allclose(answer, expected, atol=0.1)


def test_what_the_noise_leaves_is_the_image_that_the_velocity_means(twin):
    noisy = make_noise(twin, seed=0, numbers=[0])
    embeds = encode_prompts(twin, [PROMPT])
    scheduler = twin.pipeline.scheduler
    for timestep in (100, 500, 900):
        with torch.no_grad():
            velocity = twin.pipeline.unet(noisy, timestep, embeds).sample
        expected = scheduler.step(velocity, timestep, noisy)
        noise = predict_noise(twin, noisy, timestep, embeds)
        x0 = predict_x0(noisy, noise, scheduler.alphas_cumprod[timestep])
        assert torch.allclose(x0, expected.pred_original_sample, atol=1e-3)


def draw_by_hand(models, prediction_type):
    """Return an image that the loop of lesson 04 draws."""
    embeds = encode_prompts(models, ["", PROMPT])
    noisy = make_noise(models, seed=3, numbers=[0])
    scheduler = make_sampling_scheduler(
        models.pipeline.scheduler.config, prediction_type=prediction_type
    )
    scheduler.set_timesteps(4)
    for t in scheduler.timesteps:
        both = noisy.repeat(2, 1, 1, 1)
        without, with_prompt = predict_noise(models, both, t, embeds).chunk(2)
        guided = without + 3 * (with_prompt - without)
        noisy = scheduler.step(guided, t, noisy).prev_sample
    return decode_latents(models, noisy)[0]


def measure_difference(image, other):
    """Return the largest difference of two images, of 255."""
    return np.abs(np.asarray(image, float) - np.asarray(other, float)).max()


def test_the_loop_of_lesson_04_draws_what_the_library_draws(models, twin):
    settings = {"guidance_scale": 3, "num_inference_steps": 4}
    [usual] = generate(models, PROMPT, seed=3, **settings)
    [drawn] = generate(twin, PROMPT, seed=3, **settings)
    by_hand = draw_by_hand(twin, "epsilon")
    assert measure_difference(drawn, usual) <= 1
    assert measure_difference(by_hand, drawn) <= 1
    # A scheduler that takes the noise for a velocity would not.
    assert measure_difference(draw_by_hand(twin, None), drawn) > 5


def test_an_image_becomes_its_noise_and_comes_back(models, twin, images):
    expected = invert_images(models, images[:1], PROMPT)
    noise = invert_images(twin, images[:1], PROMPT)
    assert torch.allclose(noise, expected, atol=1e-3)
    settings = {"prompt": PROMPT, "guidance_scale": 3}
    [usual] = generate_from_noise(models, expected, **settings)
    [drawn] = generate_from_noise(twin, noise, **settings)
    assert measure_difference(drawn, usual) <= 1


def test_models_that_predict_anything_else_are_refused(models):
    pipeline = copy.copy(models.pipeline)
    pipeline.scheduler = DDPMScheduler.from_config(
        models.pipeline.scheduler.config, prediction_type="sample"
    )
    noisy = make_noise(models, seed=0, numbers=[0])
    embeds = encode_prompts(models, PROMPT)
    with pytest.raises(DataError, match='predict "sample", and noise'):
        predict_noise(replace(models, pipeline=pipeline), noisy, 5, embeds)
