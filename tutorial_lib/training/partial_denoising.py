"""Latents as the U-Net makes them, for images that are known.

A decoder that has seen encoded latents only meets others when it is used:
those of sampling are a little smoother, or a little off. Adding some noise to
an image's latents and removing it again gives such latents of a known image
(SDEdit, Meng et al. 2022).
"""

from dataclasses import dataclass

import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from jaxtyping import Float, Int
from torch import Tensor
from transformers import CLIPTextModel

from tutorial_lib.generation import predict_x0
from tutorial_lib.training.loop import autocast
from tutorial_lib.training.unet import pad_with_end

Latents = Float[Tensor, "batch 4 16 16"]
PromptEmbeds = Float[Tensor, "batch tokens width"]
TokenIds = Int[Tensor, "batch tokens"]


@dataclass
class PartialDenoiser:
    """Noises latents up to some timestep, and lets the U-Net denoise them.

    The timestep is sampled from `timesteps`; the U-Net comes back from there
    in `num_steps` steps of DDIM, told the images' captions. Of a batch, the
    first `share` is treated so, and the rest stays as it is.
    """

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    noise_scheduler: DDPMScheduler
    scaling_factor: float
    timesteps: tuple[int, int] = (50, 450)
    num_steps: int = 3
    share: float = 1 / 3

    @torch.no_grad()
    def __call__(self, latents: Latents, token_ids: TokenIds) -> Latents:
        """Return latents, the first of them as the U-Net makes them."""
        count = round(self.share * len(latents))
        embeds = self.text_encoder(pad_with_end(token_ids[:count]))[0]
        return torch.cat(
            [self.denoise(latents[:count], embeds), latents[count:]]
        )

    def denoise(
        self, latents: Latents, prompt_embeds: PromptEmbeds
    ) -> Latents:
        """Return latents, unscaled as the given ones, denoised again."""
        device = latents.device
        alphas_cumprod = self.noise_scheduler.alphas_cumprod.to(device)
        timesteps = torch.randint(
            *self.timesteps, (len(latents),), device=device
        )
        shares = torch.linspace(1, 0, self.num_steps + 1)[:-1].tolist()
        x0 = latents * self.scaling_factor
        noise = torch.randn_like(x0)
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
