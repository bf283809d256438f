"""The models that the repository ships are whole, small and truly trained."""

import json
import random

import open_clip
import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from tutorial_lib import world
from tutorial_lib.evaluation import load_judges, read_attributes
from tutorial_lib.generation import generate
from tutorial_lib.generation.clip_features import measure_similarity
from tutorial_lib.images import load_concept
from tutorial_lib.models import load_models
from tutorial_lib.settings import DATA, PROFILES
from tutorial_lib.training.shipped_concepts import SHIPPED
from tutorial_lib.words import LearnedWord
from tutorial_lib.world.captioned_scenes import (
    label_scene,
    sample_captioned_scene,
)

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def tiny():
    """Return the shipped models, on the CPU."""
    return load_models("tiny", device="cpu")


@pytest.fixture(scope="module")
def judges():
    """Return the shipped judges."""
    return load_judges()


@pytest.fixture(scope="module")
def fresh():
    """Return images, captions and labels that nobody has ever seen."""
    rng = random.Random("fresh")
    scenes = [sample_captioned_scene(rng) for _ in range(96)]
    size = PROFILES["tiny"].size
    images = [world.render_scene(scene, size) for scene, _ in scenes]
    labels = [label_scene(scene) for scene, _ in scenes]
    return images, [caption for _, caption in scenes], labels


def test_no_file_is_too_large_and_all_together_are_small():
    sizes = [p.stat().st_size for p in DATA.rglob("*") if p.is_file()]
    assert max(sizes) < 50 * MEGABYTE
    assert sum(sizes) < 100 * MEGABYTE


def test_the_pipeline_s_text_encoder_is_clip_s_own():
    clip = load_file(DATA / "tiny" / "clip" / "open_clip_model.safetensors")
    folder = DATA / "tiny" / "stable-diffusion" / "text_encoder"
    stored = load_file(folder / "model.safetensors")
    table = stored["text_model.embeddings.token_embedding.weight"]
    assert torch.equal(table, clip["token_embedding.weight"])
    joined = torch.cat(
        [
            stored[f"text_model.encoder.layers.3.self_attn.{part}_proj.weight"]
            for part in "qkv"
        ]
    )
    theirs = clip["transformer.resblocks.3.attn.in_proj_weight"]
    assert torch.equal(joined, theirs)


def test_both_encoders_read_a_prompt_alike(tiny):
    token_ids = tiny.pipeline.tokenizer("a photo of mary", return_tensors="pt")
    token_ids = token_ids.input_ids
    hidden = tiny.pipeline.text_encoder(token_ids)[0]
    padded = torch.zeros(1, tiny.clip.context_length, dtype=torch.long)
    padded[:, : token_ids.shape[1]] = token_ids
    pooled = hidden[:, -1] @ tiny.clip.text_projection
    theirs = tiny.clip.encode_text(padded)
    assert torch.allclose(pooled, theirs, atol=1e-4)


def test_plain_diffusers_and_plain_open_clip_load_them():
    profile = PROFILES["tiny"]
    pipeline = StableDiffusionPipeline.from_pretrained(profile.pipeline)
    assert pipeline.vae.config.scaling_factor != 0.18215  # its own, measured
    model, _, preprocess = open_clip.create_model_and_transforms(
        profile.clip_model
    )
    config = open_clip.get_model_preprocess_cfg(model)
    assert config["size"] == profile.size // 2  # CLIP sees it half as large
    assert len(preprocess.transforms) >= 3


def test_the_vae_has_the_factor_of_the_real_stable_diffusion(tiny):
    size, vae = tiny.profile.size, tiny.pipeline.vae
    assert tiny.pipeline.vae_scale_factor == 8
    assert tiny.pipeline.unet.config.sample_size == size // 8
    assert vae.config.sample_size == size == 128
    with torch.no_grad():
        latents = vae.encode(torch.zeros(1, 3, size, size)).latent_dist.mean
    assert latents.shape == (1, 4, 16, 16)


def test_the_judges_read_images_of_the_models_size(tiny, judges):
    for judge in (judges.pattern, judges.person, judges.attributes):
        assert judge.trunk.size == tiny.profile.size


def test_clip_finds_the_caption_of_an_image_it_never_saw(tiny, fresh):
    images, captions, _ = fresh
    best = measure_similarity(tiny, images, captions).argmax(0)
    right = [captions[b] == captions[i] for i, b in enumerate(best.tolist())]
    assert sum(right) / len(right) > 0.8  # chance: 0.01


def test_the_judge_reads_images_it_never_saw(judges, fresh):
    images, _, labels = fresh
    readings = read_attributes(judges.attributes, images)
    for name, min_share in {
        "object": 0.95,
        "style": 0.95,
        "hair": 0.8,
    }.items():
        right = [
            reading[name] == label[name]
            for reading, label in zip(readings, labels, strict=True)
            if name in label
        ]
        assert sum(right) / len(right) > min_share, name


def test_stable_diffusion_generates_what_a_prompt_says(tiny, judges):
    asked = {
        "a photo of a T-shirt with red stars on white": "T-shirt",
        "an anime illustration of a woman with long black hair": "portrait",
        "a photo of a corgi": "corgi",
    }
    images = generate(tiny, list(asked), count=4, seed=0, progress=False)
    readings = read_attributes(judges.attributes, images)
    objects = [reading["object"] for reading in readings]
    wanted = [thing for thing in asked.values() for _ in range(4)]
    hits = [a == b for a, b in zip(objects, wanted, strict=True)]
    assert sum(hits) >= 10


@pytest.mark.parametrize("name", ["tshirt", "face"])
def test_a_shipped_word_belongs_to_its_concept_and_model(tiny, name):
    word = LearnedWord.load(DATA / "words" / f"{name}.safetensors")
    concept = load_concept(name)
    assert word.width == tiny.profile.embedding_width
    assert word.num_images == len(concept.images)
    assert concept.images[0].size == (512, 512)


def test_the_shipped_concepts_have_no_name():
    stored = DATA / "concepts" / "concepts.json"
    stored = json.loads(stored.read_text(encoding="utf-8"))
    assert stored == SHIPPED
    for entry in stored.values():
        concept = world.new_concept(entry["kind"], entry["seed"])
        named = world.named_concepts(entry["kind"])
        assert concept not in named.values()
