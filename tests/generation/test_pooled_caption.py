"""The pooled caption: a road of its own into the U-Net, exchanged alone."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from mini_models import WIDTH

from tutorial_lib.errors import ArgumentError, WordError
from tutorial_lib.generation import (
    encode_prompts,
    generate,
    generate_with_pooled_caption,
    make_noise,
    predict_noise,
    use_pooled_caption,
)


@pytest.fixture(scope="module")
def pooling(models):
    """Return the miniature with a U-Net that pools its caption as well."""
    torch.manual_seed(2)
    unet = UNet2DConditionModel(
        sample_size=8,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        block_out_channels=(16, 16),
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=8,
        cross_attention_dim=WIDTH,
        addition_embed_type="text",
        addition_embed_type_num_heads=2,
    ).eval()
    pipeline = copy.copy(models.pipeline)
    pipeline.unet = unet
    return replace(models, pipeline=pipeline)


def differ(some, others):
    """Return the largest difference of two lists of images, 0 to 255."""
    pairs = zip(some, others, strict=True)
    return max(
        np.abs(np.asarray(a, int) - np.asarray(b, int)).max() for a, b in pairs
    )


@pytest.mark.parametrize("scale", [1, 9])
def test_the_prompt_as_its_own_pooled_caption_changes_nothing(
    pooling, make_word, scale
):
    prompt, word = "a photo of X", make_word("X")
    given = {"words": word, "count": 2, "seed": 3, "guidance_scale": scale}
    own = generate_with_pooled_caption(pooling, prompt, prompt, **given)
    assert differ(own, generate(pooling, prompt, **given)) <= 1


@pytest.mark.parametrize("scale", [1, 9])
def test_another_pooled_caption_is_heard(pooling, scale):
    given = {"count": 2, "guidance_scale": scale}
    usual = generate(pooling, "a corgi", **given)
    for other in ("", "a blue mug"):
        images = generate_with_pooled_caption(
            pooling, "a corgi", other, **given
        )
        assert differ(usual, images) > 0


def test_the_pooled_caption_alone_is_exchanged(pooling, monkeypatch):
    """The U-Net gets what it would, if add_embedding were computed apart."""
    unet, noise = pooling.pipeline.unet, make_noise(pooling, 0, [0])
    corgi, mug = encode_prompts(pooling, ["a corgi", "a blue mug"]).split(1)
    with use_pooled_caption(unet, mug):
        exchanged = predict_noise(pooling, noise, 500, corgi)
    vector = unet.add_embedding(mug)
    monkeypatch.setattr(unet.add_embedding, "forward", lambda _: vector)
    expected = predict_noise(pooling, noise, 500, corgi)
    assert torch.equal(exchanged, expected)
    monkeypatch.undo()
    for caption in (corgi, mug):
        usual = predict_noise(pooling, noise, 500, caption)
        assert (exchanged - usual).abs().max() > 1e-4


def test_with_guidance_the_empty_text_keeps_its_own(pooling):
    unet, noise = pooling.pipeline.unet, make_noise(pooling, 0, [0])
    embeds = encode_prompts(pooling, ["", "a corgi", "a blue mug"])
    twice = noise.repeat(2, 1, 1, 1)
    usual = predict_noise(pooling, twice, 500, embeds[:2])
    with use_pooled_caption(unet, embeds[2:], is_guided=True):
        exchanged = predict_noise(pooling, twice, 500, embeds[:2])
    assert torch.allclose(exchanged[0], usual[0], atol=1e-6)
    assert (exchanged[1] - usual[1]).abs().max() > 1e-4
    again = predict_noise(pooling, twice, 500, embeds[:2])
    assert torch.equal(again, usual)  # the exchange has ended


def test_a_word_may_stand_in_either_text(pooling, make_word):
    x, y = make_word("X"), make_word("Y", num_vectors=2, seed=9)
    given = {"words": [x, y], "guidance_scale": 9}
    images = generate_with_pooled_caption(pooling, "an X", "a Y", **given)
    swapped = [x.rename("Y"), y.rename("X")]
    assert differ(
        images,
        generate_with_pooled_caption(
            pooling, "an X", "a Y", words=swapped, guidance_scale=9
        ),
    )
    with pytest.raises(WordError, match='"Y" stands in none'):
        generate_with_pooled_caption(pooling, "an X", "an X", words=[x, y])


def test_a_unet_with_one_road_is_refused(models):
    with pytest.raises(ArgumentError, match="no pooled caption.*tiny"):
        generate_with_pooled_caption(models, "a corgi", "")
