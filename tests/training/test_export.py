"""One CLIP text encoder, in three homes: open_clip, transformers, a file."""

import json

import open_clip
import torch
from diffusers import StableDiffusionPipeline
from mini_models import CLIP_CONFIG, make_clip
from safetensors import safe_open

from tutorial_lib.training.export import make_tokenizer, text_encoder_from_clip

PROMPTS = [
    "A T-shirt in the style of X",
    "Corgi with X",
    "Corgie  don't, 42 köln & 日本",
    "x " * 60,
    "",
]


def tokenize_prompts():
    length = CLIP_CONFIG["text_cfg"]["context_length"]
    return open_clip.SimpleTokenizer(context_length=length)(PROMPTS)


@torch.no_grad()
def test_the_converted_text_encoder_says_what_clip_says():
    clip, token_ids = make_clip(), tokenize_prompts()
    encoder = text_encoder_from_clip(clip)
    output = encoder(token_ids)
    hidden = clip.token_embedding(token_ids) + clip.positional_embedding
    hidden = clip.transformer(hidden, attn_mask=clip.attn_mask)
    hidden = clip.ln_final(hidden)
    assert (output.last_hidden_state - hidden).abs().max() < 1e-5
    pooled = output.pooler_output @ clip.text_projection
    assert (pooled - clip.encode_text(token_ids)).abs().max() < 1e-5
    assert pooled.std() > 0.1  # and it says something


@torch.no_grad()
def test_changing_any_weight_of_clip_changes_the_converted_encoder():
    token_ids = tokenize_prompts()
    before = text_encoder_from_clip(make_clip())(token_ids).last_hidden_state
    text_weights = [
        name
        for name, _ in make_clip().named_parameters()
        if not name.startswith(("visual", "logit", "text_projection"))
    ]
    for name in text_weights:
        clip = make_clip()
        with torch.no_grad():
            clip.get_parameter(name).mul_(1.5).add_(0.01)
        after = text_encoder_from_clip(clip)(token_ids).last_hidden_state
        assert not torch.equal(before, after), name


def test_both_tokenizers_read_the_same(tmp_path):
    token_ids = tokenize_prompts()
    tokenizer = make_tokenizer(tmp_path, context_length=token_ids.shape[1])
    converted_ids = tokenizer(
        PROMPTS, padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids
    end = (token_ids == 49407).int().argmax(dim=1, keepdim=True)
    after_end = torch.arange(token_ids.shape[1]) > end
    assert torch.equal(converted_ids, token_ids.masked_fill(after_end, 49407))
    assert len(tokenizer) == 49408


def test_the_stored_encoders_hold_the_same_weights(miniature, models):
    pipeline = StableDiffusionPipeline.from_pretrained(miniature / "sd")
    converted = text_encoder_from_clip(models.clip).state_dict()
    stored = pipeline.text_encoder.state_dict()
    assert converted.keys() == stored.keys()
    for name, weight in converted.items():
        assert torch.equal(weight.half(), stored[name].half()), name


def test_the_folders_are_in_half_precision_and_name_no_machine(miniature):
    files = list(miniature.rglob("*.safetensors"))
    assert len(files) == 4  # CLIP, text encoder, VAE, U-Net
    for path in files:
        with safe_open(path, framework="pt") as file:
            types = {file.get_tensor(key).dtype for key in file.keys()}
        assert types == {torch.float16}, path
    for path in miniature.rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert str(miniature) not in text, path
        json.loads(text)
    index = (miniature / "sd" / "model_index.json").read_text()
    assert "StableDiffusionPipeline" in index


def test_a_pipeline_that_was_saved_generates_as_it_is_loaded(miniature):
    pipeline = StableDiffusionPipeline.from_pretrained(miniature / "sd")
    pipeline.set_progress_bar_config(disable=True)
    parts = (pipeline.text_encoder, pipeline.unet, pipeline.vae)
    assert {part.dtype for part in parts} == {torch.float32}
    (image,) = pipeline("a T-shirt", num_inference_steps=2).images
    assert image.size == (32, 32)
