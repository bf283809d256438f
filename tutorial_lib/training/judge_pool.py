"""The images that judges learn from.

All lie on the training device as bytes. A share of them was sent through the
VAE, so that judges know what generated images look like; judges never see an
image that was generated for a word.
"""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from jaxtyping import Float, Int, UInt8
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from tutorial_lib.training.judge_concepts import GROUP_SIZE
from tutorial_lib.training.judge_images import (
    LABELS,
    PART_NAMES,
    VIEWS,
    WHOLE,
)
from tutorial_lib.world import NUMBERS, PARTS

DECODED_SHARE = 0.5  # of the images: encoded and decoded again
DECODING_BATCH = 128
MAX_WOBBLE = 0.06  # stds of the latents, added as noise
MAX_SOFTENING = 0.5  # the share of blurred latents in them

ImageBatch = Float[Tensor, "batch 3 height width"]
Shard = dict[str, Tensor]


class JudgePool:
    """Images with labels and numbers, up to `capacity`, on one device.

    They are read from the shards of `folder`, in the order of their names.
    The `vae` decodes a share of them again; without it all are as they were
    rendered.
    """

    def __init__(
        self,
        folder: Path,
        capacity: int,
        size: int,
        device: str | torch.device,
        vae: AutoencoderKL | None = None,
        decoded_share: float = DECODED_SHARE,
    ) -> None:
        self.folder, self.size, self.device = folder, size, device
        self.vae, self.decoded_share = vae, decoded_share
        shape = (capacity, size, size, 3)
        self.pixels = torch.empty(shape, dtype=torch.uint8, device=device)
        self.parts = torch.empty(capacity, dtype=torch.uint8, device=device)
        shape_labels = (capacity, len(LABELS))
        self.labels = torch.empty(
            shape_labels, dtype=torch.long, device=device
        )
        self.numbers = torch.empty((capacity, len(NUMBERS)), device=device)
        self.count = 0
        self.groups: dict[str, list[Int[Tensor, "groups concepts views"]]]
        self.groups = {"pattern": [], "person": []}
        self.read_shards()

    def read_shards(self) -> None:
        """Add all shards, as far as there is room."""
        for path in sorted(self.folder.glob("[0-9]*.safetensors")):
            shard = load_file(path)
            if self.count + len(shard["pixels"]) > len(self.pixels):
                return
            number, content = path.stem.split("-")
            self.add(content, shard, int(number))

    def add(self, content: str, shard: Shard, seed: int) -> None:
        """Add one shard; a share of its images is decoded again."""
        pixels = shard["pixels"].to(self.device)
        start, stop = self.count, self.count + len(pixels)
        if self.vae is not None:
            generator = torch.Generator(self.device).manual_seed(seed)
            order = torch.randperm(
                len(pixels), generator=generator, device=self.device
            )
            chosen = order[: round(self.decoded_share * len(pixels))]
            for indices in chosen.split(DECODING_BATCH):
                pixels[indices] = decode_again(
                    self.vae, pixels[indices], generator
                )
        self.pixels[start:stop] = pixels
        self.parts[start:stop] = shard["parts"].to(self.device)
        self.labels[start:stop] = shard["labels"].to(self.device)
        self.numbers[start:stop] = shard["numbers"].to(self.device)
        if content in self.groups:
            indices = torch.arange(start, stop)
            table = indices.view(-1, GROUP_SIZE, VIEWS)
            self.groups[content].append(table)
        self.count = stop

    def batch(self, indices: Int[Tensor, " batch"]) -> ImageBatch:
        """Return whole images, with pixels from -1 to 1."""
        chosen = self.pixels[indices.to(self.device)].permute(0, 3, 1, 2)
        # Contiguous: of channels that lie last, group norm's backward pass
        # crashes on a CPU (torch 2.11 to 2.15).
        return chosen.contiguous().float() / 127.5 - 1

    def cut(
        self, images: ImageBatch, indices: Int[Tensor, " batch"]
    ) -> ImageBatch:
        """Cut head or shirt out of the images that show a part only."""
        parts = self.parts[indices.to(self.device)]
        for number, name in enumerate(PART_NAMES):
            rows = (parts == number).nonzero().flatten()
            if name != WHOLE and len(rows):
                images[rows] = cut_part(images[rows], name)
        return images


@torch.no_grad()
def decode_again(
    vae: AutoencoderKL,
    pixels: UInt8[Tensor, "batch height width 3"],
    generator: torch.Generator,
) -> UInt8[Tensor, "batch height width 3"]:
    """Encode and decode images, by latents that are a little off.

    They are sampled from the posterior; noise and a softening, each of a
    strength of its own for each image, make them as imperfect as those that
    the U-Net generates.
    """
    images = pixels.permute(0, 3, 1, 2) / 127.5 - 1
    posterior = vae.encode(images.to(vae.dtype)).latent_dist
    latents, std = posterior.mean.float(), posterior.std.float()

    def draw(*shape: int) -> Tensor:
        """Draw uniform numbers from 0 to 1, on the images' device."""
        return torch.rand(shape, generator=generator, device=pixels.device)

    def draw_noise() -> Tensor:
        """Draw normal numbers, one for each of the latents."""
        return torch.randn(
            latents.shape, generator=generator, device=pixels.device
        )

    rows = (len(latents), 1, 1, 1)
    latents = latents + std * draw_noise()
    blurred = functional.avg_pool2d(
        functional.pad(latents, (1, 1, 1, 1), mode="replicate"), 3, stride=1
    )
    softening = MAX_SOFTENING * (2 * draw(*rows) - 1).clamp(min=0)
    latents = torch.lerp(latents, blurred, softening)
    wobble = MAX_WOBBLE * draw(*rows) * latents.std()
    latents = latents + wobble * draw_noise()
    decoded = vae.decode(latents.to(vae.dtype)).sample.float()
    bytes_ = ((decoded.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return bytes_.permute(0, 2, 3, 1)


def cut_part(images: ImageBatch, part: str) -> ImageBatch:
    """Cut out head or shirt, and enlarge it to the images' size."""
    size = images.shape[-1]
    left, top, right, bottom = (round(share * size) for share in PARTS[part])
    cropped = images[:, :, top:bottom, left:right]
    return functional.interpolate(
        cropped, size=(size, size), mode="bicubic"
    ).clamp(-1, 1)
