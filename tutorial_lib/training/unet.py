"""Train the U-Net that takes noise out of latents, told what to draw."""

import functools
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

from tutorial_lib.inversion import compute_timestep_weights, sample_timesteps
from tutorial_lib.settings import PROFILES
from tutorial_lib.training.export import make_noise_scheduler
from tutorial_lib.training.loop import TrainingConfig, autocast, train

CONFIG = TrainingConfig(
    steps=6000,
    batch_size=128,
    lr=8e-4,
    warmup=200,
    hold=0.6,
    weight_decay=0.01,
    ema=0.999,
    save_every=50,
)
CAPTION_DROPOUT = 0.1
MIDDLE_TIMESTEPS = PROFILES["tiny"].middle_timesteps


def make_unet(text_width: int) -> UNet2DConditionModel:
    """Build an untrained U-Net for latents of 4 x 16 x 16.

    It reads the caption twice: word by word by cross-attention, at 8 x 8
    and 4 x 4 cells (at 16 x 16, attention would cost more than all the
    rest); and as a whole, pooled and added to the timestep's embedding,
    which reaches every layer (as in SDXL, Podell et al. 2023).
    """
    widths = (64, 128, 256)
    attention = ("CrossAttnDownBlock2D", "CrossAttnUpBlock2D")
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=widths,
        layers_per_block=1,
        down_block_types=("DownBlock2D", attention[0], attention[0]),
        up_block_types=(attention[1], attention[1], "UpBlock2D"),
        cross_attention_dim=text_width,
        attention_head_dim=[width // 32 for width in widths],
        norm_num_groups=16,
        addition_embed_type="text",
        addition_embed_type_num_heads=text_width // 32,
    )


@torch.no_grad()
def encode_captions(
    text_encoder,
    tokenizer,
    captions: list[str],
    device: str,
) -> Tensor:
    """Return the last hidden states (n, tokens, width), bfloat16."""
    states = []
    for start in tqdm(
        range(0, len(captions), 512), desc="reading captions", delay=2
    ):
        token_ids = tokenizer(
            captions[start : start + 512],
            padding="max_length",
            truncation=True,
            return_tensors="pt",
        ).input_ids.to(device)
        states.append(text_encoder(token_ids)[0].bfloat16().cpu())
    return torch.cat(states)


def train_unet(
    means: Tensor,
    stds: Tensor,
    scaling_factor: float,
    read_captions: Callable[[], tuple[Tensor, Tensor]],
    text_width: int,
    checkpoint: Path,
    device: str,
    config: TrainingConfig = CONFIG,
) -> UNet2DConditionModel:
    """Train the U-Net to predict the noise in noised latents (epsilon).

    `means` and `stds` are the VAE's posteriors (n, 4, 16, 16).
    `read_captions` is called once, and only if there are steps to take; it
    returns the captions' hidden states (n, tokens, width) and that of the
    empty caption, which stands in for one in ten (classifier-free guidance,
    Ho and Salimans 2022). The loss is weighted by `weigh_timesteps`.
    """
    torch.manual_seed(config.seed)
    noise_scheduler = make_noise_scheduler()
    weights = compute_timestep_weights(noise_scheduler.alphas_cumprod).to(
        device
    )
    read_captions = functools.cache(read_captions)

    def compute_loss(unet, generator):
        """Add noise to a batch of latents and let the U-Net guess it."""
        count = config.batch_size
        states, empty = read_captions()
        chosen = torch.randint(len(means), (count,), generator=generator)
        shape = (2, count, *means.shape[1:])
        noise, wander = torch.randn(shape, generator=generator)
        latents = means[chosen].float() + stds[chosen].float() * wander
        timesteps = sample_timesteps(count, generator, MIDDLE_TIMESTEPS)
        noisy = noise_scheduler.add_noise(
            latents * scaling_factor, noise, timesteps
        )
        left_out = torch.rand(count, generator=generator) < CAPTION_DROPOUT
        text = torch.where(left_out[:, None, None], empty, states[chosen])
        timesteps = timesteps.to(device)
        with autocast(device):
            noise_pred = unet(
                noisy.to(device), timesteps, text.to(device)
            ).sample
        error = functional.mse_loss(
            noise_pred.float(), noise.to(device), reduction="none"
        )
        return (weights[timesteps] * error.mean((1, 2, 3))).mean()

    unet = make_unet(text_width).to(device)
    return train(unet, config, compute_loss, checkpoint, "U-Net")
