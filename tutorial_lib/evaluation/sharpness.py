"""How crisp decoded images are: the energy of their finest waves."""

import torch
from jaxtyping import Float
from torch import Tensor

FINE_FREQUENCY = 0.25  # cycles a pixel; 0.5 is the finest there is

Images = Float[Tensor, "batch 3 height width"]


def measure_fine_energy(images: Images) -> Float[Tensor, " batch"]:
    """Return the energy of each image's waves finer than 1/4 cycle a pixel.

    `images` have pixels from -1 to 1; the energy is that of their grey
    values, summed over these frequencies. A soft image has little of it.
    """
    grey = images.float().mean(1)
    spectrum = torch.fft.fft2(grey - grey.mean((1, 2), keepdim=True))
    height, width = grey.shape[-2:]
    down = torch.fft.fftfreq(height, device=grey.device)[:, None]
    across = torch.fft.fftfreq(width, device=grey.device)[None]
    is_fine = (down.square() + across.square()).sqrt() > FINE_FREQUENCY
    return (spectrum.abs().square() * is_fine).sum((1, 2))


def measure_sharpness(decoded: Images, rendered: Images) -> float:
    """Return the fine energy of decoded images over that of rendered ones.

    1 means that edges and grain are as strong as in the rendered images.
    """
    energy = measure_fine_energy(decoded).sum()
    return (energy / measure_fine_energy(rendered).sum()).item()
