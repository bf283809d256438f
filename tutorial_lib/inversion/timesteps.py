"""Which timesteps a batch looks at, and how much an error there counts.

Shared by the training of the tiny U-Net and by the loss that learns X.
"""

import torch
from diffusers import DDPMScheduler
from jaxtyping import Float, Int
from torch import Tensor

from tutorial_lib.errors import DataError
from tutorial_lib.settings import Profile

NUM_TIMESTEPS = 1000  # of every Stable Diffusion, the tiny one too
MAX_SNR = 5.0


def sample_timesteps(
    count: int,
    generator: torch.Generator,
    middle: tuple[int, int] | None = None,
) -> Int[Tensor, " count"]:
    """Sample stratified timesteps: one in each of `count` equal intervals.

    Their losses vary less than those of independent timesteps (Kingma et
    al., 2021). With `middle`, half of them are spread over all timesteps and
    half from its first to its second number: there a motif is neither lost
    in noise nor plain to see, and there is more to learn (Esser et al., 2024,
    section 3.1). Taught in notebooks/05_textual_inversion.ipynb.
    """
    within = torch.rand(count, generator=generator)
    place = (torch.arange(count) + within) / count
    if middle is None:
        return (NUM_TIMESTEPS * place).long()
    low, high = middle
    inner = low + (2 * place - 1) * (high - low)
    outer = 2 * NUM_TIMESTEPS * place
    timesteps = torch.where(place < 0.5, outer, inner)
    return timesteps.long().clamp(max=NUM_TIMESTEPS - 1)


def compute_timestep_weights(
    alphas_cumprod: Float[Tensor, " timesteps"],
) -> Float[Tensor, " timesteps"]:
    """Return the weight of the noise's error at each timestep.

    As an error of the image, min-SNR (Hang et al., 2023) weighs by the
    signal-to-noise ratio, at most 5. This takes that ratio's square root:
    where there is much noise, only the caption can tell a heart from a star,
    and that must not count for next to nothing.
    """
    snr = alphas_cumprod / (1 - alphas_cumprod)
    return snr.clamp(max=MAX_SNR).sqrt() / snr


def make_timestep_weights(
    profile: Profile, noise_scheduler: DDPMScheduler
) -> Float[Tensor, " timesteps"]:
    """Return what an error counts at each timestep: 1 in the paper.

    An error of the velocity is that of the noise, divided by
    `alphas_cumprod`; with weights, both count alike.
    """
    if profile.middle_timesteps is None:
        return torch.ones(noise_scheduler.config.num_train_timesteps)
    weights = compute_timestep_weights(noise_scheduler.alphas_cumprod)
    if noise_scheduler.config.prediction_type == "v_prediction":
        return weights * noise_scheduler.alphas_cumprod
    return weights


def make_target(
    noise_scheduler: DDPMScheduler,
    latents: Float[Tensor, "batch channels height width"],
    noise: Float[Tensor, "batch channels height width"],
    timesteps: Int[Tensor, " batch"],
) -> Float[Tensor, "batch channels height width"]:
    """Return what the U-Net should predict: the noise, or the velocity.

    The noise scheduler of a checkpoint says which. The velocity is a mixture
    of noise and latents (Salimans and Ho, 2022, Progressive Distillation for
    Fast Sampling of Diffusion Models, section 4). Raises DataError for a
    checkpoint that predicts anything else. Taught in
    notebooks/05_textual_inversion.ipynb.
    """
    kind = noise_scheduler.config.prediction_type
    if kind == "epsilon":
        return noise
    if kind == "v_prediction":
        return noise_scheduler.get_velocity(latents, noise, timesteps)
    raise DataError(
        f'These models predict "{kind}", and only "epsilon" and '
        '"v_prediction" can be learned with; load others.'
    )
