"""Train the larger VAE of models that are there, with all that it needs."""

from pathlib import Path

from diffusers import AutoencoderKL

from tutorial_lib.models import Models
from tutorial_lib.training.batches import BatchSource
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.larger_vae import train_larger_vae
from tutorial_lib.training.partial_denoising import PartialDenoiser
from tutorial_lib.training.perceptual_loss import PerceptualLoss


def enlarge_vae(
    models: Models,
    source: BatchSource,
    config: PretrainingConfig,
    folder: Path,
) -> AutoencoderKL:
    """Train the larger VAE and write it as diffusers loads it, in float16.

    Its checkpoint lies beside `folder`.
    """
    pipeline = models.pipeline
    for part in (pipeline.vae, pipeline.unet, pipeline.text_encoder):
        part.float()  # autocast chooses the format
    denoiser = PartialDenoiser(
        pipeline.unet,
        pipeline.text_encoder,
        pipeline.scheduler,
        pipeline.vae.config.scaling_factor,
    )
    vae = train_larger_vae(
        pipeline.vae,
        PerceptualLoss(models.clip),
        denoiser,
        source,
        folder.with_name(f"{folder.name}.pt"),
        config,
    )
    vae.half().save_pretrained(folder, safe_serialization=True)
    print(f"The larger VAE is in {folder}")
    return vae
