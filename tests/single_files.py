"""A pipeline as one .safetensors file, named as such files name weights.

It is what fine-tuned models are passed on as. Sources: diffusers,
scripts/convert_diffusers_to_original_stable_diffusion.py and _sdxl.py.
"""

import re

import torch
from safetensors.torch import save_file

UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
VAE_RESNET = {
    **{name: name for name in ("norm1", "conv1", "norm2", "conv2")},
    "conv_shortcut": "nin_shortcut",
}
VAE_ATTENTION = {
    "group_norm.": "norm.",
    "to_q.": "q.",
    "to_k.": "k.",
    "to_v.": "v.",
    "to_out.0.": "proj_out.",
}


OPEN_CLIP = {
    "embeddings.token_embedding": "token_embedding",
    "embeddings.position_embedding.weight": "positional_embedding",
    "encoder.layers": "transformer.resblocks",
    "self_attn": "attn",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "final_layer_norm": "ln_final",
}


def save_single_file(pipeline, path, metadata=None):
    """Save a pipeline of Stable Diffusion 1, 2 or XL as one file."""
    weights = {
        **name_unet(pipeline.unet),
        **name_vae(pipeline.vae),
        **name_text_encoders(pipeline),
    }
    for name, value in weights.items():
        half = value.half()  # half the file, where nothing is lost
        weights[name] = half if torch.equal(half.float(), value) else value
    weights = {k: v.clone().contiguous() for k, v in weights.items()}
    save_file(weights, path, metadata)


def name_unet(unet):
    """Return a U-Net's weights by their older names."""
    places = list_unet_places(unet)
    return {
        f"model.diffusion_model.{rename(name, places, UNET_RESNET)}": value
        for name, value in unet.state_dict().items()
    }


def name_vae(vae):
    """Return a VAE's weights by their older names."""
    places, weights = list_vae_places(vae), {}
    for name, value in vae.state_dict().items():
        new = rename(name, places, VAE_RESNET)
        if "mid.attn_1" in new:
            for part, old in VAE_ATTENTION.items():
                new = new.replace(part, old)
            if value.ndim == 2:  # a 1 x 1 convolution there
                value = value[..., None, None]
        weights[f"first_stage_model.{new}"] = value
    return weights


def name_text_encoders(pipeline):
    """Return the text encoders' weights: transformers' names or open_clip's.

    Stable Diffusion 2 has open_clip's, and XL has both.
    """
    first, second = pipeline.text_encoder, None
    if hasattr(pipeline, "text_encoder_2"):
        second = pipeline.text_encoder_2
        usual, other = "conditioner.embedders.0.", "conditioner.embedders.1."
    elif first.config.hidden_size == 1024:
        first, second, other = None, first, "cond_stage_model."
    else:
        usual = "cond_stage_model."
    weights = {}
    if first is not None:
        for name, value in first.state_dict().items():
            name = name.removeprefix("text_model.")
            weights[f"{usual}transformer.text_model.{name}"] = value
    if second is not None:
        for name, value in name_as_open_clip(second).items():
            weights[f"{other}model.{name}"] = value
    return weights


def name_as_open_clip(encoder):
    """Return a text encoder's weights by open_clip's names."""
    weights, joined = {}, {}
    for name, value in encoder.state_dict().items():
        name = name.removeprefix("text_model.")
        for new, old in OPEN_CLIP.items():
            name = name.replace(new, old)
        if name == "text_projection.weight":
            weights["text_projection"] = value.T
        elif match := re.fullmatch(r"(.+)\.([qkv])_proj\.(.+)", name):
            place, letter, end = match.groups()
            parts = joined.setdefault(f"{place}.in_proj_{end}", {})
            parts[letter] = value
        else:
            weights[name] = value
    for name, parts in joined.items():
        weights[name] = torch.cat([parts[letter] for letter in "qkv"])
    return weights


def rename(name, places, resnet):
    """Give a weight its older name; `places` are those of its modules."""
    for new, old in places.items():
        if name.startswith(f"{new}."):
            rest = name.removeprefix(f"{new}.")
            if ".resnets." in new:
                layer, _, end = rest.partition(".")
                rest = f"{resnet[layer]}.{end}"
            return f"{old}.{rest}"
    return name


def list_unet_places(unet):
    """Return a dict of a U-Net's modules, new name -> older name."""
    places = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
        "mid_block.resnets.0": "middle_block.0",
        "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2",
    }
    num = unet.config.layers_per_block + 1
    for i, block in enumerate(unet.down_blocks):
        new, end = f"down_blocks.{i}", f"input_blocks.{num * (i + 1)}"
        places[f"{new}.downsamplers.0.conv"] = f"{end}.0.op"
        for j in range(len(block.resnets)):
            old = f"input_blocks.{num * i + j + 1}"
            places[f"{new}.resnets.{j}"] = f"{old}.0"
            places[f"{new}.attentions.{j}"] = f"{old}.1"
    for i, block in enumerate(unet.up_blocks):
        new, end = f"up_blocks.{i}", f"output_blocks.{num * (i + 1) - 1}"
        behind = 2 if hasattr(block, "attentions") else 1
        places[f"{new}.upsamplers.0"] = f"{end}.{behind}"
        for j in range(len(block.resnets)):
            old = f"output_blocks.{num * i + j}"
            places[f"{new}.resnets.{j}"] = f"{old}.0"
            places[f"{new}.attentions.{j}"] = f"{old}.1"
    return places


def list_vae_places(vae):
    """Return a dict of a VAE's modules, new name -> older name."""
    places = {}
    for half in ("encoder", "decoder"):
        old, new = f"{half}.mid", f"{half}.mid_block"
        places[f"{half}.conv_norm_out"] = f"{half}.norm_out"
        places[f"{new}.attentions.0"] = f"{old}.attn_1"
        places[f"{new}.resnets.0"] = f"{old}.block_1"
        places[f"{new}.resnets.1"] = f"{old}.block_2"
    last = len(vae.decoder.up_blocks) - 1
    for i, block in enumerate(vae.encoder.down_blocks):
        old, new = f"encoder.down.{i}", f"encoder.down_blocks.{i}"
        places[f"{new}.downsamplers.0"] = f"{old}.downsample"
        for j in range(len(block.resnets)):
            places[f"{new}.resnets.{j}"] = f"{old}.block.{j}"
    for i, block in enumerate(vae.decoder.up_blocks):
        old, new = f"decoder.up.{last - i}", f"decoder.up_blocks.{i}"
        places[f"{new}.upsamplers.0"] = f"{old}.upsample"
        for j in range(len(block.resnets)):
            places[f"{new}.resnets.{j}"] = f"{old}.block.{j}"
    return places
