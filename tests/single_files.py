"""A pipeline as one .safetensors file, named as such files name weights.

It is what fine-tuned models of Stable Diffusion 1 are passed on as. Source:
diffusers, scripts/convert_diffusers_to_original_stable_diffusion.py.
"""

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


def save_single_file(pipeline, path):
    """Save a StableDiffusionPipeline as one file."""
    weights = {}
    places = list_unet_places(pipeline.unet)
    for name, value in pipeline.unet.state_dict().items():
        new = rename(name, places, UNET_RESNET)
        weights[f"model.diffusion_model.{new}"] = value
    places = list_vae_places(pipeline.vae)
    for name, value in pipeline.vae.state_dict().items():
        new = rename(name, places, VAE_RESNET)
        if "mid.attn_1" in new:
            for part, old in VAE_ATTENTION.items():
                new = new.replace(part, old)
            if value.ndim == 2:  # a 1 x 1 convolution there
                value = value[..., None, None]
        weights[f"first_stage_model.{new}"] = value
    for name, value in pipeline.text_encoder.state_dict().items():
        name = name.removeprefix("text_model.")
        weights[f"cond_stage_model.transformer.text_model.{name}"] = value
    save_file({k: v.clone().contiguous() for k, v in weights.items()}, path)


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
