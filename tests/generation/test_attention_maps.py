"""Attention maps: the weights that are used, kept without a change."""

import pytest
import torch

from tutorial_lib.errors import ArgumentError, WordError
from tutorial_lib.generation import (
    encode_prompts,
    generate,
    generate_with_attention,
    make_noise,
    predict_noise,
    record_attention,
    stack_attention,
    upsample_maps,
)
from tutorial_lib.generation.attention_maps import compute_attention
from tutorial_lib.words import LearnedWord

PROMPT = "a photo of Y wearing a shirt in the style of X"


@pytest.fixture(scope="module")
def pair():
    """Return two words, one of them of two vectors."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(2, 32, generator=generator)
    y = torch.randn(1, 32, generator=generator)
    return [LearnedWord("X", x), LearnedWord("Y", y)]


@pytest.fixture(scope="module")
def maps(models, pair):
    """Return the maps of a picture of two words."""
    return generate_with_attention(models, PROMPT, words=pair, seed=4)


@pytest.mark.parametrize("scale", [1, 9])
@pytest.mark.parametrize("number", [0, 2])
def test_the_image_is_that_of_generate_to_the_bit(models, pair, scale, number):
    settings = {"words": pair, "seed": 4, "guidance_scale": scale}
    one = generate_with_attention(models, PROMPT, number=number, **settings)
    images = generate(models, PROMPT, count=3, batch_size=1, **settings)
    assert one.image.tobytes() == images[number].tobytes()


def test_there_is_a_map_for_each_layer_step_and_token(models, maps):
    steps = models.profile.num_inference_steps
    assert len(maps.timesteps) == steps
    assert sorted(maps.timesteps, reverse=True) == maps.timesteps
    num = len(maps.tokens)
    assert {name: tuple(x.shape) for name, x in maps.layers.items()} == {
        "down 8 x 8": (steps, num, 8, 8),
        "mid 4 x 4": (steps, num, 4, 4),
        "up 8 x 8": (steps, num, 8, 8),
        "up 8 x 8 (2)": (steps, num, 8, 8),
    }


def test_the_shares_of_all_tokens_add_up_to_one(maps):
    for layer in maps.layers.values():
        assert torch.allclose(layer.sum(dim=1), torch.ones(()), atol=1e-5)
        assert layer.min() >= 0
    assert maps.tokens[-1].token == "<padding>"


def test_the_weights_are_those_that_the_layer_computes_with(models):
    unet = models.pipeline.unet
    attn = next(
        module
        for name, module in unet.named_modules()
        if name.endswith("attn2")
    )
    torch.manual_seed(0)
    cells = torch.randn(2, 16, attn.to_q.in_features)
    embeds = torch.randn(2, 5, attn.to_k.in_features)
    heads, values = attn.heads, attn.to_v(embeds)
    weights = attn.get_attention_scores(
        attn.head_to_batch_dim(attn.to_q(cells)),
        attn.head_to_batch_dim(attn.to_k(embeds)),
    )
    mixed = torch.bmm(weights, attn.head_to_batch_dim(values))
    expected = attn.to_out[0](attn.batch_to_head_dim(mixed))
    assert torch.allclose(attn(cells, embeds), expected, atol=1e-5)
    maps = compute_attention(attn, cells, embeds)
    by_hand = weights.view(2, heads, 4, 4, 5).mean(1).permute(0, 3, 1, 2)
    assert torch.allclose(maps, by_hand, atol=1e-6)


def test_with_guidance_the_maps_are_the_prompts(models):
    unet = models.pipeline.unet
    embeds = encode_prompts(models, ["", "a corgi"])
    noise = make_noise(models, 0, [0])
    with record_attention(unet, 1, 4) as both:
        predict_noise(models, noise.repeat(2, 1, 1, 1), 500, embeds)
    with record_attention(unet, 1, 4) as prompt:
        predict_noise(models, noise, 500, embeds[1:])
    with record_attention(unet, 1, 4) as empty:
        predict_noise(models, noise, 500, embeds[:1])
    for name in both:
        assert torch.allclose(both[name][0], prompt[name][0], atol=1e-5)
        assert (both[name][0] - empty[name][0]).abs().max() > 1e-3


def test_recording_leaves_the_unet_as_it_was(models):
    unet = models.pipeline.unet
    before = dict(unet.attn_processors)
    embeds, noise = encode_prompts(models, "corgi"), make_noise(models, 0, 0)
    expected = predict_noise(models, noise, 500, embeds)
    with pytest.raises(RuntimeError, match="stop"):
        with record_attention(unet, 1, 3):
            inside = predict_noise(models, noise, 500, embeds)
            raise RuntimeError("stop")
    assert torch.equal(inside, expected)
    assert dict(unet.attn_processors) == before


def test_a_map_has_the_rows_and_columns_of_the_latents(models):
    unet = models.pipeline.unet
    attn = unet.down_blocks[0].attentions[0].transformer_blocks[0].attn2
    torch.manual_seed(0)
    cells = torch.zeros(1, 64, attn.to_q.in_features)
    embeds = torch.randn(1, 5, attn.to_k.in_features)
    even = compute_attention(attn, cells, embeds)
    assert torch.allclose(even, torch.full((), 0.2))  # nothing is asked
    cells[0, 8 * 2 + 5] = torch.randn(attn.to_q.in_features)
    changed = (compute_attention(attn, cells, embeds) != even).any(dim=1)
    assert changed.nonzero().tolist() == [[0, 2, 5]]


# --- looked up


def test_a_words_map_is_the_sum_of_its_vectors(maps):
    whole = stack_attention(maps, "X")
    parts = [stack_attention(maps, token) for token in ("X 1", "X 2")]
    assert torch.allclose(whole, sum(parts), atol=1e-6)
    side = max(layer.shape[-1] for layer in maps.layers.values())
    steps = len(maps.timesteps)
    assert whole.shape == (len(maps.layers), steps, side, side)


def test_all_tokens_together_fill_the_picture(maps):
    tokens = dict.fromkeys(label.token for label in maps.tokens)
    total = sum(stack_attention(maps, token) for token in tokens)
    assert torch.allclose(total, torch.ones(()), atol=1e-5)


def test_a_token_that_is_not_there_is_refused_with_the_choice(maps):
    with pytest.raises(
        ArgumentError, match='"Z" is unknown; say one of .*"X"'
    ):
        stack_attention(maps, "Z")


def test_a_word_that_is_not_in_the_prompt_is_refused(models, pair):
    with pytest.raises(WordError, match="stands in none of the prompts"):
        generate_with_attention(models, "a photo of X", words=pair)


def test_enlarged_maps_keep_their_corners_and_their_mean():
    maps = torch.zeros(2, 3, 4, 4)
    maps[..., 0, 0], maps[..., 3, 3] = 1.0, 0.5
    large = upsample_maps(maps, 64)
    assert large.shape == (2, 3, 64, 64)
    assert torch.allclose(large[..., 0, 0], torch.ones(()))
    assert torch.allclose(large[..., -1, -1], torch.full((), 0.5))
    assert 0 <= large.min() and large.max() <= 1
