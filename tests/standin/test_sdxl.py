"""A stand-in has the shapes of the real Stable Diffusion XL 1.0.

It has two text encoders, and a word has a vector for each.
"""

import copy
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from diffusers import StableDiffusionXLPipeline
from sdxl_weights import hash_weights, list_parts
from standins import (
    TRUE_TEXT_2,
    TRUE_UNET_XL,
    TRUE_VAE,
    make_second_encoder,
    make_unet,
    make_vae,
)

from tutorial_lib import learn_word
from tutorial_lib.errors import WordError
from tutorial_lib.generation import (
    encode_prompts,
    make_noise,
    predict_noise,
)
from tutorial_lib.inversion import (
    DenoisingLoss,
    TextualInversionTrainer,
    TrainingConfig,
)
from tutorial_lib.settings import PROFILES
from tutorial_lib.words import initialize_word, tokenize_prompts

SDXL = PROFILES["sdxl"]
PROMPT = "A photo of X, in winter"
# Counted in the real models.
NUM_WEIGHTS = {
    "unet": 2_567_463_684,
    "vae": 83_653_863,
    "text_encoder": 123_060_480,
    "text_encoder_2": 694_659_840,
    "clip": 427_616_513,  # ViT-L/14
}


@pytest.fixture
def word(sdxl_learning):
    """Return a word that was learned with the stand-in."""
    return sdxl_learning[0]


# --- shapes


def test_the_standin_s_edges_are_those_of_the_profile(sdxl):
    pipeline = sdxl.pipeline
    assert isinstance(pipeline, StableDiffusionXLPipeline)
    assert sdxl.profile.size == SDXL.size == 1024
    assert SDXL.embedding_widths == (768, 1280)
    assert pipeline.text_encoder.config.hidden_size == 768
    assert pipeline.text_encoder_2.config.hidden_size == 1280
    assert pipeline.text_encoder_2.config.eos_token_id == 2  # as the real one
    assert pipeline.tokenizer.pad_token == "<|endoftext|>"
    assert pipeline.tokenizer_2.pad_token == "!"
    assert make_noise(sdxl, seed=0, numbers=[0]).shape == (1, 4, 128, 128)
    assert pipeline.vae.config.scaling_factor == 0.13025
    assert pipeline.scheduler.config.prediction_type == "epsilon"
    for part in list_parts(sdxl).values():
        assert not part.training
        assert not any(p.requires_grad for p in part.parameters())
        assert {p.dtype for p in part.parameters()} == {torch.float32}


def count_weights(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder_2"])
def test_the_true_architecture_has_as_many_weights_as_the_real_one(part):
    make, config = {
        "unet": (make_unet, TRUE_UNET_XL),
        "vae": (make_vae, TRUE_VAE),
        "text_encoder_2": (make_second_encoder, TRUE_TEXT_2),
    }[part]
    with torch.device("meta"):
        assert count_weights(make(config)) == NUM_WEIGHTS[part]


def test_the_download_is_as_large_as_the_weights_in_float16_and_clip():
    clip = NUM_WEIGHTS["clip"]
    count = 2 * (sum(NUM_WEIGHTS.values()) - clip) + 4 * clip
    assert SDXL.hub.megabytes == pytest.approx(count / 1e6, rel=1e-3)


# --- prompts


def test_prompts_are_encoded_as_diffusers_encodes_them(sdxl):
    prompts = ["A corgi", "A T-shirt in the style of pattern, in winter"]
    with torch.no_grad():
        hidden, _, pooled, _ = sdxl.pipeline.encode_prompt(prompts)
    embeds = encode_prompts(sdxl, prompts)
    assert embeds.shape == (2, 78, 2048)
    assert torch.equal(embeds[:, :-1], hidden)
    assert torch.equal(embeds[:, -1, :1280], pooled)
    assert not embeds[:, -1, 1280:].any()
    assert hidden.std() > 0.01 and pooled.std() > 0.1  # they say something


def test_the_empty_prompt_is_all_zeros_as_in_diffusers(sdxl):
    embeds = encode_prompts(sdxl, ["", "A corgi"])
    assert not embeds[0].any() and embeds[1].any()


def test_the_second_encoder_gets_its_own_padding(sdxl):
    pipeline, asked = sdxl.pipeline, []
    handle = pipeline.text_encoder_2.register_forward_pre_hook(
        lambda _, arguments: asked.append(arguments[0])
    )
    try:
        encode_prompts(sdxl, ["A corgi", ""])
    finally:
        handle.remove()
    expected = tokenize_prompts(pipeline.tokenizer_2, ["A corgi", ""])
    assert (expected == 0).any()
    assert torch.equal(asked[0], expected)


@torch.no_grad()
def test_the_u_net_finds_the_pooled_text_in_prompt_embeds(sdxl):
    embeds = encode_prompts(sdxl, "A corgi")
    noise = make_noise(sdxl, seed=0, numbers=[0])
    predicted = predict_noise(sdxl, noise, 500, embeds)
    size = torch.tensor([[1024.0, 1024.0, 0.0, 0.0, 1024.0, 1024.0]])
    condition = {"text_embeds": embeds[:, -1, :1280], "time_ids": size}
    expected = sdxl.pipeline.unet(
        noise, 500, embeds[:, :-1], added_cond_kwargs=condition
    ).sample
    assert torch.equal(predicted, expected)
    embeds[:, -1] = 0
    assert not torch.equal(predict_noise(sdxl, noise, 500, embeds), expected)


def test_each_encoder_reads_its_own_vectors(sdxl, word):
    embeds = encode_prompts(sdxl, PROMPT, word)
    first = replace(word, vectors=word.vectors + 0.1)
    second = replace(word, vectors_2=word.vectors_2 + 0.1)
    with_first = encode_prompts(sdxl, PROMPT, first)
    with_second = encode_prompts(sdxl, PROMPT, second)
    assert torch.equal(with_first[..., 768:], embeds[..., 768:])
    assert not torch.equal(with_first[:, 5:-1], embeds[:, 5:-1])
    assert torch.equal(with_second[:, :-1, :768], embeds[:, :-1, :768])
    assert not torch.equal(with_second[:, -1], embeds[:, -1])


def test_the_pooled_text_is_read_at_the_end_and_not_at_x(sdxl, word):
    # What stands behind X counts, though X has the largest token id.
    winter, summer = (
        encode_prompts(sdxl, f"A photo of X, in {season}", word)[:, -1]
        for season in ("winter", "summer")
    )
    assert not torch.equal(winter, summer)


# --- learning


def test_both_vectors_are_learned_and_nothing_else_moves(sdxl, sdxl_learning):
    word, before = sdxl_learning
    evaluations = word.history.curve("evaluation")[1]
    assert evaluations[-1] < evaluations[0]
    start = initialize_word(sdxl, "X", word.initializer, 1)
    assert word.vectors.shape == (1, 768)
    assert word.vectors_2.shape == (1, 1280)
    assert not torch.equal(word.vectors, start.vectors)
    assert not torch.equal(word.vectors_2, start.vectors_2)
    assert (word.base_model, word.recipe, word.steps) == (
        "sdxl",
        "denoising",
        4,
    )
    assert hash_weights(sdxl) == before


def test_a_word_begins_as_the_initializer_in_both_encoders(sdxl):
    word = initialize_word(sdxl, "X", "red pattern", 3)
    ids = sdxl.clip_tokenizer.encode("red pattern")
    rows = torch.tensor([ids[0], ids[1], ids[0]])
    second = sdxl.pipeline.text_encoder_2.get_input_embeddings().weight
    first = sdxl.clip.token_embedding.weight
    assert torch.equal(word.vectors, first[rows])
    assert torch.equal(word.vectors_2, second[rows])
    assert word.vectors.requires_grad and word.vectors_2.requires_grad
    again = initialize_word(sdxl, "Y", word, 3)
    assert torch.equal(again.vectors_2, word.vectors_2)


def test_the_usual_recipe_is_denoising_alone_and_says_so(sdxl, images, capsys):
    word = learn_word(sdxl, images[:1], kind="pattern", steps=1, batch_size=1)
    assert word.recipe == "denoising"
    assert {entry["recipe"] for entry in word.history} == {"denoising"}
    assert "by denoising alone" in capsys.readouterr().out


def test_the_similarity_recipe_is_refused_with_the_remedy(sdxl, images):
    with pytest.raises(WordError, match='the first.*say recipe="denoising"'):
        learn_word(sdxl, images, kind="pattern", recipe="similarity")


@pytest.fixture
def make_trainer(sdxl, images):
    """Return a function that makes trainers for one and the same run."""

    def make(**settings):
        config = TrainingConfig(
            kind="pattern",
            recipe="denoising",
            num_vectors=2,
            **{"steps": 3, "batch_size": 2, **settings},
        )
        return TextualInversionTrainer(
            sdxl, images[:1], config, progress=False
        )

    return make


def test_a_run_goes_on_bit_by_bit_from_its_state(make_trainer):
    whole = make_trainer()
    states = []
    whole.callbacks.append(lambda _: states.append(whole.state_dict()))
    expected = whole.fit()
    rest = make_trainer()
    rest.load_state_dict(states[1])
    word = rest.fit()
    assert torch.equal(word.vectors, expected.vectors)
    assert torch.equal(word.vectors_2, expected.vectors_2)
    assert not torch.equal(states[1]["vectors_2"], expected.vectors_2)


def test_no_vector_gets_longer_than_its_encoder_s_limit(make_trainer):
    trainer = make_trainer(lr=10.0, max_norm=2.0, evaluate_every=1, steps=1)
    norms = []
    trainer.callbacks.append(
        lambda _: norms.append([v.norm(dim=1) for v in trainer.word.tensors])
    )
    trainer.fit()
    for after, limit in zip(norms[-1], trainer.max_norms, strict=True):
        assert torch.allclose(after, torch.full((2,), limit), rtol=1e-5)
    assert trainer.max_norms[0] != trainer.max_norms[1]


def make_loss(models, images, word, **settings):
    """Make the loss of batches of two, on one image, in float32."""
    return DenoisingLoss(
        models,
        images[:1],
        ["a photo of {}"],
        word,
        batch_size=2,
        autocast=False,
        progress=False,
        **settings,
    )


def test_a_batch_in_parts_has_the_same_gradients(sdxl, images):
    gradients = []
    for size in (2, 1):
        word = initialize_word(sdxl, "X", "pattern", 1)
        loss = make_loss(sdxl, images, word, micro_batch_size=size)
        for part in loss.compute_parts(torch.Generator().manual_seed(1)):
            part.backward()
        gradients.append([word.vectors.grad, word.vectors_2.grad])
    for whole, parts in zip(*gradients, strict=True):
        assert whole.any()
        assert torch.allclose(whole, parts, rtol=1e-3, atol=1e-7)


def test_nothing_in_a_step_reads_from_the_cpu_or_waits(sdxl, images):
    """On the device "meta" there are no numbers to wait for or to read.

    So a CUDA graph can record the step.
    """
    word = initialize_word(sdxl, "X", "pattern", 1)
    loss = make_loss(sdxl, images, word)
    pipeline = sdxl.pipeline
    moved = SimpleNamespace(
        config=pipeline.config,
        tokenizer=pipeline.tokenizer,
        tokenizer_2=pipeline.tokenizer_2,
        unet=copy.deepcopy(pipeline.unet).to("meta"),
        text_encoder=copy.deepcopy(pipeline.text_encoder).to("meta"),
        text_encoder_2=copy.deepcopy(pipeline.text_encoder_2).to("meta"),
    )
    vectors, vectors_2, *batch = (
        part.detach().to("meta")
        for part in (*word.tensors, *loss.evaluation_batches[0])
    )
    tensors = vectors.requires_grad_(), vectors_2.requires_grad_()
    loss.models = replace(sdxl, pipeline=moved, device="meta")
    loss.unet = moved.unet
    loss.token_ids = loss.token_ids.to("meta")
    loss.weights = loss.weights.to("meta")
    value = loss._compute_with(tensors[0], *batch, tensors[1])
    gradients = torch.autograd.grad(value, tensors)
    assert [g.shape for g in gradients] == [(1, 768), (1, 1280)]
    with pytest.raises(RuntimeError):  # as reading a loss back would be
        value.item()
