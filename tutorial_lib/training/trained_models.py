"""The models of a run whose trainings are finished, from checkpoints.

Each raises CommandError, naming the stage to run, if it was not trained.
"""

import open_clip
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from tutorial_lib.training import clip, unet, vae
from tutorial_lib.training.checkpoints import load_trained
from tutorial_lib.training.decoder_losses import AdversarialVAE
from tutorial_lib.training.training_run import TrainingRun


def load_vae(run: TrainingRun) -> AutoencoderKL:
    """Load the VAE as it was before its decoder was trained on."""
    trained_vae = load_trained(
        run.work_folder / "vae.pt", vae.make_vae(run.size), "vae"
    )
    return trained_vae.to(run.device, memory_format=torch.channels_last)


def load_decoder(run: TrainingRun) -> AutoencoderKL:
    """Load the VAE with the decoder that was trained on."""
    model = AdversarialVAE(vae.make_vae(run.size))
    return load_trained(run.work_folder / "decoder.pt", model, "decoder").vae


def load_clip(run: TrainingRun) -> open_clip.CLIP:
    """Load the trained CLIP."""
    return load_trained(
        run.work_folder / "clip.pt", clip.make_clip(), "clip"
    ).clip


def load_unet(run: TrainingRun, text_width: int) -> UNet2DConditionModel:
    """Load the trained U-Net."""
    model = unet.make_unet(text_width)
    return load_trained(run.work_folder / "unet.pt", model, "unet")
