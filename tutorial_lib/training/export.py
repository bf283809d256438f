"""Turn trained parts into the folders open_clip and diffusers load.

The pipeline's text encoder is CLIP's own, copied weight by weight.
"""

import copy
import json
from pathlib import Path

import open_clip
import transformers
from diffusers import DDPMScheduler, StableDiffusionPipeline
from safetensors.torch import load_file, save_file

START_ID, END_ID = 49406, 49407  # CLIP's two special tokens
SPECIALS = {
    "<start_of_text>": "<|startoftext|>",
    "<end_of_text>": "<|endoftext|>",
}


def text_encoder_from_clip(clip):
    """Copy the text encoder of an open_clip model into a CLIPTextModel.

    `clip` is an `open_clip.CLIP` (causal text encoder with plain blocks).
    Returns a frozen float32 `transformers.CLIPTextModel` on the CPU. Its
    last hidden state (batch, tokens, width) is CLIP's hidden state after
    `ln_final`, and it pools at the end-of-text token, so its pooled
    output times `clip.text_projection` is what `encode_text` gives.
    """
    state = {k: v.detach().cpu() for k, v in clip.state_dict().items()}
    model = transformers.CLIPTextModel(make_text_config(clip))
    # transformers before 5.6 keeps the encoder one level deeper.
    deeper = any(k.startswith("text_model.") for k in model.state_dict())
    prefix = "text_model." if deeper else ""
    renamed = rename_text_weights(state, make_text_config(clip))
    model.load_state_dict(
        {prefix + name: value for name, value in renamed.items()},
        strict=False,  # `position_ids` is a buffer in older versions
    )
    check_all_copied(model, prefix=prefix, renamed=renamed)
    return model.float().eval().requires_grad_(False)


def make_text_config(clip):
    """Read the sizes of a CLIP text encoder into a `CLIPTextConfig`."""
    blocks = clip.transformer.resblocks
    activation = type(blocks[0].mlp.gelu).__name__
    projection = clip.text_projection
    return transformers.CLIPTextConfig(
        vocab_size=clip.vocab_size,
        hidden_size=clip.transformer.width,
        intermediate_size=blocks[0].mlp.c_fc.out_features,
        projection_dim=projection.shape[1],
        num_hidden_layers=len(blocks),
        num_attention_heads=blocks[0].attn.num_heads,
        max_position_embeddings=clip.positional_embedding.shape[0],
        hidden_act="quick_gelu" if activation == "QuickGELU" else "gelu",
        layer_norm_eps=clip.ln_final.eps,
        bos_token_id=START_ID,
        eos_token_id=END_ID,
        pad_token_id=END_ID,
    )


def rename_text_weights(state, config):
    """Map open_clip's text weights to the names transformers gives them.

    `state` is the CLIP state dict. One matrix holds queries, keys and
    values in open_clip; it is cut into three. Returns a dict of tensors.
    """
    out = {
        "embeddings.token_embedding.weight": state["token_embedding.weight"],
        "embeddings.position_embedding.weight": state["positional_embedding"],
        "final_layer_norm.weight": state["ln_final.weight"],
        "final_layer_norm.bias": state["ln_final.bias"],
    }
    parts = {
        "ln_1": "layer_norm1",
        "ln_2": "layer_norm2",
        "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
        "attn.out_proj": "self_attn.out_proj",
    }
    for layer in range(config.num_hidden_layers):
        old = f"transformer.resblocks.{layer}."
        new = f"encoder.layers.{layer}."
        for kind in ("weight", "bias"):
            for theirs, ours in parts.items():
                value = state[f"{old}{theirs}.{kind}"]
                out[f"{new}{ours}.{kind}"] = value
            joined = state[f"{old}attn.in_proj_{kind}"]
            for letter, value in zip("qkv", joined.chunk(3), strict=True):
                out[f"{new}self_attn.{letter}_proj.{kind}"] = value
    return out


def check_all_copied(model, prefix, renamed):
    """Raise RuntimeError unless every weight of `model` was given."""
    wanted = {name for name, _ in model.named_parameters()}
    given = {prefix + name for name in renamed}
    if wanted != given:
        raise RuntimeError(
            "This version of transformers names CLIP's weights "
            f"differently: {sorted(wanted ^ given)}."
        )


def make_tokenizer(folder, context_length):
    """Write CLIP's tokenizer as transformers reads it, and load it.

    The vocabulary is open_clip's own (49,408 tokens); only the two
    special tokens are renamed. Prompts longer than `context_length`
    tokens are cut, shorter ones padded with the end-of-text token, as in
    Stable Diffusion 1. Returns a `transformers.CLIPTokenizer`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source = open_clip.SimpleTokenizer(context_length=context_length)
    vocab = {SPECIALS.get(t, t): i for t, i in source.encoder.items()}
    ranks = sorted(source.bpe_ranks, key=source.bpe_ranks.get)
    merges = ["#version: 0.2", *(" ".join(pair) for pair in ranks)]
    start, end = SPECIALS.values()
    names = {
        "bos_token": start,
        "eos_token": end,
        "unk_token": end,
        "pad_token": end,
    }
    config = {
        **names,
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": context_length,
        "do_lower_case": True,
        "add_prefix_space": False,
    }
    write_json(folder / "vocab.json", vocab)
    write_json(folder / "special_tokens_map.json", names, indent=2)
    write_json(folder / "tokenizer_config.json", config, indent=2)
    (folder / "merges.txt").write_text(
        "\n".join(merges) + "\n", encoding="utf-8"
    )
    return transformers.CLIPTokenizer.from_pretrained(folder)


def save_clip(clip, model_cfg, folder):
    """Save CLIP as a folder that open_clip's "local-dir:" loads.

    `model_cfg` is the dict `open_clip.CLIP(**model_cfg)` was built with;
    it is stored together with the preprocessing (pixels to -1..1, the
    shorter side resized to the picture encoder's `image_size`). Weights
    are stored as float16, one safetensors file.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    preprocess_cfg = {
        "size": model_cfg["vision_cfg"]["image_size"],
        "mode": "RGB",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    }
    config = {"model_cfg": model_cfg, "preprocess_cfg": preprocess_cfg}
    write_json(folder / "open_clip_config.json", config, indent=2)
    weights = {
        name: value.detach().cpu().half().contiguous()
        for name, value in clip.state_dict().items()
    }
    save_file(weights, folder / "open_clip_model.safetensors")


def save_pipeline(clip, vae, unet, folder):
    """Save a folder that `StableDiffusionPipeline.from_pretrained` loads.

    `clip` is the open_clip model whose text encoder the pipeline gets,
    `vae` an `AutoencoderKL` (its `scaling_factor` already right), `unet`
    a `UNet2DConditionModel`. The noise schedule is Stable Diffusion's.
    Weights are stored as float16; the models given are not changed.
    """
    folder = Path(folder)
    text_encoder = text_encoder_from_clip(clip)
    context_length = text_encoder.config.max_position_embeddings
    tokenizer = make_tokenizer(folder / "tokenizer", context_length)
    pipeline = StableDiffusionPipeline(
        vae=copy.deepcopy(vae).cpu().half(),
        text_encoder=text_encoder.half(),
        tokenizer=tokenizer,
        unet=copy.deepcopy(unet).cpu().half(),
        scheduler=make_noise_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    # Keep the plain files that every version of transformers reads.
    (folder / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    make_tokenizer(folder / "tokenizer", context_length)
    name_text_weights_as_the_hub_does(folder / "text_encoder")


def name_text_weights_as_the_hub_does(folder):
    """Put "text_model." before each stored name, as all versions read it.

    transformers from 5.6 on leaves the prefix out when it saves, and
    older versions then find no weight at all.
    """
    path = folder / "model.safetensors"
    weights = load_file(path)
    prefixed = {
        name if name.startswith("text_model.") else f"text_model.{name}": value
        for name, value in weights.items()
    }
    save_file(prefixed, path, metadata={"format": "pt"})


def make_noise_scheduler():
    """Make Stable Diffusion's training schedule: 1,000 steps, epsilon."""
    return DDPMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="epsilon",
        clip_sample=False,
        steps_offset=1,
    )


def write_json(path, content, indent=None):
    """Write `content` to `path` as JSON, UTF-8, ending in a newline."""
    text = json.dumps(content, ensure_ascii=False, indent=indent)
    Path(path).write_text(text + "\n", encoding="utf-8")
