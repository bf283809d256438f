"""A stand-in has the shapes of the real Stable Diffusion 1.5."""

import json
import shutil

import open_clip
import pytest
import torch
from diffusers.pipelines.stable_diffusion import (
    StableDiffusionSafetyChecker,
)
from standins import (
    SMALL_VISION,
    TRUE_CLIP,
    TRUE_UNET,
    TRUE_VAE,
    make_clip,
    make_unet,
    make_vae,
)
from transformers import (
    CLIPConfig,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
)

from tutorial_lib import LearnedWord, learn_word
from tutorial_lib.errors import DataError
from tutorial_lib.generation import embed_texts, make_noise
from tutorial_lib.models import fingerprint_models, load_models
from tutorial_lib.settings import DATA, PROFILES
from tutorial_lib.training.export import text_encoder_from_clip
from tutorial_lib.words import tokenize_prompts, use_words

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


@torch.no_grad()
def test_both_encoders_of_the_true_architecture_see_the_same_vector(
    make_word,
):
    # The half of CLIP that reads images is not asked, and is small here.
    clip = make_clip({**TRUE_CLIP, "vision_cfg": SMALL_VISION})
    encoder = text_encoder_from_clip(clip)
    words, prompt = [make_word(width=768)], "A photo of X, in winter"
    tokenizer = CLIPTokenizer.from_pretrained(
        DATA / "tiny" / "stable-diffusion" / "tokenizer", model_max_length=77
    )
    token_ids = tokenize_prompts(tokenizer, prompt, words=words)
    with use_words(clip, words), use_words(encoder, words):
        expected = clip.encode_text(token_ids)
        output = encoder(token_ids).last_hidden_state
    end = (token_ids[0] == tokenizer.eos_token_id).int().argmax()
    pooled = output[:, end] @ clip.text_projection
    size = expected.abs().max()
    assert (pooled - expected).abs().max() < 1e-4 * size
    with use_words(clip, [make_word(width=768, seed=4)]):
        other = clip.encode_text(token_ids)
    assert (other - expected).abs().max() > 1e-2 * size


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


def test_models_of_another_width_are_refused(refuse, miniature, tmp_path):
    folder = tmp_path / "other"
    shutil.copytree(miniature / "sd", folder)
    message = refuse(folder)
    assert "32 numbers and not 768" in message
