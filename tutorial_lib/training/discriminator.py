"""A patch discriminator: tells decoded images from rendered ones.

The last polish of Stable Diffusion's own VAE (Esser et al. 2021, Taming
Transformers for High-Resolution Image Synthesis, section 3.1; Rombach et al.
2022): the decoder learns to make images that it takes for rendered ones.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from tutorial_lib.processes import average_tensor

MAX_ADVERSARIAL_WEIGHT = 10.0
EPSILON = 1e-6

Images = Float[Tensor, "batch 3 height width"]
Verdicts = Float[Tensor, "batch 1 rows columns"]


class PatchDiscriminator(nn.Module):
    """Says of each patch of an image whether it looks rendered.

    Four strided convolutions with spectral norm (Miyato et al. 2018), which
    see 46 x 46 pixels; a verdict above 0 means "rendered".
    """

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        widths = [3, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        for width_in, width_out in zip(widths, widths[1:], strict=False):
            layers += [
                spectral_norm(nn.Conv2d(width_in, width_out, 4, 2, 1)),
                nn.LeakyReLU(0.2),
            ]
        layers += [
            spectral_norm(nn.Conv2d(widths[-1], widths[-1], 3, 1, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(widths[-1], 1, 3, 1, 1)),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Images) -> Verdicts:
        """Return the verdict on each patch."""
        return self.layers(images)


def compute_discriminator_loss(
    discriminator: PatchDiscriminator, rendered: Images, decoded: Images
) -> Float[Tensor, ""]:
    """Return the hinge loss of telling rendered from decoded images."""
    real = discriminator(rendered).float()
    fake = discriminator(decoded.detach()).float()
    return (functional.relu(1 - real) + functional.relu(1 + fake)).mean() / 2


def compute_adversarial_weight(
    reconstruction_loss: Float[Tensor, ""],
    adversarial_loss: Float[Tensor, ""],
    last_layer: nn.Parameter,
) -> Float[Tensor, ""]:
    """Return the weight at which both losses pull equally hard.

    It is the ratio of their gradients' norms at the decoder's last layer
    (Esser et al. 2021, equation 7), taken over the rows of all processes.
    """
    gradients = [
        torch.autograd.grad(loss, last_layer, retain_graph=True)[0]
        for loss in (reconstruction_loss, adversarial_loss)
    ]
    norms = [average_tensor(gradient).norm() for gradient in gradients]
    weight = norms[0] / (norms[1] + EPSILON)
    return weight.clamp(max=MAX_ADVERSARIAL_WEIGHT).detach()
