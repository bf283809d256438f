"""A stand-in has the shapes of the real Stable Diffusion 2.1.

Its text encoder is CLIP's without the last layer, and this one predicts
velocities, as that for 768 pixels does.
"""

import open_clip
import pytest
import torch
from standins import (
    TRUE_CLIP_2,
    TRUE_UNET_2,
    TRUE_VAE,
    change_json,
    make_standin,
    make_unet,
    make_vae,
)

from tutorial_lib import generate, learn_word
from tutorial_lib.errors import DataError
from tutorial_lib.generation import encode_prompts, make_noise
from tutorial_lib.models import fingerprint_models, load_models
from tutorial_lib.settings import PROFILES
from tutorial_lib.words import tokenize_prompts, use_words

# Counted in the real models.
NUM_WEIGHTS = {
    "unet": 865_910_724,
    "text_encoder": 340_387_840,
    "clip": 986_109_441,  # ViT-H/14
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder of the stand-in."""
    folder = tmp_path_factory.mktemp("standin") / "sd2"
    return make_standin("sd2", folder, prediction_type="v_prediction")


@pytest.fixture(scope="module")
def sd2_models(folder):
    """Return the stand-in's Models, on the CPU."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TUTORIAL_SD2", str(folder))
        return load_models("sd2", device="cpu")


def test_the_standin_s_edges_are_those_of_the_profile(sd2_models):
    models, usual = sd2_models, PROFILES["sd2"]
    pipeline = models.pipeline
    assert models.profile.size == usual.size == 512
    assert pipeline.text_encoder.config.hidden_size == usual.embedding_width
    assert models.clip.token_embedding.weight.shape == (49_408, 1024)
    assert pipeline.tokenizer.pad_token_id == 0
    assert make_noise(models, seed=0, numbers=[0]).shape == (1, 4, 64, 64)
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    num_layers = pipeline.text_encoder.config.num_hidden_layers
    assert num_layers == len(models.clip.transformer.resblocks) - 1
    activation = models.clip.transformer.resblocks[0].mlp.gelu
    assert isinstance(activation, torch.nn.GELU)


def count_weights(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("part", ["unet", "text_encoder", "clip"])
def test_the_true_architecture_has_as_many_weights_as_the_real_one(part):
    with torch.device("meta"):
        if part == "unet":
            count = count_weights(make_unet(TRUE_UNET_2))
        else:
            clip = open_clip.CLIP(**TRUE_CLIP_2)
            count = count_weights(clip)
        if part == "text_encoder":
            count = count_weights(clip.transformer.resblocks[:23])
            count += clip.token_embedding.weight.numel()
            count += clip.positional_embedding.numel()
            count += count_weights(clip.ln_final)
    assert count == NUM_WEIGHTS[part]


def test_the_architecture_is_what_open_clip_knows_by_this_name():
    config = open_clip.get_model_config(PROFILES["sd2"].clip_model)
    with torch.device("meta"):
        there = open_clip.CLIP(**config).state_dict()
        here = open_clip.CLIP(**TRUE_CLIP_2).state_dict()
    assert {k: v.shape for k, v in there.items()} == {
        k: v.shape for k, v in here.items()
    }


def test_the_download_is_as_large_as_all_weights_in_float32():
    with torch.device("meta"):
        vae = count_weights(make_vae(TRUE_VAE))
    megabytes = (sum(NUM_WEIGHTS.values()) + vae) * 4 / 1e6
    assert PROFILES["sd2"].hub.megabytes == pytest.approx(megabytes, rel=1e-3)


# --- the penultimate layer


@torch.no_grad()
def read_last_but_one(clip, token_ids):
    """Return CLIP's hidden state before its last layer, normalized."""
    hidden = clip.token_embedding(token_ids) + clip.positional_embedding
    for block in clip.transformer.resblocks[:-1]:
        hidden = block(hidden, attn_mask=clip.attn_mask)
    return clip.ln_final(hidden)


def test_the_pipeline_reads_clip_s_last_layer_but_one(sd2_models):
    models = sd2_models
    prompt = "a photo of a corgi"
    token_ids = tokenize_prompts(models.pipeline.tokenizer, prompt)
    expected = read_last_but_one(models.clip, token_ids)
    assert torch.allclose(encode_prompts(models, prompt), expected, atol=1e-4)
    assert expected.std() > 0.1


def test_both_encoders_see_the_same_vector(sd2_models, make_word):
    models, prompt = sd2_models, "a photo of X"
    words = [make_word(width=1024)]
    token_ids = tokenize_prompts(
        models.pipeline.tokenizer, prompt, words=words
    )
    with use_words(models.clip, words):
        expected = read_last_but_one(models.clip, token_ids)
    embeds = encode_prompts(models, prompt, words)
    assert torch.allclose(embeds, expected, atol=1e-4)
    other = encode_prompts(models, prompt, [make_word(width=1024, seed=4)])
    assert not torch.allclose(embeds, other, atol=1e-2)


def test_a_word_is_learned_and_drawn_and_nothing_else_moves(
    sd2_models, images
):
    models = sd2_models
    before = fingerprint_models(models)
    word = learn_word(
        models, images, recipe="denoising", steps=4, progress=False
    )
    history = word.history.curve("evaluation")[1]
    assert history[-1] < history[0]
    assert word.vectors.shape == (1, 1024) and word.base_model == "sd2"
    [image] = generate(
        models, "a photo of X", [word], num_inference_steps=2, progress=False
    )
    assert image.size == (512, 512)
    assert fingerprint_models(models) == before


def test_models_of_768_pixels_are_learned_with_at_that_size(
    folder, tmp_path, monkeypatch
):
    for path in folder.iterdir():
        if path.name != "unet":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "unet").mkdir()
    for path in (folder / "unet").iterdir():
        (tmp_path / "unet" / path.name).write_bytes(path.read_bytes())
    change_json(tmp_path / "unet" / "config.json", sample_size=96)
    monkeypatch.setenv("TUTORIAL_SD2", str(tmp_path))
    assert load_models("sd2", device="cpu").profile.size == 768


def test_models_of_another_family_are_refused(standin, monkeypatch):
    monkeypatch.setenv("TUTORIAL_SD2", str(standin))
    with pytest.raises(DataError, match="768 numbers and not 1024"):
        load_models("sd2", device="cpu")
