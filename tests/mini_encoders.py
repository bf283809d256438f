"""The encoders that measure fidelity, tiny and with random weights."""

import torch
from transformers import (
    BitImageProcessor,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPTokenizer,
    Dinov2Config,
    Dinov2Model,
    ViTConfig,
    ViTImageProcessor,
    ViTModel,
)

from tutorial_lib.settings import find_data

SIZES = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
SIDES = {"height": 32, "width": 32}


def save_mini_encoders(folder):
    """Write "dino", "dinov2" and "clip" into a folder, as the hub has them."""
    torch.manual_seed(0)
    vit = ViTConfig(**SIZES, intermediate_size=48)
    ViTModel(vit).save_pretrained(folder / "dino")
    ViTImageProcessor(size=SIDES).save_pretrained(folder / "dino")
    dinov2 = Dinov2Config(**SIZES, mlp_ratio=2)
    Dinov2Model(dinov2).save_pretrained(folder / "dinov2")
    BitImageProcessor(
        size={"shortest_edge": 36}, crop_size=SIDES
    ).save_pretrained(folder / "dinov2")
    part = {"hidden_size": 24, "intermediate_size": 48}
    part |= {"num_hidden_layers": 2, "num_attention_heads": 2}
    clip = CLIPConfig(
        text_config={**part, "vocab_size": 49408},
        vision_config={**part, "image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    CLIPModel(clip).save_pretrained(folder / "clip")
    CLIPImageProcessor(
        size={"shortest_edge": 32}, crop_size=SIDES
    ).save_pretrained(folder / "clip")
    CLIPTokenizer.from_pretrained(
        find_data() / "tiny" / "stable-diffusion" / "tokenizer",
        model_max_length=77,
    ).save_pretrained(folder / "clip")
