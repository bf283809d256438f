"""Make a VAE for images twice as large that keeps its latents.

The encoder gets one more level in front, which learns to give the latents
that the old encoder gives the smaller image; the decoder gets one more level
at its end, and learns to make the larger image of them. Whatever was trained
on these latents, U-Net and learned words, stays right.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tutorial_lib.training.discriminator import (
    PatchDiscriminator,
    compute_adversarial_weight,
    compute_discriminator_loss,
)
from tutorial_lib.training.loop import autocast
from tutorial_lib.training.perceptual_loss import PerceptualLoss

Images = Float[Tensor, "batch 3 height width"]
Latents = Float[Tensor, "batch 4 16 16"]


@dataclass(frozen=True)
class LargerVAEConfig:
    """How the larger VAE is trained.

    `discriminator_start` is the share of the run after which the
    discriminator joins, `discriminator_ramp` the share over which its weight
    rises to `adversarial_weight` (in units of the other losses' gradient).
    """

    batch_size: int = 96
    lr: float = 1.5e-3
    discriminator_lr: float = 4e-4
    warmup: float = 0.02
    hold: float = 0.4
    ema: float = 0.999
    edge_weight: float = 2.0
    perceptual_weight: float = 0.3
    adversarial_weight: float = 0.25
    discriminator_start: float = 0.45
    discriminator_ramp: float = 0.15
    seed: int = 0


def make_larger_vae(vae: AutoencoderKL) -> AutoencoderKL:
    """Return a VAE with one level more and the weights of `vae` in the rest.

    It takes and makes images twice as large, and its latents have the same
    shape and the same scaling factor.
    """
    config = dict(vae.config)
    widths = config["block_out_channels"]
    larger = AutoencoderKL.from_config(
        config
        | {
            "block_out_channels": [widths[0], *widths],
            "down_block_types": ["DownEncoderBlock2D"] * (len(widths) + 1),
            "up_block_types": ["UpDecoderBlock2D"] * (len(widths) + 1),
            "sample_size": 2 * config["sample_size"],
        }
    )
    wanted = larger.state_dict()
    for name, weight in vae.state_dict().items():
        renamed = shift_encoder_level(name)
        if renamed in wanted and wanted[renamed].shape == weight.shape:
            wanted[renamed] = weight
    larger.load_state_dict(wanted)
    return larger


def shift_encoder_level(name: str) -> str:
    """Return a weight's name when there is one more level in front of it."""
    start = "encoder.down_blocks."
    if not name.startswith(start):
        return name
    level, rest = name.removeprefix(start).split(".", 1)
    return f"{start}{int(level) + 1}.{rest}"


def halve(images: Images) -> Images:
    """Make images half as large."""
    return functional.interpolate(
        images, scale_factor=0.5, mode="bicubic", antialias=True
    ).clamp(-1, 1)


def keep_edges(images: Images) -> Images:
    """Return what a mean over 3 x 3 pixels takes away."""
    return images - functional.avg_pool2d(
        images, 3, 1, 1, count_include_pad=False
    )


@dataclass
class LargerVAETrainer:
    """Trains encoder and decoder of the larger VAE side by side.

    `soften` turns some latents into such as the U-Net makes (None: none),
    so that the decoder mends what sampling leaves.
    """

    vae: AutoencoderKL
    smaller_vae: AutoencoderKL
    perceptual_loss: PerceptualLoss
    config: LargerVAEConfig = field(default_factory=LargerVAEConfig)
    soften: Callable[[Latents, Tensor], Latents] | None = None

    def __post_init__(self) -> None:
        """Make discriminator, optimizers and the moving average."""
        torch.manual_seed(self.config.seed)
        device = self.vae.device
        self.discriminator = (
            PatchDiscriminator()
            .to(device)
            .to(memory_format=torch.channels_last)
        )
        self.ema_vae = AutoencoderKL.from_config(self.vae.config).to(device)
        self.ema_vae.load_state_dict(self.vae.state_dict())
        self.ema_vae.requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.vae.parameters(),
            lr=self.config.lr,
            betas=(0.9, 0.95),
            weight_decay=0.0,
        )
        self.discriminator_optimizer = torch.optim.AdamW(
            self.discriminator.parameters(),
            lr=self.config.discriminator_lr,
            betas=(0.5, 0.9),
            weight_decay=0.0,
        )
        self.step = 0

    def take_step(
        self, images: Images, indices: Tensor, progress: float
    ) -> dict[str, Tensor]:
        """Take one step of encoder, decoder and discriminator.

        `indices` are the images' numbers, for `soften`; `progress` is the
        share of the run that is over, 0 to 1. Returns the losses.
        """
        rate = self.config.lr * self.compute_lr_multiplier(progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        latents, encoder_loss = self.encode(images)
        if self.soften:
            latents = self.soften(latents, indices)
        with autocast(self.vae.device):
            decoded = self.vae.decode(latents).sample
        decoded = decoded.float()
        losses = {"encoder": encoder_loss}
        losses |= self.compute_decoder_losses(decoded, images)
        total = sum(losses.values(), torch.zeros((), device=images.device))
        weight = self.ramp(progress)
        if weight > 0:
            losses |= self.teach_discriminator(images, decoded)
            total = total + weight * self.compute_adversarial_loss(
                decoded, total - encoder_loss
            )
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(self.vae.parameters(), 1.0)
        self.optimizer.step()
        self.update_ema()
        self.step += 1
        return {name: loss.detach() for name, loss in losses.items()}

    def encode(self, images: Images) -> tuple[Latents, Float[Tensor, ""]]:
        """Return latents by the smaller VAE, and the larger encoder's error.

        The error of mean and std is measured in units of the latents' std.
        """
        with torch.no_grad(), autocast(self.vae.device):
            wanted = self.smaller_vae.encode(halve(images)).latent_dist
        with autocast(self.vae.device):
            given = self.vae.encode(images).latent_dist
        scale = self.vae.config.scaling_factor
        mean_error = scale * (given.mean.float() - wanted.mean.float())
        std_error = scale * (given.std.float() - wanted.std.float())
        loss = mean_error.abs().mean() + mean_error.square().mean()
        loss = loss + std_error.abs().mean()
        noise = torch.randn_like(wanted.mean)
        return (wanted.mean + wanted.std * noise).float(), loss

    def compute_decoder_losses(
        self, decoded: Images, images: Images
    ) -> dict[str, Float[Tensor, ""]]:
        """Return the weighted losses of pixels, edges and features."""
        error = decoded - images
        with autocast(self.vae.device):
            perceptual = self.perceptual_loss(decoded, images)
        return {
            "pixels": error.abs().mean(),
            "edges": self.config.edge_weight * keep_edges(error).abs().mean(),
            "perceptual": self.config.perceptual_weight * perceptual,
        }

    def teach_discriminator(
        self, images: Images, decoded: Images
    ) -> dict[str, Float[Tensor, ""]]:
        """Take one step of the discriminator."""
        with autocast(self.vae.device):
            loss = compute_discriminator_loss(
                self.discriminator, images, decoded
            )
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.discriminator_optimizer.step()
        return {"discriminator": loss}

    def compute_adversarial_loss(
        self, decoded: Images, reconstruction_loss: Float[Tensor, ""]
    ) -> Float[Tensor, ""]:
        """Return how far decoded images are from passing as rendered."""
        self.discriminator.requires_grad_(False)
        with autocast(self.vae.device):
            loss = -self.discriminator(decoded).float().mean()
        self.discriminator.requires_grad_(True)
        weight = compute_adversarial_weight(
            reconstruction_loss, loss, self.vae.decoder.conv_out.weight
        )
        return weight * loss

    def compute_lr_multiplier(self, progress: float) -> float:
        """Return what the learning rate is multiplied by, 0 to 1."""
        warmup = min(1.0, (progress + 1e-3) / self.config.warmup)
        hold = self.config.hold
        decay = max(0.0, (progress - hold) / (1 - hold))
        return warmup * (
            0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, decay)))
        )

    def ramp(self, progress: float) -> float:
        """Return the weight of the adversarial loss."""
        start = self.config.discriminator_start
        share = (progress - start) / self.config.discriminator_ramp
        return self.config.adversarial_weight * min(1.0, max(0.0, share))

    @torch.no_grad()
    def update_ema(self) -> None:
        """Move the average a little towards the model."""
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(
            list(self.ema_vae.parameters()),
            list(self.vae.parameters()),
            1 - decay,
        )


def train_for(
    seconds: float,
    trainer: LargerVAETrainer,
    sample_batch: Callable[[int], tuple[Images, Tensor]],
    report: Callable[[float, dict[str, Tensor]], None],
) -> None:
    """Train for a time; the schedule follows the clock.

    `sample_batch` returns as many images as it is asked for, with their
    numbers; `report` is called after each step with the progress.
    """
    for progress in watch_clock(seconds):
        images, indices = sample_batch(trainer.config.batch_size)
        report(progress, trainer.take_step(images, indices, progress))


def watch_clock(seconds: float) -> Iterator[float]:
    """Yield the share of a time that is over, until all of it is."""
    start = time.monotonic()
    while (elapsed := time.monotonic() - start) < seconds:
        yield elapsed / seconds
