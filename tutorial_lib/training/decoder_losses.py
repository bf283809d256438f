"""What makes decoded images crisp: the losses of every VAE's decoder.

Pixels, edges, the features of a perceptual loss, and late and lightly a
patch discriminator, as in Stable Diffusion's own VAE (Rombach et al. 2022).
"""

from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.discriminator import (
    PatchDiscriminator,
    compute_adversarial_weight,
    compute_discriminator_loss,
)
from tutorial_lib.training.loop import autocast

Images = Float[Tensor, "batch 3 height width"]
Loss = Float[Tensor, ""]


class AdversarialVAE(nn.Module):
    """A VAE with the discriminator that its decoder is trained against.

    Both learn in the same steps; the discriminator is dropped when the
    training is over.
    """

    def __init__(
        self,
        vae: AutoencoderKL,
        discriminator: PatchDiscriminator | None = None,
    ) -> None:
        super().__init__()
        self.vae = vae
        self.discriminator = discriminator or PatchDiscriminator()


@dataclass
class DecoderLoss:
    """The weighted loss of decoded images, and that of the discriminator.

    `perceptual_loss` compares decoded with rendered images. The weights are
    the config's: the adversarial one rises from `discriminator_start` of the
    run on, over `discriminator_ramp` of it.
    """

    perceptual_loss: nn.Module
    config: PretrainingConfig

    def __call__(
        self,
        model: AdversarialVAE,
        decoded: Images,
        images: Images,
        progress: float,
    ) -> Loss:
        """Return what is to be minimized, 0 to 1 of the run being over.

        Where no gradients are taken, it is the reconstruction's loss alone.
        """
        losses = self.compute_reconstruction_losses(decoded, images)
        reconstruction = torch.stack(list(losses.values())).sum()
        if not torch.is_grad_enabled():
            return reconstruction
        weight = self.ramp(progress)
        if weight == 0:  # several processes wait for all gradients
            unused = [p.sum() for p in model.discriminator.parameters()]
            return reconstruction + 0 * torch.stack(unused).sum()
        adversarial = self.compute_adversarial_loss(
            model, decoded, reconstruction
        )
        with autocast(decoded.device, self.config.mixed_precision):
            discriminator_loss = compute_discriminator_loss(
                model.discriminator, images, decoded
            )
        return reconstruction + weight * adversarial + discriminator_loss

    def compute_reconstruction_losses(
        self, decoded: Images, images: Images
    ) -> dict[str, Loss]:
        """Return the weighted losses of pixels, edges and features."""
        weigh = self.config.loss_weight
        error = decoded - images
        with autocast(decoded.device, self.config.mixed_precision):
            perceptual = self.perceptual_loss(decoded, images)
        return {
            "pixels": error.abs().mean(),
            "edges": weigh("edges") * keep_edges(error).abs().mean(),
            "perceptual": weigh("perceptual") * perceptual,
        }

    def compute_adversarial_loss(
        self, model: AdversarialVAE, decoded: Images, reconstruction: Loss
    ) -> Loss:
        """Return how far decoded images are from passing as rendered.

        It teaches the decoder alone: the discriminator's weights are taken
        as they are.
        """
        model.discriminator.requires_grad_(False)
        with autocast(decoded.device, self.config.mixed_precision):
            loss = -model.discriminator(decoded).float().mean()
        model.discriminator.requires_grad_(True)
        weight = compute_adversarial_weight(
            reconstruction, loss, model.vae.decoder.conv_out.weight
        )
        return weight * loss

    def ramp(self, progress: float) -> float:
        """Return the weight of the adversarial loss."""
        weigh = self.config.loss_weight
        since = progress - weigh("discriminator_start")
        share = since / weigh("discriminator_ramp")
        return weigh("adversarial") * min(1.0, max(0.0, share))


def keep_edges(images: Images) -> Images:
    """Return what a mean over 3 x 3 pixels takes away."""
    return images - functional.avg_pool2d(
        images, 3, 1, 1, count_include_pad=False
    )
