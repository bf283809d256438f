"""Images with their captions and labels."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass
class CaptionedImages:
    """Pictures (n, size, size, 3) uint8, with captions and labels."""

    pixels: np.ndarray
    captions: list[str]
    labels: list[dict]


def to_pixels(pixels, indices, device) -> Tensor:
    """Pick pictures (n, s, s, 3) uint8 as (n, 3, s, s) in [-1, 1]."""
    picked = torch.from_numpy(pixels[indices.numpy()])
    return picked.to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
