"""Weights as whole numbers of 8 bits: half the size of float16.

Each row of a weight is scaled so that its largest number becomes 127, and
then rounded ("symmetric, per channel"; Krishnamoorthi, arXiv:1806.08342,
section 2). What has fewer than two axes is small and stays float16.
"""

import torch
from torch import Tensor

LARGEST = 127
SCALE = ".scale"  # ends the name of the scales of a weight's rows

StateDict = dict[str, Tensor]


def quantize(state: StateDict) -> StateDict:
    """Return the weights of a state dict as int8, with a scale a row.

    The error of a number is at most half a 127th of the largest in its row.
    """
    stored = {}
    for name, weight in state.items():
        value = weight.detach().cpu().float().contiguous()
        if value.ndim < 2:
            stored[name] = value.half()
            continue
        scales = find_scales(value)
        stored[name] = (value / spread(scales, value)).round().to(torch.int8)
        stored[name + SCALE] = scales
    return stored


def dequantize(stored: StateDict) -> StateDict:
    """Return as float32 what `quantize` gave.

    What was stored without scales, as float16, is only turned into float32.
    """
    state = {}
    for name, value in stored.items():
        if name.endswith(SCALE):
            continue
        scales = stored.get(name + SCALE)
        state[name] = value.float()
        if scales is not None:
            state[name] *= spread(scales, value)
    return state


def find_scales(value: Tensor) -> Tensor:
    """Return the scale of each row: its largest number over 127."""
    largest = value.abs().flatten(1).amax(1)
    return torch.where(largest > 0, largest / LARGEST, 1.0)


def spread(scales: Tensor, value: Tensor) -> Tensor:
    """Give the scales of rows as many axes as the weight has."""
    return scales.view(-1, *[1] * (value.ndim - 1))
