"""LoRA beside Textual Inversion: the same loss, other numbers to train.

Textual Inversion trains a word's vector. LoRA trains two thin matrices
beside each matrix of the U-Net's attention layers, and leaves the matrices
themselves as they are (Hu et al., 2021, LoRA: Low-Rank Adaptation of Large
Language Models).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from diffusers.training_utils import cast_training_params
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.arguments import read_path, read_seed, read_whole_number
from tutorial_lib.errors import ArgumentError
from tutorial_lib.files import write_atomically
from tutorial_lib.inversion.losses import DenoisingLoss

ATTENTION = (".to_q", ".to_k", ".to_v", ".to_out.0")  # names end like this
READS_TEXT = (".attn2.to_k", ".attn2.to_v")  # of cross-attention
EVALUATE_EVERY = 10  # steps


def fit_parameters(
    loss: DenoisingLoss,
    parameters: Sequence[Tensor],
    steps: int,
    lr: float,
    seed: int = 0,
) -> list[float]:
    """Train the parameters given, and nothing else, by a denoising loss.

    The learning rate falls to 0. Returns the error on the fixed batch before
    the first step and after every tenth. (Adam divides by the size of the
    gradient, so the factor 1024 changes nothing; it saves float16 from
    zeros.) Taught in notebooks/12_the_map.ipynb.
    """
    optimizer = torch.optim.Adam(parameters, lr=lr)
    generator = torch.Generator().manual_seed(seed)
    errors = [loss.evaluate()]
    for step in tqdm(range(1, steps + 1), desc="Training", leave=False):
        optimizer.param_groups[0]["lr"] = lr * (1 - (step - 1) / steps)
        optimizer.zero_grad()
        (1024 * loss.compute(generator)).backward()
        optimizer.step()
        if step % EVALUATE_EVERY == 0:
            errors.append(loss.evaluate())
    return errors


def add_lora(
    unet: UNet2DConditionModel, rank: int = 4, seed: int = 0
) -> list[torch.nn.Parameter]:
    """Add a LoRA to a U-Net's attention layers and return its matrices.

    They are float32 and need a gradient. One of each two is 0, so that the
    U-Net still draws what it drew. A LoRA that is there already makes room.
    Source: Hu et al. (2021), LoRA, section 4.1. Taught in
    notebooks/12_the_map.ipynb.
    """
    rank = read_whole_number(rank, "rank", 1)
    remove_lora(unet)
    config = LoraConfig(
        r=rank,
        lora_alpha=rank,
        init_lora_weights="gaussian",
        target_modules=[name.removeprefix(".") for name in ATTENTION],
    )
    with torch.random.fork_rng():  # the program's own chance is left alone
        torch.manual_seed(read_seed(seed))
        unet.add_adapter(config)
    cast_training_params(unet, torch.float32)
    return [p for n, p in unet.named_parameters() if "lora_" in n]


def remove_lora(unet: UNet2DConditionModel) -> None:
    """Take the LoRA off a U-Net, which is then what it was before.

    Where there is none, nothing happens. Taught in
    notebooks/12_the_map.ipynb.
    """
    if has_lora(unet):
        unet.unload_lora()


def has_lora(unet: UNet2DConditionModel) -> bool:
    """Return whether a U-Net carries a LoRA."""
    return bool(getattr(unet, "peft_config", None))


def save_lora(unet: UNet2DConditionModel, path: str | Path) -> Path:
    """Write a U-Net's LoRA to a safetensors file and return its path.

    It is in the form that diffusers' `pipeline.load_lora_weights` reads, and
    so do most programs for Stable Diffusion. Raises ArgumentError if there
    is no LoRA, FileError if the file cannot be written. Taught in
    notebooks/12_the_map.ipynb.
    """
    path = read_path(path)
    if not has_lora(unet):
        raise ArgumentError(
            "The U-Net has no LoRA to save; give it one with "
            "`add_lora(models.pipeline.unet)`."
        )
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    with write_atomically(path) as unfinished:
        StableDiffusionPipeline.save_lora_weights(
            unfinished.parent,
            unet_lora_layers=layers,
            weight_name=unfinished.name,
        )
    return path


def count_trained_weights(
    unet: UNet2DConditionModel, width: int, rank: int = 4
) -> dict[str, int]:
    """Return how many numbers each method trains, by its name.

    `width` is the number of entries of a word's vector. Sources: Gal et al.
    (2022), An Image is Worth One Word, section 3; Hu et al. (2021), LoRA;
    Kumari et al. (2023), Multi-Concept Customization of Text-to-Image
    Diffusion, section 3.1; Ruiz et al. (2023), DreamBooth, section 3.2, the
    U-Net alone. Taught in notebooks/12_the_map.ipynb.
    """
    layers = {
        name: layer.weight
        for name, layer in unet.named_modules()
        if name.endswith(ATTENTION)
    }
    return {
        "Textual Inversion": width,
        f"LoRA, rank {rank}": sum(
            rank * sum(weight.shape) for weight in layers.values()
        ),
        "Custom Diffusion": width
        + sum(
            weight.numel()
            for name, weight in layers.items()
            if name.endswith(READS_TEXT)
        ),
        "DreamBooth": sum(weight.numel() for weight in unet.parameters()),
    }
