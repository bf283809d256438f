"""Make rendered images as soft as generated ones, and a little off in colour.

So a judge looks at what is shown and not at single pixels.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

MIN_SCALE = 0.4  # of the smaller size that an image is sent through
MAX_SIGMA = 0.012  # of the blur, in shares of the side
BLUR_RADIUS = 0.032  # of its kernel
NOISE = 0.02
GAIN, SHIFT = 0.03, 0.025

ImageBatch = Float[Tensor, "batch 3 height width"]


def soften(images: ImageBatch, generator: torch.Generator) -> ImageBatch:
    """Leave a quarter crisp; blur, downscale or add noise to the others."""
    quarters = torch.randperm(len(images), generator=generator).chunk(4)
    strengths = torch.rand(3, generator=generator).tolist()
    seed = int(torch.randint(1 << 30, (), generator=generator))
    images = images.clone()
    changes = (resample, blur, add_noise)
    for change, strength, quarter in zip(
        changes, strengths, quarters[:3], strict=True
    ):
        rows = quarter.to(images.device)
        images[rows] = change(images[rows], strength, seed)
    return images


def resample(images: ImageBatch, strength: float, seed: int) -> ImageBatch:
    """Send images through a smaller size; half the time with sharp edges.

    `strength` 1 gives the smallest size.
    """
    size = images.shape[-1]
    small = round(size * (1 - (1 - MIN_SCALE) * strength))
    mode = "bicubic" if seed % 2 else "bilinear"
    shrunk = functional.interpolate(
        images, size=(small, small), mode="bilinear", antialias=True
    )
    return functional.interpolate(shrunk, size=(size, size), mode=mode)


def blur(images: ImageBatch, strength: float, seed: int) -> ImageBatch:
    """Blur images by a Gaussian; `strength` 1 is the widest."""
    del seed
    size = images.shape[-1]
    sigma = max(0.2, MAX_SIGMA * size * strength)
    radius = max(1, round(BLUR_RADIUS * size))
    steps = torch.arange(-radius, radius + 1, device=images.device)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
    padded = functional.pad(images, (radius,) * 4, mode="reflect")
    across = functional.conv2d(padded, kernel, groups=3)
    return functional.conv2d(across, kernel.transpose(2, 3), groups=3)


def add_noise(images: ImageBatch, strength: float, seed: int) -> ImageBatch:
    """Add noise to single pixels, softly to each image."""
    generator = torch.Generator(images.device).manual_seed(seed)
    noise = torch.randn(
        images.shape, generator=generator, device=images.device
    )
    return images + NOISE * strength * noise


def shift_colors(images: ImageBatch, generator: torch.Generator) -> ImageBatch:
    """Give each channel of each image a gain and a shift of its own."""
    shape = (len(images), 3, 1, 1)
    gain = 1 + GAIN * torch.randn(shape, generator=generator)
    shift = SHIFT * torch.randn(shape, generator=generator)
    return images * gain.to(images.device) + shift.to(images.device)
