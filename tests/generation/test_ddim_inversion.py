"""Image inversion: there and back again, and what leads astray."""

import pytest
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler

from tutorial_lib.errors import ArgumentError, WordError
from tutorial_lib.generation import (
    ddim_inversion,
    decode_latents,
    encode_images,
    encode_prompts,
    follow_timesteps,
    generate_from_noise,
    invert_images,
    make_ddim_scheduler,
    make_noise,
)

PROMPT = "a photo of a T-shirt"


def go_there_and_back(models, images, steps, back=PROMPT, scale=1.0):
    """Return how far the latents are from those that come back."""
    there = make_ddim_scheduler(DDIMInverseScheduler, models, steps)
    again = make_ddim_scheduler(DDIMScheduler, models, steps)
    latents = encode_images(models, images)
    embeds = encode_prompts(models, ["", PROMPT, back])
    noise = follow_timesteps(models, there, latents, embeds[:2], 1.0)
    drawn = follow_timesteps(models, again, noise, embeds[[0, 2]], scale)
    return (drawn - latents).abs().mean().item()


def test_the_noise_of_an_image_gives_it_back_better_in_more_steps(
    models, images
):
    errors = [go_there_and_back(models, images[:2], s) for s in (40, 400)]
    assert errors[1] < 0.6 * errors[0]


def test_where_the_predicted_noise_is_the_same_nothing_is_lost(
    models, images, monkeypatch
):
    noise = make_noise(models, seed=0, numbers=[0])
    monkeypatch.setattr(ddim_inversion, "predict_noise", lambda *_: noise)
    assert go_there_and_back(models, images[:1], steps=5) < 1e-4


def test_with_guidance_or_another_prompt_another_image_comes_back(
    models, images
):
    given = (models, images[:1], 100)
    same = go_there_and_back(*given)
    assert go_there_and_back(*given, scale=9.0) > 1.1 * same
    assert go_there_and_back(*given, back="a blue mug") != same


def test_the_images_are_those_of_the_latents(models, images):
    noise = invert_images(models, images[0], PROMPT, num_inference_steps=5)
    drawn = generate_from_noise(
        models, noise, PROMPT, guidance_scale=1, num_inference_steps=5
    )
    embeds = encode_prompts(models, ["", PROMPT])
    back = make_ddim_scheduler(DDIMScheduler, models, steps=5)
    latents = follow_timesteps(models, back, noise, embeds, 1.0)
    (expected,) = decode_latents(models, latents)
    assert drawn[0].tobytes() == expected.tobytes()


def test_at_scale_1_the_empty_text_drops_out(models):
    scheduler = make_ddim_scheduler(DDIMScheduler, models, steps=4)
    noise = make_noise(models, seed=0, numbers=[0, 1])
    both = encode_prompts(models, ["", PROMPT])
    alone = encode_prompts(models, ["a red mug", PROMPT])
    scales = (1.0, 1.5)
    some, guided = (
        follow_timesteps(models, scheduler, noise, both, s) for s in scales
    )
    others, misguided = (
        follow_timesteps(models, scheduler, noise, alone, s) for s in scales
    )
    assert torch.equal(some, others)
    assert not torch.allclose(guided, misguided)


def test_each_image_has_its_own_noise_whatever_stands_beside_it(
    models, images
):
    together = invert_images(models, images, PROMPT)
    alone = invert_images(models, images[1], PROMPT)
    assert together.shape == (4, 4, 8, 8)
    assert torch.allclose(together[1:2], alone, atol=1e-4)


def test_the_way_there_takes_the_timesteps_of_the_way_back(models):
    there = make_ddim_scheduler(DDIMInverseScheduler, models, steps=20)
    back = make_ddim_scheduler(DDIMScheduler, models, steps=20)
    assert there.timesteps.tolist() == back.timesteps.tolist()[::-1]
    assert there.timesteps[0] == 1


def test_a_word_in_the_prompt_is_heard_both_ways(models, images, make_word):
    prompt, word = "a photo of X", make_word("X")
    noise = invert_images(models, images[:1], prompt, words=[word])
    other = invert_images(models, images[:1], prompt, words=make_word(seed=9))
    assert not torch.equal(noise, other)
    drawn = generate_from_noise(models, noise, prompt, words=word)
    again = generate_from_noise(models, noise, prompt, words=make_word(seed=9))
    assert drawn[0].tobytes() != again[0].tobytes()


@pytest.mark.parametrize("function", [invert_images, generate_from_noise])
def test_what_cannot_be_used_is_refused(models, images, make_word, function):
    given = make_noise(models, 0, [0])
    given = images if function is invert_images else given
    with pytest.raises(WordError, match='"X" stands in none'):
        function(models, given, PROMPT, words=[make_word("X")])
    with pytest.raises(ArgumentError, match="1 to 999"):
        function(models, given, PROMPT, num_inference_steps=1000)
    with pytest.raises(ArgumentError, match="guidance_scale"):
        function(models, given, PROMPT, guidance_scale="much")
