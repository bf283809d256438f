"""A training of small models that any number of processes can share."""

import torch
from mini_training import SMALL_CLIP, make_small_unet

from tutorial_lib.processes import start_processes
from tutorial_lib.training import clip, decoder, latents, unet, vae
from tutorial_lib.training.config import PretrainingConfig, read_config
from tutorial_lib.training.export import (
    make_noise_scheduler,
    text_encoder_from_clip,
)
from tutorial_lib.training.partial_denoising import PartialDenoiser
from tutorial_lib.training.perceptual_loss import PerceptualLoss
from tutorial_lib.training.sampling import ImagePool, make_source

POOLS = {"captioned": [0, 1], "wearers": [0]}
HELD_OUT = ("held-out", "held-out")


# A gradient that is zero but for rounding still moves its weight a whole step
# of Adam's. The decoder has many of them: its steps are small.
LRS = {"clip": 1e-3, "unet": 1e-3, "decoder": 1e-5}


def make_config(name: str) -> PretrainingConfig:
    """Make a config of three steps in float32."""
    return PretrainingConfig(
        steps=3,
        batch_size=8,
        lr=LRS[name],
        warmup=1,
        mixed_precision="no",
        loss_weights=read_config(name).loss_weights
        | {"shirt_from": 0.0, "discriminator_start": 0.0},
    )


def train_all(shards, target):
    """Train a CLIP, a U-Net on latents of an untrained VAE, a decoder."""
    start_processes("cpu")
    pool = ImagePool(shards, POOLS)
    held_out = ImagePool(shards, {"held-out": [79]})
    trained_clip = clip.train_clip(
        clip.make_source(pool, 0.5, side=32),
        target / "clip.pt",
        "cpu",
        make_config("clip"),
        clip.make_source(held_out, names=HELD_OUT, side=32),
        model_cfg=SMALL_CLIP,
    )
    torch.manual_seed(0)
    model = vae.make_vae(64)
    encoders = [
        latents.LatentEncoder(model, p, "cpu") for p in (pool, held_out)
    ]
    for encoder in encoders:
        encoder.folder = target / "latents"
        encoder.latents = ImagePool(encoder.folder, encoder.pool.numbers)
    encoders[0].encode_all(("captioned", "wearers"))
    encoders[1].encode_all(HELD_OUT[:1])
    unet.train_unet(
        make_small_unet(),
        text_encoder_from_clip(trained_clip),
        1.0,
        make_source(encoders[0].latents, unet.COLUMNS, 0.5),
        target / "unet.pt",
        make_config("unet"),
        make_source(encoders[1].latents, unet.COLUMNS, names=HELD_OUT),
    )
    # Of networks that nobody trained, so that none differs from the start.
    torch.manual_seed(0)
    untrained_clip = clip.make_clip(SMALL_CLIP).clip.eval()
    decoder.train_decoder(
        model,
        PerceptualLoss(untrained_clip),
        PartialDenoiser(
            make_small_unet().requires_grad_(False),
            text_encoder_from_clip(untrained_clip),
            make_noise_scheduler(),
            1.0,
        ),
        make_source(pool, decoder.COLUMNS, 0.5),
        target / "decoder.pt",
        make_config("decoder"),
        make_source(held_out, decoder.COLUMNS, names=HELD_OUT),
    )
