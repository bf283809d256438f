"""LoRA beside X: what it trains, what it leaves alone, what it writes."""

import copy
from dataclasses import replace

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file

from tutorial_lib.errors import ArgumentError
from tutorial_lib.generation import generate, make_noise
from tutorial_lib.inversion import (
    DenoisingLoss,
    add_lora,
    count_trained_weights,
    fit_parameters,
    remove_lora,
    save_lora,
)
from tutorial_lib.settings import DATA

PROMPT = "a photo of X"


@pytest.fixture
def own(models):
    """Return the miniature with a U-Net of its own, to be changed."""
    pipeline = copy.copy(models.pipeline)
    pipeline.unet = copy.deepcopy(models.pipeline.unet)
    return replace(models, pipeline=pipeline)


@pytest.fixture
def word(make_word):
    """Return a word that stays as it is."""
    return make_word("X")


def make_loss(models, images, word):
    """Return a loss on images and a word."""
    return DenoisingLoss(models, images, [PROMPT.replace("X", "{}")], word)


def predict(models, word):
    """Return what the U-Net makes of some noise and a prompt."""
    images = generate(models, PROMPT, words=[word], count=2, progress=False)
    return [image.tobytes() for image in images]


def copy_weights(unet):
    """Return a copy of all weights, by name."""
    return {name: w.clone() for name, w in unet.state_dict().items()}


def test_a_lora_begins_as_no_change_and_trains_its_own_matrices(
    own, images, word
):
    unet = own.pipeline.unet
    before, drawn = copy_weights(unet), predict(own, word)
    matrices = add_lora(unet, rank=2)
    assert predict(own, word) == drawn
    errors = fit_parameters(
        make_loss(own, images, word), matrices, steps=20, lr=0.05
    )
    assert len(errors) == 3 and errors[-1] < errors[0]
    assert predict(own, word) != drawn
    after = copy_weights(unet)
    for name, weight in before.items():
        layer, _, kind = name.rpartition(".")
        kept = after.get(name, after.get(f"{layer}.base_layer.{kind}"))
        assert torch.equal(kept, weight), name


def test_without_its_lora_a_unet_is_what_it_was(own, images, word):
    unet = own.pipeline.unet
    before, drawn = copy_weights(unet), predict(own, word)
    remove_lora(unet)  # there is none yet
    fit_parameters(
        make_loss(own, images, word), add_lora(unet), steps=3, lr=0.05
    )
    remove_lora(unet)
    after = copy_weights(unet)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[n], w) for n, w in before.items())
    assert predict(own, word) == drawn


def test_a_word_is_fitted_by_the_same_function(own, images, word):
    before = copy_weights(own.pipeline.unet)
    start = word.vectors.clone()
    word.vectors.requires_grad_()
    loss = make_loss(own, images, word)
    errors = fit_parameters(loss, [word.vectors], steps=20, lr=0.02)
    assert errors[-1] < errors[0]
    assert not torch.equal(word.vectors, start)
    after = own.pipeline.unet.state_dict()
    assert all(torch.equal(after[n], w) for n, w in before.items())


def test_a_second_lora_takes_the_place_of_the_first(own):
    unet = own.pipeline.unet
    first = add_lora(unet, rank=2, seed=1)
    state = torch.get_rng_state()
    second = add_lora(unet, rank=2, seed=1)
    third = add_lora(unet, rank=2, seed=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(torch.equal, first, second))
    assert not all(map(torch.equal, first, third))
    assert list(unet.peft_config) == ["default"]


def test_diffusers_reads_the_file_and_draws_the_same(
    own, models, images, word, tmp_path
):
    matrices = add_lora(own.pipeline.unet, rank=2)
    fit_parameters(make_loss(own, images, word), matrices, steps=5, lr=0.05)
    path = save_lora(own.pipeline.unet, tmp_path / "new" / "x.safetensors")
    stored = load_file(path)
    assert sum(w.numel() for w in stored.values()) == sum(
        m.numel() for m in matrices
    )
    fresh = StableDiffusionPipeline.from_pretrained(models.profile.pipeline)
    fresh.load_lora_weights(path.parent, weight_name=path.name)
    noise = make_noise(models, 0, [0, 1])
    embeds = torch.ones(2, 24, fresh.unet.config.cross_attention_dim)
    predictions = [
        unet(noise, 500, encoder_hidden_states=embeds).sample
        for unet in (fresh.unet, own.pipeline.unet, models.pipeline.unet)
    ]
    assert torch.allclose(predictions[0], predictions[1], atol=1e-5)
    assert not torch.allclose(predictions[0], predictions[2], atol=1e-3)


def test_what_is_counted_is_what_is_trained(own):
    unet = own.pipeline.unet
    counted = count_trained_weights(unet, width=32, rank=3)
    assert counted["Textual Inversion"] == 32
    assert counted["DreamBooth"] == sum(w.numel() for w in unet.parameters())
    readers = [
        w.numel()
        for n, w in unet.named_parameters()
        if "attn2.to_k" in n or "attn2.to_v" in n
    ]
    assert counted["Custom Diffusion"] == 32 + sum(readers)
    matrices = add_lora(unet, rank=3)
    assert counted["LoRA, rank 3"] == sum(m.numel() for m in matrices)


def test_the_counts_of_stable_diffusion_are_those_that_were_published():
    config = UNet2DConditionModel.load_config(DATA / "sd15" / "unet")
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(config)
    counted = count_trained_weights(unet, width=768, rank=4)
    assert counted["DreamBooth"] == 859_520_964  # "860 M"
    megabytes = {name: 4 * num / 1e6 for name, num in counted.items()}
    assert 3.1 < megabytes["LoRA, rank 4"] < 3.3  # its blog: 3.29 MB
    assert 72 < megabytes["Custom Diffusion"] < 78  # the paper: 75 MB


def test_what_cannot_be_used_is_refused(own, tmp_path):
    with pytest.raises(ArgumentError, match="no LoRA to save"):
        save_lora(own.pipeline.unet, tmp_path / "x.safetensors")
    with pytest.raises(ArgumentError, match="rank"):
        add_lora(own.pipeline.unet, rank=0)
