"""Stand-ins for real models: their shapes at the edges, random weights.

A stand-in is a diffusers pipeline with the folder clip/ in it, and lessons
run with it as with the real models:

    TUTORIAL_MODEL=sd15 TUTORIAL_SD15=FOLDER

As with the real ones, CLIP's text encoder is the pipeline's; that of "sd2"
is without its last layer, and of the two that "sdxl" has it is the first.
"""

import copy
import json
from pathlib import Path

import open_clip
import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion import (
    StableDiffusionSafetyChecker,
)
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

from tutorial_lib.files import write_json
from tutorial_lib.training.export import (
    declare_float32,
    make_noise_scheduler,
    make_tokenizer,
    prefix_text_weights,
    save_clip,
    save_pipeline,
    text_encoder_from_clip,
)

# Of Stable Diffusion 1.5 and ViT-L/14: 77 tokens of 768 numbers, images of
# 224 pixels for CLIP and 512 for the pipeline, 4 channels of 64 latents.
TRUE_CLIP = {
    "embed_dim": 768,
    "quick_gelu": True,
    "vision_cfg": {
        "layers": 24,
        "width": 1024,
        "patch_size": 14,
        "image_size": 224,
    },
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 768,
        "heads": 12,
        "layers": 12,
        "pool_type": "eos",
        "eos_id": 49407,
    },
}
TRUE_VAE = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2}
TRUE_UNET = {
    "down_block_types": (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
    "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
    "block_out_channels": (320, 640, 1280, 1280),
    "layers_per_block": 2,
    "attention_head_dim": 8,  # how many heads, in fact
    "cross_attention_dim": 768,
}

# Of Stable Diffusion 2.1 and ViT-H/14: texts of 1,024 numbers a token.
TRUE_CLIP_2 = {
    "embed_dim": 1024,
    "vision_cfg": {
        "layers": 32,
        "width": 1280,
        "head_width": 80,
        "patch_size": 14,
        "image_size": 224,
    },
    "text_cfg": {
        **TRUE_CLIP["text_cfg"],
        "width": 1024,
        "heads": 16,
        "layers": 24,
    },
}
TRUE_UNET_2 = {
    **TRUE_UNET,
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
    "cross_attention_dim": 1024,
}

# Few, narrow layers, and attention only where the latents are small.
SMALL_VISION = {
    **TRUE_CLIP["vision_cfg"],
    "layers": 1,
    "width": 64,
    "patch_size": 32,
}
SMALL_TEXT = {"layers": 1, "mlp_ratio": 0.25}
SMALL_VAE = {
    "block_out_channels": (4, 4, 8, 8),
    "layers_per_block": 1,
    "norm_num_groups": 4,
}
SMALL_UNET = {
    "down_block_types": (
        "DownBlock2D",
        "DownBlock2D",
        "CrossAttnDownBlock2D",
        "DownBlock2D",
    ),
    "up_block_types": (
        "UpBlock2D",
        "CrossAttnUpBlock2D",
        "UpBlock2D",
        "UpBlock2D",
    ),
    "block_out_channels": (8, 16, 32, 32),
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "attention_head_dim": 1,
}

# What differs in Stable Diffusion XL 1.0: 128 x 128 latents, and a second
# text encoder, whose pooled output the U-Net reads as well. Its configuration
# says 2 for the end of a text, and means 49407.
TRUE_TEXT_2 = {
    "vocab_size": 49408,
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "projection_dim": 1280,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "hidden_act": "gelu",
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 1,
}
TRUE_UNET_XL = {
    "down_block_types": ("DownBlock2D", *("CrossAttnDownBlock2D",) * 2),
    "up_block_types": (*("CrossAttnUpBlock2D",) * 2, "UpBlock2D"),
    "block_out_channels": (320, 640, 1280),
    "layers_per_block": 2,
    "attention_head_dim": (5, 10, 20),  # how many heads, in fact
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "sample_size": 128,
    "cross_attention_dim": 768 + 1280,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 1280 + 6 * 256,
}
VAE_XL = {"sample_size": 1024, "scaling_factor": 0.13025}
SMALL_TEXT_2 = {"num_hidden_layers": 2, "intermediate_size": 320}
SMALL_UNET_XL = {
    "down_block_types": (*("DownBlock2D",) * 2, "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", *("UpBlock2D",) * 2),
    "block_out_channels": (8, 16, 32),
    "layers_per_block": 1,
    "norm_num_groups": 8,
    "attention_head_dim": 1,
    "transformer_layers_per_block": 1,
}


def make_standin(
    name, folder, true_architecture=False, prediction_type="epsilon"
):
    """Write a stand-in for "sd15", "sd2" or "sdxl" into a folder.

    It has the real number of layers with `true_architecture` (2 to 7 GB), else
    so few that a lesson takes a minute. Stable Diffusion 2.1 for 768 pixels
    has the `prediction_type` "v_prediction". Returns the folder.
    """
    if name == "sdxl":
        return make_standin_xl(folder, small=not true_architecture)
    if name not in ("sd15", "sd2"):
        raise ValueError(f"there is no stand-in for {name!r}")
    folder, small = Path(folder), not true_architecture
    clip_config, unet_config = {
        "sd15": (TRUE_CLIP, TRUE_UNET),
        "sd2": (TRUE_CLIP_2, TRUE_UNET_2),
    }[name]
    if small:
        clip_config = shrink_clip(clip_config, num_layers=1 + (name == "sd2"))
        width = {"cross_attention_dim": unet_config["cross_attention_dim"]}
        unet_config = {**SMALL_UNET, **width}
    clip = make_clip(clip_config)
    vae = make_vae({**TRUE_VAE, **(SMALL_VAE if small else {})})
    save_clip(clip, clip_config, folder / "clip")
    if name == "sd2":  # its last layer is the last but one of CLIP
        clip.transformer.resblocks = clip.transformer.resblocks[:-1]
    save_pipeline(clip.half().float(), vae, make_unet(unet_config), folder)
    if name == "sd2":  # it pads with the token of id 0
        change_json(folder / "tokenizer/tokenizer_config.json", pad_token="!")
        tokens = folder / "tokenizer/special_tokens_map.json"
        change_json(tokens, pad_token="!")
    scheduler = folder / "scheduler/scheduler_config.json"
    change_json(scheduler, prediction_type=prediction_type)
    return folder


def shrink_clip(config, num_layers):
    """Return a CLIP's configuration with few and narrow layers."""
    text = {**config["text_cfg"], **SMALL_TEXT, "layers": num_layers}
    return {**config, "vision_cfg": SMALL_VISION, "text_cfg": text}


def change_json(path, **changes):
    """Change entries of a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, {**content, **changes}, indent=2)


def add_safety_checker(folder):
    """Add a safety checker with random weights, as "sd15" has one."""
    torch.manual_seed(3)
    part = {"hidden_size": 32, "intermediate_size": 32}
    part |= {"num_hidden_layers": 1, "num_attention_heads": 1}
    config = CLIPConfig(
        text_config=part,
        vision_config={**part, "image_size": 224, "patch_size": 32},
        projection_dim=16,
    )
    checker = StableDiffusionSafetyChecker(config)
    checker.save_pretrained(folder / "safety_checker")
    CLIPImageProcessor().save_pretrained(folder / "feature_extractor")
    change_json(
        folder / "model_index.json",
        feature_extractor=["transformers", "CLIPImageProcessor"],
        safety_checker=["stable_diffusion", "StableDiffusionSafetyChecker"],
        requires_safety_checker=True,
    )


def make_clip(config):
    """Make a CLIP with random weights, large enough for clear answers."""
    torch.manual_seed(0)
    clip = open_clip.CLIP(**copy.deepcopy(config)).eval()
    with torch.no_grad():
        for name, parameter in clip.named_parameters():
            if parameter.ndim == 1 or "resblocks" in name:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return clip


def make_vae(config):
    """Make a VAE of factor 8 and 4 latent channels, with random weights."""
    torch.manual_seed(1)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        **{"sample_size": 512, "scaling_factor": 0.18215, **config},
    )


def make_unet(config):
    """Make a U-Net with random weights.

    It listens to the text so well that a few steps of learning show.
    """
    torch.manual_seed(2)
    unet = UNet2DConditionModel(**{"sample_size": 64, **config})
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if "attn2.to_v" in name or "attn2.to_out" in name:
                parameter.mul_(4)
    return unet


# --- Stable Diffusion XL


def make_standin_xl(folder, small):
    """Write a stand-in for Stable Diffusion XL 1.0 into a folder."""
    folder = Path(folder)
    clip_config = shrink_clip(TRUE_CLIP, 2) if small else TRUE_CLIP
    clip = make_clip(clip_config)
    save_clip(clip, clip_config, folder / "clip")
    vae = {**TRUE_VAE, **VAE_XL, **(SMALL_VAE if small else {})}
    unet = {**TRUE_UNET_XL, **(SMALL_UNET_XL if small else {})}
    text_2 = {**TRUE_TEXT_2, **(SMALL_TEXT_2 if small else {})}
    pipeline = StableDiffusionXLPipeline(
        vae=make_vae(vae).half(),
        text_encoder=text_encoder_from_clip(clip.half().float()).half(),
        text_encoder_2=make_second_encoder(text_2).half(),
        tokenizer=make_tokenizer(folder / "tokenizer", 77),
        tokenizer_2=make_second_tokenizer(folder / "tokenizer_2"),
        unet=make_unet(unet).half(),
        scheduler=EulerDiscreteScheduler.from_config(
            make_noise_scheduler().config, timestep_spacing="leading"
        ),
        force_zeros_for_empty_prompt=True,
    )
    pipeline.save_pretrained(folder)
    for name in ("tokenizer", "tokenizer_2"):
        (folder / name / "tokenizer.json").unlink(missing_ok=True)
    make_tokenizer(folder / "tokenizer", 77)
    make_second_tokenizer(folder / "tokenizer_2")
    prefix_text_weights(folder / "text_encoder")
    for name in ("text_encoder", "text_encoder_2"):
        declare_float32(folder / name / "config.json")
    return folder


def make_second_encoder(config):
    """Make SDXL's second text encoder, with random weights."""
    torch.manual_seed(3)
    encoder = CLIPTextModelWithProjection(CLIPTextConfig(**config))
    with torch.no_grad():
        for name, parameter in encoder.named_parameters():
            if "embedding" not in name:
                parameter.add_(0.05 * torch.randn_like(parameter))
    return encoder.eval()


def make_second_tokenizer(folder):
    """Write SDXL's second tokenizer: it pads with "!", token 0."""
    make_tokenizer(folder, 77)
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        change_json(folder / name, pad_token="!")
    return CLIPTokenizer.from_pretrained(folder)
