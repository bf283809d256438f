"""Models that answer with the velocity in place of the noise.

They are others' twins: the same weights, and behind the U-Net a hook that
mixes velocity from its noise (Salimans and Ho, 2022, section 4). What they
draw and learn is therefore the same, but for rounding.
"""

import copy
from dataclasses import replace

from diffusers import DDPMScheduler


def make_velocity_twin(models):
    """Return Models that predict the velocity of the noise these predict."""
    pipeline = copy.copy(models.pipeline)
    pipeline.scheduler = scheduler = DDPMScheduler.from_config(
        models.pipeline.scheduler.config, prediction_type="v_prediction"
    )
    pipeline.unet = copy.deepcopy(models.pipeline.unet)

    def mix(_, arguments, named, output):
        """Put the velocity in the place of the noise."""
        noisy, timesteps = arguments[:2]
        alpha = scheduler.alphas_cumprod.to(noisy)[timesteps] ** 0.5
        alpha = alpha.reshape(-1, 1, 1, 1)
        sigma = (1 - alpha**2) ** 0.5
        velocity = (output[0] - sigma * noisy) / alpha
        if isinstance(output, tuple):
            return (velocity,)
        return replace(output, sample=velocity)

    pipeline.unet.register_forward_hook(mix, with_kwargs=True)
    return replace(models, pipeline=pipeline)
