"""Latents as the U-Net makes them, for images that are known.

A decoder that has seen encoded latents only meets others when it is used:
those of sampling are a little smoother, or a little off. Adding some noise to
an image's latents and removing it again gives such latents of a known image
(SDEdit, Meng et al. 2022).
"""

from dataclasses import dataclass

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import CLIPTextModel

from tutorial_lib.generation import predict_x0
from tutorial_lib.training.loop import autocast
from tutorial_lib.training.steps import Step
from tutorial_lib.training.unet import pad_with_end

EPSILON = 1e-6  # thirds add up to a little less than 1

Latents = Float[Tensor, "batch 4 16 16"]
PromptEmbeds = Float[Tensor, "batch tokens width"]
TokenIds = Int[Tensor, "batch tokens"]


@dataclass
class PartialDenoiser:
    """Noises latents up to some timestep, and lets the U-Net denoise them.

    The timestep is sampled from `timesteps`; the U-Net comes back from there
    in `num_steps` steps of DDIM, told the images' captions. Of a batch, every
    so many, a `share` of all, are treated so; the rest stay as they are.
    """

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    noise_scheduler: DDPMScheduler
    scaling_factor: float
    timesteps: tuple[int, int] = (50, 450)
    num_steps: int = 3
    share: float = 1 / 3

    @torch.no_grad()
    def __call__(
        self, latents: Latents, token_ids: TokenIds, step: Step
    ) -> Latents:
        """Return the latents of a step's rows, some as the U-Net makes them.

        The noise and the timesteps are drawn from `step`.
        """
        device = latents.device
        noise = step.randn(*latents.shape[1:]).to(device)
        low, high = self.timesteps
        timesteps = (low + (high - low) * step.rand()).long().to(device)
        chosen = self.choose(step.rows)
        if not chosen.any():
            return latents
        rows = chosen.nonzero().flatten().to(device, non_blocking=True)
        embeds = self.text_encoder(pad_with_end(token_ids[rows]))[0]
        denoised = self.denoise(
            latents[rows], noise[rows], timesteps[rows], embeds
        )
        return latents.index_copy(0, rows, denoised)

    def choose(self, rows: slice) -> Bool[Tensor, " batch"]:
        """Return which rows of a batch are treated, spread over them."""
        numbers = torch.arange(rows.start, rows.stop + 1).double()
        return (numbers * self.share + EPSILON).floor().diff() > 0

    def denoise(
        self,
        latents: Latents,
        noise: Latents,
        timesteps: Int[Tensor, " batch"],
        prompt_embeds: PromptEmbeds,
    ) -> Latents:
        """Return latents, unscaled as the given ones, denoised again."""
        device = latents.device
        alphas_cumprod = self.noise_scheduler.alphas_cumprod.to(
            device, non_blocking=True
        )
        shares = torch.linspace(1, 0, self.num_steps + 1)[:-1].tolist()
        x0 = latents * self.scaling_factor
        for share in shares:
            t = (timesteps * share).long()
            alpha_cumprod = alphas_cumprod[t][:, None, None, None]
            noisy = (
                alpha_cumprod**0.5 * x0 + (1 - alpha_cumprod) ** 0.5 * noise
            )
            with autocast(device):
                noise = self.unet(noisy, t, prompt_embeds).sample.float()
            x0 = predict_x0(noisy, noise, alpha_cumprod)
        return x0 / self.scaling_factor
