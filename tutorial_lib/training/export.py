"""Turn trained models into the folders that open_clip and diffusers load.

The pipeline's text encoder is CLIP's own, copied weight by weight.
"""

import copy
import json
from pathlib import Path
from typing import Any

import open_clip
from diffusers import (
    AutoencoderKL,
    DDPMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file, save
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tutorial_lib.files import write_atomically, write_json

START_ID, END_ID = 49406, 49407  # CLIP's two special tokens
SPECIAL_TOKENS = {
    "<start_of_text>": "<|startoftext|>",
    "<end_of_text>": "<|endoftext|>",
}

StateDict = dict[str, Tensor]


# --- the text encoder ------------------------------------------------------


def text_encoder_from_clip(clip: open_clip.CLIP) -> CLIPTextModel:
    """Copy the text encoder of an open_clip model into a CLIPTextModel.

    `clip` has a causal text encoder with plain blocks. The copy is frozen,
    float32 and on the CPU. Its last hidden state is CLIP's hidden state
    after `ln_final`, and it pools at the end-of-text token, so its pooled
    output times `clip.text_projection` is what `encode_text` gives.
    """
    state = {k: v.detach().cpu() for k, v in clip.state_dict().items()}
    config = make_text_config(clip)
    model = CLIPTextModel(config)
    # transformers before 5.6 keeps the encoder one level deeper.
    is_deeper = any(k.startswith("text_model.") for k in model.state_dict())
    prefix = "text_model." if is_deeper else ""
    renamed = rename_text_weights(state, config.num_hidden_layers)
    model.load_state_dict(
        {prefix + name: value for name, value in renamed.items()},
        strict=False,  # `position_ids` is a buffer in older versions
    )
    check_all_copied(model, prefix=prefix, renamed=renamed)
    return model.float().eval().requires_grad_(False)


def make_text_config(clip: open_clip.CLIP) -> CLIPTextConfig:
    """Read the sizes of a CLIP text encoder."""
    blocks = clip.transformer.resblocks
    activation = type(blocks[0].mlp.gelu).__name__
    projection = clip.text_projection
    return CLIPTextConfig(
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


def rename_text_weights(state: StateDict, num_layers: int) -> StateDict:
    """Give open_clip's text weights the names that transformers has.

    `state` is the state dict of the whole CLIP. One matrix holds queries,
    keys and values in open_clip; it is cut into three.
    """
    renamed = {
        "embeddings.token_embedding.weight": state["token_embedding.weight"],
        "embeddings.position_embedding.weight": state["positional_embedding"],
        "final_layer_norm.weight": state["ln_final.weight"],
        "final_layer_norm.bias": state["ln_final.bias"],
    }
    names = {
        "ln_1": "layer_norm1",
        "ln_2": "layer_norm2",
        "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
        "attn.out_proj": "self_attn.out_proj",
    }
    for layer in range(num_layers):
        old = f"transformer.resblocks.{layer}."
        new = f"encoder.layers.{layer}."
        for part in ("weight", "bias"):
            for old_name, new_name in names.items():
                value = state[f"{old}{old_name}.{part}"]
                renamed[f"{new}{new_name}.{part}"] = value
            joined = state[f"{old}attn.in_proj_{part}"]
            for letter, value in zip("qkv", joined.chunk(3), strict=True):
                renamed[f"{new}self_attn.{letter}_proj.{part}"] = value
    return renamed


def check_all_copied(
    model: CLIPTextModel, prefix: str, renamed: StateDict
) -> None:
    """Raise RuntimeError unless every weight of `model` was given."""
    wanted = {name for name, _ in model.named_parameters()}
    given = {prefix + name for name in renamed}
    if wanted != given:
        raise RuntimeError(
            "This version of transformers names CLIP's weights "
            f"differently: {sorted(wanted ^ given)}."
        )


# --- folders ---------------------------------------------------------------


def make_tokenizer(folder: str | Path, context_length: int) -> CLIPTokenizer:
    """Write CLIP's tokenizer as transformers reads it, and load it.

    The vocabulary is open_clip's own (49,408 tokens); only the two
    special tokens are renamed. Prompts longer than `context_length`
    tokens are cut, shorter ones padded with the end-of-text token, as in
    Stable Diffusion 1.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    source = open_clip.SimpleTokenizer(context_length=context_length)
    vocab = {SPECIAL_TOKENS.get(t, t): i for t, i in source.encoder.items()}
    ranks = sorted(source.bpe_ranks, key=source.bpe_ranks.get)
    merges = ["#version: 0.2", *(" ".join(pair) for pair in ranks)]
    start, end = SPECIAL_TOKENS.values()
    tokens = {
        "bos_token": start,
        "eos_token": end,
        "unk_token": end,
        "pad_token": end,
    }
    config = {
        **tokens,
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": context_length,
        "do_lower_case": True,
        "add_prefix_space": False,
    }
    write_json(folder / "vocab.json", vocab, indent=None)
    write_json(folder / "special_tokens_map.json", tokens, indent=2)
    write_json(folder / "tokenizer_config.json", config, indent=2)
    (folder / "merges.txt").write_text(
        "\n".join(merges) + "\n", encoding="utf-8"
    )
    return CLIPTokenizer.from_pretrained(folder)


def save_clip(
    clip: open_clip.CLIP, model_cfg: dict[str, Any], folder: str | Path
) -> None:
    """Save CLIP as a folder that open_clip's "local-dir:" loads.

    `model_cfg` is the dict `open_clip.CLIP(**model_cfg)` was built with;
    it is stored together with the preprocessing (pixels to -1..1, the
    shorter side resized to the image encoder's `image_size`). Weights are
    stored as float16, one safetensors file.
    """
    folder = Path(folder)
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
    path = folder / "open_clip_model.safetensors"
    with write_atomically(path) as unfinished:
        unfinished.write_bytes(save(weights))


def save_pipeline(
    clip: open_clip.CLIP,
    vae: AutoencoderKL,
    unet: UNet2DConditionModel,
    folder: str | Path,
) -> None:
    """Save a folder that `StableDiffusionPipeline.from_pretrained` loads.

    `clip` is the model whose text encoder the pipeline gets; the VAE's
    `scaling_factor` is right already. The noise schedule is Stable
    Diffusion's. Weights are stored as float16, and other programs read them
    as float32 unless they ask otherwise; the models given are not changed.
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
    prefix_text_weights(folder / "text_encoder")
    declare_float32(folder / "text_encoder" / "config.json")


def prefix_text_weights(folder: Path) -> None:
    """Put "text_model." before each stored name, as all versions read it.

    transformers from 5.6 on leaves the prefix out when it saves, and
    older versions then load no weight at all.
    """
    path = folder / "model.safetensors"
    weights = load_file(path)
    prefixed = {
        name if name.startswith("text_model.") else f"text_model.{name}": value
        for name, value in weights.items()
    }
    with write_atomically(path) as unfinished:
        unfinished.write_bytes(save(prefixed, metadata={"format": "pt"}))


def declare_float32(config_path: Path) -> None:
    """Say float32 in a text encoder's configuration, whatever its weights.

    transformers loads a model in the format that its configuration names,
    and else in that of the weights; diffusers loads the U-Net and the VAE as
    float32. A pipeline of both formats cannot generate.
    """
    config = json.loads(config_path.read_text(encoding="utf-8"))
    config.pop("torch_dtype", None)  # its name in older versions
    config["dtype"] = "float32"
    write_json(config_path, dict(sorted(config.items())), indent=2)


def make_noise_scheduler() -> DDPMScheduler:
    """Make Stable Diffusion's noise schedule: 1,000 steps, epsilon."""
    return DDPMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="epsilon",
        clip_sample=False,
        steps_offset=1,
    )
