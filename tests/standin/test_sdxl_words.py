"""A word for Stable Diffusion XL: its files, its images, other programs."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionXLPipeline
from safetensors.torch import load_file

from tutorial_lib import LearnedWord, generate
from tutorial_lib.errors import DataError, WordError
from tutorial_lib.generation import (
    encode_prompts,
    encode_token_ids,
    generate_over_steps,
    generate_with_attention,
    make_noise,
    measure_similarity,
)
from tutorial_lib.models import load_models
from tutorial_lib.settings import PROFILES
from tutorial_lib.words import initialize_word, tokenize_prompts

PROMPT = "A photo of X, in winter"


@pytest.fixture
def word(sdxl_learning):
    """Return a word that was learned with the stand-in."""
    return sdxl_learning[0]


def draw(models, prompt, words=(), **settings):
    """Draw an image in two steps, and return it as an array."""
    settings = {"num_inference_steps": 2, "seed": 1, **settings}
    [image] = generate(models, prompt, words, progress=False, **settings)
    return np.asarray(image, float)


# --- files, and other programs


def test_the_word_s_file_is_for_these_models_only(sdxl, word, tmp_path):
    path = word.save(tmp_path / "X")
    again = LearnedWord.load(path, sdxl.profile)
    assert torch.equal(again.vectors, word.vectors)
    assert torch.equal(again.vectors_2, word.vectors_2)
    with pytest.raises(WordError, match='two text encoders.*"sd15" has one'):
        LearnedWord.load(path, PROFILES["sd15"])


def test_a_word_for_one_encoder_is_refused(sdxl, make_word, tmp_path):
    path = make_word(width=768).save(tmp_path / "X")
    with pytest.raises(WordError, match='one text encoder, and "sdxl" has'):
        LearnedWord.load(path, "sdxl")
    with pytest.raises(WordError, match='one text encoder, and "sdxl" has'):
        generate(sdxl, "X", LearnedWord.load(path))
    wide = LearnedWord("X", torch.zeros(1, 768), vectors_2=torch.zeros(1, 9))
    with pytest.raises(WordError, match="768 and 9 entries.*768 and 1280"):
        generate(sdxl, "X", wide)


@pytest.fixture
def loaded(sdxl_folder, word, tmp_path):
    """Return diffusers' pipeline with the word, loaded as documented."""
    pipeline = StableDiffusionXLPipeline.from_pretrained(sdxl_folder)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config
    )
    state = load_file(word.save(tmp_path / "X"))
    pipeline.load_textual_inversion(
        state["clip_l"],
        token="<x>",
        text_encoder=pipeline.text_encoder,
        tokenizer=pipeline.tokenizer,
    )
    pipeline.load_textual_inversion(
        state["clip_g"],
        token="<x>",
        text_encoder=pipeline.text_encoder_2,
        tokenizer=pipeline.tokenizer_2,
    )
    return pipeline


def draw_with(pipeline, models, prompt):
    """Draw an image with diffusers as `draw` does with this library."""
    [image] = pipeline(
        prompt,
        latents=make_noise(models, seed=1, numbers=[0]),
        num_inference_steps=2,
    ).images
    return np.asarray(image, float)


def test_diffusers_draws_the_same_image_with_the_word(sdxl, word, loaded):
    pipeline, prompt = loaded, PROMPT.replace("X", "<x>")
    ours = draw(sdxl, PROMPT, word)
    # It reads the pooled text at the largest token id, which X has,
    untold = draw_with(pipeline, sdxl, prompt)
    assert np.abs(ours - untold).max() > 10
    # until it is told where a text ends.
    end = pipeline.tokenizer_2.eos_token_id
    pipeline.text_encoder_2.text_model.eos_token_id = end
    theirs = draw_with(pipeline, sdxl, prompt)
    assert theirs.shape == (1024, 1024, 3) and theirs.std() > 1
    # Prompts are encoded in other batches here, and that rounds otherwise.
    assert np.abs(ours - theirs).max() <= 1
    assert (ours != theirs).mean() < 1e-3


def test_without_being_told_the_end_diffusers_pools_the_text_at_x(
    sdxl, word, loaded
):
    with torch.no_grad():
        hidden, _, pooled, _ = loaded.encode_prompt(PROMPT.replace("X", "<x>"))
    embeds = encode_prompts(sdxl, PROMPT, word)
    assert torch.allclose(hidden, embeds[:, :-1], atol=1e-5)
    assert not torch.allclose(pooled, embeds[:, -1, :1280], atol=1e-2)


# --- drawing


def test_a_word_changes_the_image(sdxl, word):
    far = replace(word, vectors=-word.vectors, vectors_2=-word.vectors_2)
    assert not np.array_equal(draw(sdxl, "X", word), draw(sdxl, "X", far))


def test_images_over_the_steps_are_those_of_both_vectors(sdxl, word):
    profile = replace(sdxl.profile, num_inference_steps=2)
    models = replace(sdxl, profile=profile)
    images, labels = generate_over_steps(models, word, "X", frames=2)
    assert labels == ["step 0", "step 4"]
    last = np.asarray(images[-1], float)
    assert np.array_equal(last, draw(models, "X", word, seed=0))
    start = initialize_word(sdxl, "X", word.initializer, 1)
    first = np.asarray(images[0], float)
    assert np.array_equal(first, draw(models, "X", start, seed=0))


def test_attention_is_recorded_without_changing_the_image(sdxl, word):
    maps = generate_with_attention(
        sdxl, "X in winter", word, seed=1, num_inference_steps=2
    )
    drawn = draw(sdxl, "X in winter", word)
    assert np.array_equal(np.asarray(maps.image, float), drawn)
    for layer in maps.layers.values():
        assert torch.allclose(layer.sum(1), torch.ones(()), atol=1e-4)


def test_clip_measures_the_vectors_of_the_first_encoder(sdxl, word, images):
    cosines = measure_similarity(sdxl, images, ["A photo of X"], [word])
    other = replace(word, vectors_2=word.vectors_2 + 1)
    again = measure_similarity(sdxl, images, ["A photo of X"], [other])
    assert cosines.shape == (1, 4) and torch.equal(cosines, again)


def test_token_ids_with_a_gradient_reach_both_vectors(sdxl):
    word = initialize_word(sdxl, "X", "pattern", 1)
    token_ids = tokenize_prompts(sdxl.pipeline.tokenizer, PROMPT, [word])
    encode_token_ids(sdxl, token_ids, word).square().sum().backward()
    assert word.vectors.grad.any() and word.vectors_2.grad.any()


# --- the reader's own models


def test_models_of_the_other_family_are_refused(
    sdxl_folder, miniature, tmp_path, monkeypatch
):
    monkeypatch.setenv("TUTORIAL_SD15", str(sdxl_folder))
    with pytest.raises(DataError, match="2 and not 1; .* TUTORIAL_SD15"):
        load_models("sd15", device="cpu")
    monkeypatch.setenv("TUTORIAL_SDXL", str(miniature / "sd"))
    with pytest.raises(DataError, match="1 and not 2; .* TUTORIAL_SDXL"):
        load_models("sdxl", device="cpu")
    shutil.copy(sdxl_folder / "model_index.json", tmp_path)
    (tmp_path / "model_index.json").write_text("{", encoding="utf-8")
    monkeypatch.setenv("TUTORIAL_SDXL", str(tmp_path))
    with pytest.raises(DataError, match="model_index.json' cannot be read"):
        load_models("sdxl", device="cpu")
