"""Images with their captions and labels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor


@dataclass
class CaptionedImages:
    """Images, and the caption and the labels of each."""

    pixels: UInt8[np.ndarray, "num_images height width 3"]
    captions: list[str]
    labels: list[dict[str, Any]]

    def batch(
        self, indices: Int[Tensor, " batch"], device: str | torch.device
    ) -> Float[Tensor, "batch 3 height width"]:
        """Return the images with these indices, with pixels from -1 to 1."""
        chosen = torch.from_numpy(self.pixels[indices.numpy()])
        return chosen.to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
