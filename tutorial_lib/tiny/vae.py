"""Train the VAE that turns pictures into latents and back."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.tiny.pictures import Pictures
from tutorial_lib.tiny.training import Plan, autocast, to_pixels, train

PLAN = Plan(
    steps=4500, batch_size=32, lr=2e-3, warmup=200, betas=(0.9, 0.95),
)
KL_WEIGHT = 1e-4
GRADIENT_WEIGHT = 0.5


def make_vae(size: int) -> AutoencoderKL:
    """Build an untrained VAE with latents of 16 x 16 cells."""
    widths = {64: (32, 64, 128), 128: (32, 64, 96, 128)}[size]
    return AutoencoderKL(
        block_out_channels=widths, layers_per_block=1, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * len(widths),
        up_block_types=("UpDecoderBlock2D",) * len(widths),
        norm_num_groups=8, sample_size=size, mid_block_add_attention=False,
    )


def train_vae(
    pictures: Pictures, size: int, checkpoint: Path, device: str,
    plan: Plan = PLAN,
) -> AutoencoderKL:
    """Train on crops of half the side: cheaper, and convolutions allow it."""
    torch.manual_seed(plan.seed)
    crop = size // 2

    def compute_loss(vae, generator):
        """Encode and decode a batch of crops."""
        count = plan.batch_size
        chosen = torch.randint(
            len(pictures.pixels), (count,), generator=generator
        )
        top, left = torch.randint(
            size - crop + 1, (2, count), generator=generator
        ).tolist()
        whole = to_pixels(pictures.pixels, chosen, "cpu")
        batch = torch.stack([
            picture[:, y:y + crop, x:x + crop]
            for picture, y, x in zip(whole, top, left, strict=True)
        ]).to(device)
        noise = torch.randn(
            (count, 4, 16 // 2, 16 // 2), generator=generator
        ).to(device)
        with autocast(device):
            posterior = vae.encode(batch).latent_dist
            latents = posterior.mean + posterior.std * noise
            decoded = vae.decode(latents).sample
        error = reconstruction_error(decoded.float(), batch)
        return error + KL_WEIGHT * posterior.kl().float().mean() / 256

    vae = make_vae(size).to(device, memory_format=torch.channels_last)
    return train(vae, plan, compute_loss, checkpoint, "VAE")


def reconstruction_error(decoded: Tensor, pictures: Tensor) -> Tensor:
    """Mean absolute error of pixels and of their differences (edges)."""
    error = decoded - pictures
    across = (error[..., 1:] - error[..., :-1]).abs().mean()
    down = (error[..., 1:, :] - error[..., :-1, :]).abs().mean()
    return error.abs().mean() + GRADIENT_WEIGHT * (across + down)


@torch.no_grad()
def encode_pictures(
    vae: AutoencoderKL, pictures: Pictures, device: str,
) -> tuple[Tensor, Tensor]:
    """Return the posteriors' mean and std (n, 4, 16, 16), float16."""
    means, stds = [], []
    parts = torch.arange(len(pictures.pixels)).split(256)
    for indices in tqdm(parts, desc="encoding pictures"):
        with autocast(device):
            batch = to_pixels(pictures.pixels, indices, device)
            posterior = vae.encode(batch).latent_dist
        means.append(posterior.mean.half().cpu())
        stds.append(posterior.std.half().cpu())
    return torch.cat(means), torch.cat(stds)


@torch.no_grad()
def measure_psnr(vae: AutoencoderKL, pictures: Pictures, device: str) -> float:
    """Return the mean peak signal-to-noise ratio of decoded pictures, dB."""
    ratios = []
    for indices in torch.arange(len(pictures.pixels)).split(128):
        batch = to_pixels(pictures.pixels, indices, device)
        decoded = vae.decode(vae.encode(batch).latent_dist.mode()).sample
        error = (decoded.clamp(-1, 1) - batch).square().mean((1, 2, 3))
        ratios.append(10 * torch.log10(4 / error))
    return torch.cat(ratios).mean().item()
