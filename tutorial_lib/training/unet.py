"""Train the U-Net that predicts the noise in latents, told what they show."""

from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional
from transformers import CLIPTextModel

from tutorial_lib.inversion import compute_timestep_weights, sample_timesteps
from tutorial_lib.settings import PROFILES
from tutorial_lib.training.annotations import END_ID, tokenize_captions
from tutorial_lib.training.batches import BatchSource
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.export import make_noise_scheduler
from tutorial_lib.training.loop import autocast, train
from tutorial_lib.training.steps import Step
from tutorial_lib.world import PARTS

CAPTION_DROPOUT = 0.1
MIDDLE_TIMESTEPS = PROFILES["tiny"].middle_timesteps
COLUMNS = ("means", "stds", "token_ids", "is_wearer")

Batch = dict[str, Tensor]
Latents = Float[Tensor, "batch 4 height width"]
TokenIds = Int[Tensor, "batch tokens"]


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


def train_unet(
    unet: UNet2DConditionModel,
    text_encoder: CLIPTextModel,
    scaling_factor: float,
    batches: BatchSource,
    checkpoint: Path,
    config: PretrainingConfig,
    held_out: BatchSource | None = None,
    on_step: Callable[[], None] | None = None,
) -> UNet2DConditionModel:
    """Train the U-Net to predict the noise in noised latents (epsilon).

    `text_encoder` is on the U-Net's device. `held_out` and `on_step` are as
    in `train`.
    """
    return train(
        unet,
        config,
        NoiseLoss(text_encoder, scaling_factor, config),
        checkpoint,
        "U-Net",
        batches,
        held_out,
        on_step,
    )


class NoiseLoss:
    """The weighted error of the noise that a U-Net finds in latents.

    Weighted by `compute_timestep_weights`, and in time more on the shirts
    of people in patterns (`weigh_shirts`).
    """

    def __init__(
        self,
        text_encoder: CLIPTextModel,
        scaling_factor: float,
        config: PretrainingConfig,
    ) -> None:
        self.text_encoder = text_encoder
        self.scaling_factor = scaling_factor
        self.config = config
        self.device = text_encoder.device
        self.noise_scheduler = make_noise_scheduler()
        self.weights = compute_timestep_weights(
            self.noise_scheduler.alphas_cumprod
        ).to(self.device)
        self.empty_ids = tokenize_captions([""]).to(self.device)

    def __call__(
        self, unet: UNet2DConditionModel, batch: Batch, step: Step
    ) -> Float[Tensor, ""]:
        """Add noise to a batch of latents and let the U-Net predict it."""
        config = self.config
        noisy_latents, noise, timesteps = make_noisy_latents(
            batch, self.scaling_factor, self.noise_scheduler, step
        )
        token_ids = drop_captions(batch["token_ids"], self.empty_ids, step)
        with autocast(self.device, config.mixed_precision):
            with torch.no_grad():
                embeds = self.text_encoder(pad_with_end(token_ids))[0]
            noise_pred = unet(noisy_latents, timesteps, embeds).sample
        error = functional.mse_loss(
            noise_pred.float(), noise, reduction="none"
        )
        if step.progress >= config.loss_weight("shirt_from"):
            weight = config.loss_weight("shirt")
            error = error * weigh_shirts(error, batch["is_wearer"], weight)
        return (self.weights[timesteps] * error.mean((1, 2, 3))).mean()


def make_noisy_latents(
    batch: Batch,
    scaling_factor: float,
    noise_scheduler: DDPMScheduler,
    step: Step,
) -> tuple[Latents, Latents, Int[Tensor, " batch"]]:
    """Sample latents from their posteriors and add noise to them.

    Returns the noisy latents, the noise in them and their timesteps.
    """
    means, stds = batch["means"].float(), batch["stds"].float()
    noise = step.randn(*means.shape[1:]).to(means.device)
    deviation = step.randn(*means.shape[1:]).to(means.device)
    latents = (means + stds * deviation) * scaling_factor
    timesteps = sample_timesteps(
        step.batch_size, step.generator, MIDDLE_TIMESTEPS
    )[step.rows].to(means.device, non_blocking=True)
    noisy_latents = noise_scheduler.add_noise(latents, noise, timesteps)
    return noisy_latents, noise, timesteps


def drop_captions(
    token_ids: TokenIds, empty_ids: Int[Tensor, "1 tokens"], step: Step
) -> TokenIds:
    """Put the empty caption in place of one in ten.

    Source: Ho and Salimans (2022), Classifier-Free Diffusion Guidance.
    """
    dropped = (step.rand() < CAPTION_DROPOUT).to(token_ids.device)
    return torch.where(dropped[:, None], empty_ids, token_ids)


def pad_with_end(token_ids: TokenIds) -> TokenIds:
    """Fill what is behind a caption with end tokens, as pipelines do."""
    behind = (token_ids == END_ID).cumsum(1) > 0
    return token_ids.masked_fill(behind, END_ID)


def weigh_shirts(
    error: Latents, is_wearer: Bool[Tensor, " batch"], weight: float
) -> Float[Tensor, "batch 1 height 1"]:
    """Return how much each row of cells counts, 1 on average.

    In images of people in patterns an error on the shirt counts `weight`
    times as much as one above it: a shirt is small, and full of detail.
    """
    height = error.shape[2]
    rows = torch.ones(height, device=error.device)
    rows[round(PARTS["pattern"][1] * height) :] = weight
    rows = torch.where(is_wearer[:, None], rows / rows.mean(), 1.0)
    return rows[:, None, :, None]
