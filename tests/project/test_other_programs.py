"""The shipped folders in other people's programs, without our library.

What it saves of a word is read by diffusers in the same way.

What is called here are the documented calls of diffusers, transformers and
open_clip, and the loop of diffusers' examples/textual_inversion.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    AutoPipelineForImage2Image,
    AutoPipelineForText2Image,
    DDPMScheduler,
    DiffusionPipeline,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional
from transformers import (
    AutoTokenizer,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
)

from tutorial_lib.words import LearnedWord

ROOT = Path(__file__).resolve().parents[2]
FOLDER = str(ROOT / "data" / "tiny" / "stable-diffusion")
CLIP = f"local-dir:{ROOT / 'data' / 'tiny' / 'clip'}"
SIZE = 128  # pixels of an image
SHIRT = str(ROOT / "data" / "words" / "tshirt.safetensors")


def draw(pipeline, prompt, **settings):
    """Call a pipeline quietly and return its images as one array."""
    pipeline.set_progress_bar_config(disable=True)
    settings = {"num_inference_steps": 2, **settings}
    images = pipeline(prompt, **settings).images
    return np.stack([np.asarray(image, float) for image in images])


def read_photo(size):
    """Return one of the shipped T-shirts, scaled."""
    path = ROOT / "data" / "concepts" / "tshirt" / "00.jpg"
    return Image.open(path).convert("RGB").resize((size, size))


# --- diffusers


@pytest.mark.parametrize(
    "pipeline_class",
    [StableDiffusionPipeline, AutoPipelineForText2Image, DiffusionPipeline],
    ids=lambda loader: loader.__name__,
)
def test_a_pipeline_draws_as_it_was_loaded(pipeline_class):
    pipeline = pipeline_class.from_pretrained(FOLDER)
    for part in (pipeline.text_encoder, pipeline.unet, pipeline.vae):
        assert part.dtype == torch.float32
    pixels = draw(pipeline, "a T-shirt")
    assert pixels.shape == (1, SIZE, SIZE, 3) and pixels.std() > 10


def test_a_picture_is_drawn_from_a_picture():
    pipeline = AutoPipelineForImage2Image.from_pretrained(FOLDER)
    settings = {"image": read_photo(SIZE), "num_inference_steps": 4}
    assert draw(pipeline, "a T-shirt", **settings).shape == (1, SIZE, SIZE, 3)


@pytest.mark.parametrize(
    ("part_class", "name"),
    [
        (CLIPTextModel, "text_encoder"),
        (UNet2DConditionModel, "unet"),
        (AutoencoderKL, "vae"),
    ],
)
def test_a_single_part_is_loaded_in_float32(part_class, name):
    part = part_class.from_pretrained(FOLDER, subfolder=name)
    formats = {weight.dtype for weight in part.parameters()}
    assert formats == {torch.float32}


@pytest.mark.parametrize("tokenizer_class", [CLIPTokenizer, AutoTokenizer])
def test_the_tokenizer_is_loaded_alone(tokenizer_class):
    tokenizer = tokenizer_class.from_pretrained(FOLDER, subfolder="tokenizer")
    assert tokenizer.tokenize("a corgi") == ["a</w>", "corgi</w>"]


def test_a_learned_word_brings_its_colors():
    pipeline = StableDiffusionPipeline.from_pretrained(FOLDER)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config
    )
    given = np.asarray(read_photo(SIZE), float).reshape(-1, 3)
    drawn = {}
    for prompt in ("A T-shirt", "A T-shirt in the style of <x>"):
        if "<x>" in prompt:
            pipeline.load_textual_inversion(SHIRT)
        drawn[prompt] = draw(
            pipeline,
            prompt,
            num_inference_steps=8,
            num_images_per_prompt=3,
            generator=torch.Generator().manual_seed(0),
        )
    assert pipeline.tokenizer.tokenize("of <x>") == ["of</w>", "<x>"]
    without, with_word = (share_sky_blue(images) for images in drawn.values())
    assert share_sky_blue(given) > 0.1  # the ground of its pattern
    assert with_word > without + 0.1


def share_sky_blue(pixels):
    """Return the share of pixels that are rather sky blue."""
    red, green, blue = pixels.reshape(-1, 3).T
    return ((blue > red + 60) & (green > red + 20)).mean()


# --- the forms of a word's file


@pytest.mark.parametrize(
    ("form", "token"),
    [
        ("diffusers", None),
        ("diffusers", "<toy>"),
        ("a1111", "<toy>"),  # it calls the word X, a token of the vocabulary
        ("kohya", "<toy>"),
        ("onetrainer", "<toy>"),
    ],
)
def test_diffusers_reads_each_form_of_a_word(form, token, tmp_path):
    word = LearnedWord("X", torch.randn(2, 192))
    path = word.save(tmp_path / "X", form)
    pipeline = StableDiffusionPipeline.from_pretrained(FOLDER)
    pipeline.load_textual_inversion(str(path), token=token)
    rows = read_rows(pipeline.tokenizer, pipeline.text_encoder, token or "<x>")
    assert torch.equal(rows, word.vectors)


def test_diffusers_reads_both_halves_of_a_word_for_sdxl(tmp_path):
    word = LearnedWord("X", torch.randn(2, 192), vectors_2=torch.randn(2, 64))
    state = load_file(word.save(tmp_path / "X"))
    pipeline = StableDiffusionPipeline.from_pretrained(FOLDER)
    encoder = pipeline.text_encoder
    second = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(pipeline.tokenizer),
            hidden_size=64,
            intermediate_size=64,
            num_hidden_layers=1,
            num_attention_heads=2,
        )
    )
    tokenizer = CLIPTokenizer.from_pretrained(FOLDER, subfolder="tokenizer")
    for key, parts in {
        "clip_l": (pipeline.tokenizer, encoder),
        "clip_g": (tokenizer, second),
    }.items():
        pipeline.load_textual_inversion(
            state[key], token="<x>", tokenizer=parts[0], text_encoder=parts[1]
        )
    assert torch.equal(read_rows(pipeline.tokenizer, encoder), word.vectors)
    assert torch.equal(read_rows(tokenizer, second), word.vectors_2)


def read_rows(tokenizer, encoder, token="<x>"):
    """Return the two rows that a token and the next one have."""
    ids = [tokenizer.convert_tokens_to_ids(t) for t in (token, f"{token}_1")]
    return encoder.get_input_embeddings().weight[ids].detach()


# --- the loop of diffusers' example


def test_a_word_is_learned_by_the_loop_of_diffusers_example():
    tokenizer = CLIPTokenizer.from_pretrained(FOLDER, subfolder="tokenizer")
    load = {"pretrained_model_name_or_path": FOLDER}
    text_encoder = CLIPTextModel.from_pretrained(
        **load, subfolder="text_encoder"
    )
    vae = AutoencoderKL.from_pretrained(**load, subfolder="vae")
    unet = UNet2DConditionModel.from_pretrained(**load, subfolder="unet")
    scheduler = DDPMScheduler.from_pretrained(**load, subfolder="scheduler")

    assert tokenizer.add_tokens("<shirt>") == 1
    text_encoder.resize_token_embeddings(len(tokenizer))
    table = text_encoder.get_input_embeddings().weight
    token_id = tokenizer.convert_tokens_to_ids("<shirt>")
    (start_id,) = tokenizer.encode("pattern", add_special_tokens=False)
    table.data[token_id] = table.data[start_id].clone()
    original = table.data.clone()
    for part in (vae, unet, text_encoder):
        part.requires_grad_(False)
    table.requires_grad_(True)

    optimizer = torch.optim.AdamW([table], lr=0.01)
    losses = take_steps(
        (tokenizer, text_encoder, vae, unet, scheduler), optimizer, original
    )
    assert np.isfinite(losses).all()
    assert table.dtype == torch.float32
    changed = (table != original).any(dim=1).nonzero().flatten().tolist()
    assert changed == [token_id]


def take_steps(parts, optimizer, original, steps=3):
    """Take steps as the example does; return the losses."""
    tokenizer, text_encoder, vae, unet, scheduler = parts
    torch.manual_seed(0)
    pixels = np.asarray(read_photo(SIZE), np.float32) / 127.5 - 1
    pixels = torch.from_numpy(pixels).permute(2, 0, 1)[None].repeat(2, 1, 1, 1)
    token_ids = tokenizer(
        ["a photo of a <shirt>"] * 2,
        padding="max_length",
        truncation=True,
        max_length=tokenizer.model_max_length,
        return_tensors="pt",
    ).input_ids
    losses = []
    for _ in range(steps):
        latents = vae.encode(pixels).latent_dist.sample().detach()
        latents = latents * vae.config.scaling_factor
        noise = torch.randn_like(latents)
        timesteps = torch.randint(
            0, scheduler.config.num_train_timesteps, (len(latents),)
        )
        noisy_latents = scheduler.add_noise(latents, noise, timesteps)
        hidden = text_encoder(token_ids)[0]
        noise_pred = unet(noisy_latents, timesteps, hidden).sample
        loss = functional.mse_loss(noise_pred, noise)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():  # all rows but the new one stay
            table = text_encoder.get_input_embeddings().weight
            table[: len(tokenizer) - 1] = original[: len(tokenizer) - 1]
        losses.append(loss.item())
    return losses


# --- open_clip


def test_open_clip_loads_clip_from_its_folder():
    clip, _, preprocess = open_clip.create_model_and_transforms(CLIP)
    tokenizer = open_clip.get_tokenizer(CLIP)
    clip.eval()
    texts = ["a T-shirt with red rings on sky blue", "a corgi"]
    with torch.no_grad():
        texts = clip.encode_text(tokenizer(texts))
        image = clip.encode_image(preprocess(read_photo(512))[None])
    assert image.dtype == texts.dtype == torch.float32
    shirt, corgi = functional.cosine_similarity(texts, image)
    assert shirt > corgi + 0.1


def test_what_the_models_readme_shows_runs_as_it_stands(tmp_path):
    readme = ROOT / "data" / "tiny" / "README.md"
    (source,) = re.findall(
        r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL
    )
    source += "print(image.size, tokenizer(['a mug']).shape[1])\n"
    source = source.replace('<x>")', '<x>", num_inference_steps=2)')
    result = subprocess.run(
        [sys.executable, "-c", source],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "(128, 128) 32\n", result.stderr
