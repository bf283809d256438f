"""Make a VAE for images twice as large that keeps its latents.

The encoder gets one more level in front, which learns to give the latents
that the old encoder gives the smaller image; the decoder gets one more level
at its end, and learns to make the larger image of them. Whatever was trained
on these latents, U-Net and learned words, stays right.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from tutorial_lib.training.batches import (
    BatchSource,
    ShardDataset,
    make_loader,
    scale_pixels,
)
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.discriminator import (
    PatchDiscriminator,
    compute_adversarial_weight,
    compute_discriminator_loss,
)
from tutorial_lib.training.loop import autocast
from tutorial_lib.training.optimization import lr_multiplier
from tutorial_lib.training.perceptual_loss import PerceptualLoss
from tutorial_lib.training.sampling import ImagePool, MixtureSampler

COLUMNS = ("pixels", "token_ids")

Images = Float[Tensor, "batch 3 height width"]
TokenIds = Int[Tensor, "batch tokens"]
Latents = Float[Tensor, "batch 4 16 16"]


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

    `soften`, given latents and the captions' token ids, turns some of them
    into such as the U-Net makes, so that the decoder mends what sampling
    leaves. The weights of the losses are those of `config`.
    """

    vae: AutoencoderKL
    smaller_vae: AutoencoderKL
    perceptual_loss: PerceptualLoss
    config: PretrainingConfig
    soften: Callable[[Latents, TokenIds], Latents]

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
            betas=self.config.betas,
            weight_decay=0.0,
        )
        self.discriminator_optimizer = torch.optim.AdamW(
            self.discriminator.parameters(),
            lr=self.config.loss_weight("discriminator_lr"),
            betas=(0.5, 0.9),
            weight_decay=0.0,
        )
        self.step = 0

    def take_step(
        self, images: Images, token_ids: TokenIds, progress: float
    ) -> dict[str, Tensor]:
        """Take one step of encoder, decoder and discriminator.

        `token_ids` are the captions'; `progress` is the share of the run
        that is over, 0 to 1. Returns the losses.
        """
        multiplier = lr_multiplier(self.config, self.step, progress)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * multiplier
        latents, encoder_loss = self.encode(images)
        latents = self.soften(latents, token_ids)
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
            "edges": self.config.loss_weight("edges")
            * keep_edges(error).abs().mean(),
            "perceptual": self.config.loss_weight("perceptual") * perceptual,
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

    def ramp(self, progress: float) -> float:
        """Return the weight of the adversarial loss."""
        weight = self.config.loss_weight
        since = progress - weight("discriminator_start")
        share = since / weight("discriminator_ramp")
        return weight("adversarial") * min(1.0, max(0.0, share))

    @torch.no_grad()
    def update_ema(self) -> None:
        """Move the average a little towards the model."""
        decay = min(self.config.ema, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(
            list(self.ema_vae.parameters()),
            list(self.vae.parameters()),
            1 - decay,
        )


def make_source(pool: ImagePool) -> BatchSource:
    """Make batches of images with their captions."""
    dataset = ShardDataset(pool.folder, COLUMNS)
    return BatchSource(dataset, MixtureSampler(pool))


def train_larger_vae(
    trainer: LargerVAETrainer,
    source: BatchSource,
    report: Callable[[float, dict[str, Tensor]], None],
) -> AutoencoderKL:
    """Train for the config's steps or seconds; return the moving average.

    `report` is called after each step, with the progress and the losses.
    """
    device = trainer.vae.device
    on_gpu = device.type == "cuda"
    loader = make_loader(source, trainer.config, 0, pin=on_gpu)
    for batch, progress in zip(
        loader, measure_progress(trainer.config), strict=False
    ):
        images = scale_pixels(batch["pixels"].to(device, non_blocking=True))
        token_ids = batch["token_ids"].to(device)
        report(progress, trainer.take_step(images, token_ids, progress))
    return trainer.ema_vae.eval()


def measure_progress(config: PretrainingConfig) -> Iterator[float]:
    """Yield the part of the steps, or of the time, that is over."""
    start, step, progress = time.monotonic(), 0, 0.0
    while progress < 1:
        yield progress
        step += 1
        if config.steps:
            progress = step / config.steps
        elif config.seconds:
            progress = (time.monotonic() - start) / config.seconds
