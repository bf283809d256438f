"""Which timesteps a batch looks at, and how much an error there counts.

Shared by the tiny U-Net's training and by the recipe that learns X.
"""

import torch
from torch import Tensor

NUM_TIMESTEPS = 1000  # of every Stable Diffusion, the tiny one too
MAX_SNR = 5.0


def sample_timesteps(
    count: int,
    generator: torch.Generator,
    middle: tuple[int, int] | None = None,
) -> Tensor:
    """Pick timesteps (count,), one at random in each share of the schedule.

    Spread evenly they make losses steadier (Kingma et al. 2021). With
    `middle` half of them are spread over the schedule and half over the
    timesteps from its first to its second number: there a motif is neither
    drowned in noise nor already there to be seen, and more lessons pay
    (Esser et al. 2024, 3.1). Taught in notebooks/05_textual_inversion.ipynb.
    """
    within = torch.rand(count, generator=generator)
    place = (torch.arange(count) + within) / count
    if middle is None:
        return (NUM_TIMESTEPS * place).long()
    low, high = middle
    inner = low + (2 * place - 1) * (high - low)
    outer = 2 * NUM_TIMESTEPS * place
    chosen = torch.where(place < 0.5, outer, inner)
    return chosen.long().clamp(max=NUM_TIMESTEPS - 1)


def compute_timestep_weights(alphas_cumprod: Tensor) -> Tensor:
    """Return the weight of the noise's error at each timestep (1000,).

    `signal` is the schedule's cumulative product of alphas (1000,). Seen as
    an error of the picture, min-SNR (Hang et al. 2023) weighs by the signal
    to noise ratio, at most 5. Here it is that ratio's square root: when
    there is much noise, only the caption can tell a heart from a star, and
    that must not count for next to nothing.
    """
    snr = alphas_cumprod / (1 - alphas_cumprod)
    return snr.clamp(max=MAX_SNR).sqrt() / snr
