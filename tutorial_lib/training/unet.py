"""Train the U-Net that predicts the noise in latents, told what they show."""

import functools
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from jaxtyping import BFloat16, Float, Int
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm
from transformers import CLIPTextModel, CLIPTokenizer

from tutorial_lib.inversion import compute_timestep_weights, sample_timesteps
from tutorial_lib.settings import PROFILES
from tutorial_lib.training.export import make_noise_scheduler
from tutorial_lib.training.loop import PretrainingConfig, autocast, train
from tutorial_lib.training.vae import EncodedImages

CONFIG = PretrainingConfig(
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

Latents = Float[Tensor, "batch 4 16 16"]
PromptEmbeds = BFloat16[Tensor, "num_captions tokens width"]
CaptionEmbeds = tuple[PromptEmbeds, PromptEmbeds]


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
    text_encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    captions: list[str],
    device: str,
) -> PromptEmbeds:
    """Return the last hidden states of the text encoder."""
    embeds = []
    for start in tqdm(
        range(0, len(captions), 512), desc="encoding captions", delay=2
    ):
        token_ids = tokenizer(
            captions[start : start + 512],
            padding="max_length",
            truncation=True,
            return_tensors="pt",
        ).input_ids.to(device)
        embeds.append(text_encoder(token_ids)[0].bfloat16().cpu())
    return torch.cat(embeds)


def train_unet(
    encoded: EncodedImages,
    get_caption_embeds: Callable[[], CaptionEmbeds],
    text_width: int,
    checkpoint: Path,
    device: str,
    config: PretrainingConfig = CONFIG,
) -> UNet2DConditionModel:
    """Train the U-Net to predict the noise in noised latents (epsilon).

    `get_caption_embeds` is called once, and only if there are steps to take;
    it returns what `encode_captions` does for all captions, and for the
    empty caption. The loss is weighted by `compute_timestep_weights`.
    """
    torch.manual_seed(config.seed)
    noise_scheduler = make_noise_scheduler()
    weights = compute_timestep_weights(noise_scheduler.alphas_cumprod)
    weights = weights.to(device)
    get_caption_embeds = functools.cache(get_caption_embeds)

    def compute_loss(
        unet: UNet2DConditionModel, generator: torch.Generator
    ) -> Float[Tensor, ""]:
        """Add noise to a batch of latents and let the U-Net predict it."""
        embeds, empty = get_caption_embeds()
        indices = torch.randint(
            len(encoded.means), (config.batch_size,), generator=generator
        )
        noisy_latents, noise, timesteps = sample_noisy_latents(
            encoded, indices, noise_scheduler, generator
        )
        prompt_embeds = drop_captions(embeds[indices], empty, generator)
        timesteps = timesteps.to(device)
        with autocast(device):
            noise_pred = unet(
                noisy_latents.to(device), timesteps, prompt_embeds.to(device)
            ).sample
        error = functional.mse_loss(
            noise_pred.float(), noise.to(device), reduction="none"
        )
        return (weights[timesteps] * error.mean((1, 2, 3))).mean()

    unet = make_unet(text_width).to(device)
    return train(unet, config, compute_loss, checkpoint, "U-Net")


def sample_noisy_latents(
    encoded: EncodedImages,
    indices: Int[Tensor, " batch"],
    noise_scheduler: DDPMScheduler,
    generator: torch.Generator,
) -> tuple[Latents, Latents, Int[Tensor, " batch"]]:
    """Sample latents from their posteriors and add noise to them.

    Returns the noisy latents, the noise in them and their timesteps.
    """
    means = encoded.means[indices].float()
    stds = encoded.stds[indices].float()
    noise, deviation = torch.randn((2, *means.shape), generator=generator)
    latents = (means + stds * deviation) * encoded.scaling_factor
    timesteps = sample_timesteps(len(indices), generator, MIDDLE_TIMESTEPS)
    noisy_latents = noise_scheduler.add_noise(latents, noise, timesteps)
    return noisy_latents, noise, timesteps


def drop_captions(
    embeds: BFloat16[Tensor, "batch tokens width"],
    empty: BFloat16[Tensor, "1 tokens width"],
    generator: torch.Generator,
) -> BFloat16[Tensor, "batch tokens width"]:
    """Put the empty caption in place of one in ten.

    Source: Ho and Salimans (2022), Classifier-Free Diffusion Guidance.
    """
    dropped = torch.rand(len(embeds), generator=generator) < CAPTION_DROPOUT
    return torch.where(dropped[:, None, None], empty, embeds)
