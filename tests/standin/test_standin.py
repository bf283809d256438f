"""A stand-in has the shapes of the real Stable Diffusion 1.5."""

import json
import shutil

import numpy as np
import open_clip
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion import (
    StableDiffusionSafetyChecker,
)
from single_files import save_single_file
from standins import TRUE_CLIP, TRUE_UNET, TRUE_VAE, make_unet, make_vae
from transformers import (
    CLIPConfig,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
)

from tutorial_lib import LearnedWord, generate, learn_word
from tutorial_lib.errors import DataError
from tutorial_lib.generation import embed_texts, make_noise
from tutorial_lib.models import fingerprint_models, load_models
from tutorial_lib.settings import DATA, PROFILES

# Counted in the real models.
NUM_WEIGHTS = {
    "unet": 859_520_964,
    "vae": 83_653_863,
    "text_encoder": 123_060_480,
    "clip": 427_616_513,  # ViT-L/14
}


def count_weights(network):
    return sum(p.numel() for p in network.parameters())


def read_config(part):
    """Return the configuration with which a single file is read."""
    path = DATA / "sd15" / part / "config.json"
    return json.loads(path.read_text(encoding="utf-8"))


# --- shapes


def test_the_standin_s_edges_are_those_of_the_profile(standin_models):
    models, usual = standin_models, PROFILES["sd15"]
    pipeline = models.pipeline
    assert models.profile.size == usual.size == 512
    assert pipeline.text_encoder.config.hidden_size == usual.embedding_width
    assert models.clip.token_embedding.weight.shape == (49_408, 768)
    assert pipeline.tokenizer.model_max_length == 77
    assert models.clip.context_length == 77
    assert make_noise(models, seed=0, numbers=[0]).shape == (1, 4, 64, 64)
    assert pipeline.vae.config.scaling_factor == 0.18215
    assert pipeline.scheduler.config.prediction_type == "epsilon"
    assert pipeline.safety_checker is None
    assert models.clip.visual.image_size == (224, 224)


def test_the_pipeline_s_text_encoder_is_clip_s(standin_models):
    models = standin_models
    prompts = ["A T-shirt in the style of pattern", "Corgi"]
    token_ids = models.clip_tokenizer(prompts)
    with torch.no_grad():
        output = models.pipeline.text_encoder(token_ids)
        pooled = output.pooler_output @ models.clip.text_projection
        theirs = models.clip.encode_text(token_ids)
    assert (pooled - theirs).abs().max() < 1e-4
    assert theirs.std() > 0.1  # and it says something
    assert embed_texts(models, prompts).shape == (2, 768)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "clip"])
def test_the_true_architecture_has_as_many_weights_as_the_real_one(part):
    with torch.device("meta"):
        if part == "unet":
            network = make_unet(TRUE_UNET)
        elif part == "vae":
            network = make_vae(TRUE_VAE)
        elif part == "clip":
            network = open_clip.CLIP(**TRUE_CLIP)
        else:
            config = CLIPTextConfig(**read_config("text_encoder"))
            network = CLIPTextModel(config)
    assert count_weights(network) == NUM_WEIGHTS[part]


@pytest.mark.parametrize(
    ("part", "kind"), [("unet", UNet2DConditionModel), ("vae", AutoencoderKL)]
)
def test_a_single_file_is_read_with_the_real_sizes(part, kind):
    with torch.device("meta"):
        network = kind.from_config(read_config(part))
    assert count_weights(network) == NUM_WEIGHTS[part]


def test_the_download_is_as_large_as_all_weights_in_float32():
    with torch.device("meta"):
        config = CLIPVisionConfig(
            hidden_size=1024,
            intermediate_size=4096,
            num_hidden_layers=24,
            num_attention_heads=16,
            patch_size=14,
            projection_dim=768,
        )
        safety_checker = StableDiffusionSafetyChecker(
            CLIPConfig(vision_config=config.to_dict(), projection_dim=768)
        )
    count = sum(NUM_WEIGHTS.values()) + count_weights(safety_checker)
    megabytes = count * 4 / 1e6
    assert PROFILES["sd15"].hub.megabytes == pytest.approx(megabytes, rel=1e-3)


# --- learning and drawing


def test_a_word_is_learned_and_nothing_else_moves(standin_models, images):
    models = standin_models
    before = fingerprint_models(models)
    word = learn_word(
        models, images, recipe="denoising", steps=4, progress=False
    )
    history = word.history.curve("evaluation")[1]
    assert history[-1] < history[0]
    assert word.vectors.shape == (1, 768) and word.base_model == "sd15"
    assert fingerprint_models(models) == before


def test_the_word_s_file_is_for_these_models_only(
    standin_models, make_word, tmp_path
):
    path = make_word(width=768).save(tmp_path / "x")
    again = LearnedWord.load(path, standin_models.profile)
    assert again.vectors.shape == (1, 768)
    with pytest.raises(ValueError, match="768"):
        LearnedWord.load(path, PROFILES["tiny"])


# --- the reader's own models


@pytest.fixture
def single_file(standin_models, standin, tmp_path, monkeypatch):
    """Return the stand-in as one file, with CLIP beside it."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "tiny").symlink_to(DATA / "tiny")
    (data / "sd15").symlink_to(standin)  # its own sizes, not the real ones
    monkeypatch.setattr("tutorial_lib.models.find_data", lambda: data)
    path = tmp_path / "models" / "mine.safetensors"
    path.parent.mkdir()
    (path.parent / "clip").symlink_to(standin / "clip")
    save_single_file(standin_models.pipeline, path)
    monkeypatch.setenv("TUTORIAL_SD15", str(path))
    return path


def test_a_single_file_draws_what_the_folder_draws(
    standin_models, single_file
):
    models = load_models("sd15", device="cpu")
    assert models.profile.pipeline == str(single_file)
    assert fingerprint_models(models) == fingerprint_models(standin_models)
    settings = {"num_inference_steps": 2, "seed": 1, "progress": False}
    [here] = generate(standin_models, "a corgi", **settings)
    [there] = generate(models, "a corgi", **settings)
    assert np.array_equal(np.asarray(here), np.asarray(there))


@pytest.fixture
def refuse(monkeypatch):
    """Return a function that returns why the models in a place are refused."""

    def load(place):
        monkeypatch.setenv("TUTORIAL_SD15", str(place))
        with pytest.raises(DataError) as error:
            load_models("sd15", device="cpu")
        assert str(place) in str(error.value)
        assert "TUTORIAL_SD15" in str(error.value)
        return str(error.value)

    return load


def test_a_place_without_models_is_named(refuse, tmp_path):
    assert "there is no model_index.json" in refuse(tmp_path / "nothing")
    assert "or unset it" in refuse(tmp_path)


def test_a_folder_without_its_clip_says_what_is_missing(
    refuse, standin, tmp_path
):
    shutil.copy(standin / "model_index.json", tmp_path)
    (tmp_path / "clip").mkdir()
    assert "there is no open_clip_config.json" in refuse(tmp_path)


def test_a_file_that_may_run_code_is_not_read(refuse, tmp_path):
    path = tmp_path / "model.ckpt"
    path.write_bytes(b"cos\nsystem\n")
    assert "may run code" in refuse(path)


def test_a_file_that_is_no_whole_model_is_refused(refuse, make_word, tmp_path):
    path = make_word().save(tmp_path / "x")
    assert "not a part of one or a LoRA" in refuse(path)


def test_a_file_that_was_cut_off_is_refused(refuse, single_file, tmp_path):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(single_file.read_bytes()[:1000])
    assert "cannot be read" in refuse(path)


def test_models_of_another_width_are_refused(refuse, miniature, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(miniature / "sd", folder)
    message = refuse(folder)
    assert "32 numbers and not 768" in message


@pytest.mark.parametrize("name", ["sd2", "sdxl"])
def test_one_file_of_another_family_is_refused_with_the_remedy(
    name, monkeypatch, tmp_path
):
    path = tmp_path / "mine.safetensors"
    path.touch()
    monkeypatch.setenv(f"TUTORIAL_{name.upper()}", str(path))
    with pytest.raises(DataError, match="a folder that diffusers wrote"):
        load_models(name, device="cpu")
