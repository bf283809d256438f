"""Train the larger VAE of models that are there, with all that it needs."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.models import Models
from tutorial_lib.training.batches import BatchSource
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.larger_vae import (
    LargerVAETrainer,
    make_larger_vae,
    train_larger_vae,
)
from tutorial_lib.training.partial_denoising import PartialDenoiser
from tutorial_lib.training.perceptual_loss import PerceptualLoss

BAR = "{desc}: {percentage:3.0f} % [{elapsed}<{remaining}{postfix}]"
LOG_EVERY = 20  # steps


def make_trainer(
    models: Models, config: PretrainingConfig
) -> LargerVAETrainer:
    """Make the trainer of a VAE that keeps the models' latents."""
    pipeline = models.pipeline
    for part in (pipeline.vae, pipeline.unet, pipeline.text_encoder):
        part.float()  # autocast chooses the format
    larger = make_larger_vae(pipeline.vae).to(
        models.device, memory_format=torch.channels_last
    )
    denoiser = PartialDenoiser(
        pipeline.unet,
        pipeline.text_encoder,
        pipeline.scheduler,
        pipeline.vae.config.scaling_factor,
    )
    return LargerVAETrainer(
        larger, pipeline.vae, PerceptualLoss(models.clip), config, denoiser
    )


def enlarge_vae(
    models: Models,
    source: BatchSource,
    config: PretrainingConfig,
    folder: Path,
) -> AutoencoderKL:
    """Train the larger VAE and write it as diffusers loads it, in float16."""
    trainer = make_trainer(models, config)
    with tqdm(total=1, desc="larger VAE", bar_format=BAR) as bar:

        def report(progress: float, losses: dict[str, Tensor]) -> None:
            """Move the bar, and show the losses now and then."""
            bar.update(progress - bar.n)
            if trainer.step % LOG_EVERY == 0:
                bar.set_postfix(
                    {name: f"{loss:.3f}" for name, loss in losses.items()}
                )

        vae = train_larger_vae(trainer, source, report)
    vae.half().save_pretrained(folder, safe_serialization=True)
    print(f"The larger VAE is in {folder}")
    return vae
