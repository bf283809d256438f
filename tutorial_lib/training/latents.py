"""Latents: each image encoded once, in shards of their own, as it arrives."""

import zlib
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm.auto import tqdm

from tutorial_lib.files import write_atomically
from tutorial_lib.generation import encode_posterior
from tutorial_lib.processes import is_main_process, wait_for_all
from tutorial_lib.training.batches import (
    name_shard,
    open_shard,
    scale_pixels,
)
from tutorial_lib.training.loop import autocast
from tutorial_lib.training.sampling import ImagePool

BATCH_SIZE = 256
STEPS_BETWEEN = 4
STREAMS = ("captioned", "wearers")
KEPT_COLUMNS = ("token_ids", "is_wearer")


class LatentEncoder:
    """Encodes the shards of images that have no latents of this VAE yet.

    Latents lie in the folder `latents` beside the images' own, and name the
    VAE that made them. With `num_kept`, the images of all shards from that
    number on are deleted once they are encoded: a stream of images would
    fill the disk. Nothing else may be reading them by then.
    """

    def __init__(
        self,
        vae: AutoencoderKL,
        pool: ImagePool,
        device: str,
        num_kept: int | None = None,
    ) -> None:
        self.vae = vae
        self.pool = pool
        self.device = device
        self.num_kept = num_kept
        self.folder = pool.folder / "latents"
        self.vae_id = identify_encoder(vae)
        self.encoded: set[tuple[str, int]] = set()
        grows = pool.grows  # then latents come as the images do
        self.latents = ImagePool(self.folder, None if grows else pool.numbers)
        self.steps = 0

    def encode_all(
        self, names: Sequence[str], most: int | None = None
    ) -> None:
        """Encode what waits in some folders, at most so many shards of each.

        Other processes wait for it.
        """
        if is_main_process():
            waiting = [
                shard for n in names for shard in self.list_waiting([n])[:most]
            ]
            for name, number in tqdm(waiting, desc="encoding images", delay=2):
                self.encode(name, number)
        wait_for_all()

    def encode_next(self, names: Sequence[str] = STREAMS) -> None:
        """Encode one shard at every fourth call, if one is waiting."""
        self.steps += 1
        if self.steps % STEPS_BETWEEN == 0 and is_main_process():
            for name, number in self.list_waiting(names)[:1]:
                self.encode(name, number)

    def list_waiting(self, names: Sequence[str]) -> list[tuple[str, int]]:
        """List the shards that are to be encoded."""
        shards = [
            (name, number)
            for name in names
            for number in self.pool.list_numbers(name)
            if (name, number) not in self.encoded
        ]
        waiting = []
        for name, number in shards:
            if read_vae_id(self.folder / name, number) == self.vae_id:
                self._finish(name, number)
            else:
                waiting.append((name, number))
        return waiting

    @torch.no_grad()
    def encode(self, name: str, number: int) -> None:
        """Encode one shard of images; keep its captions' token ids."""
        source = name_shard(self.pool.folder / name, number)
        shard = open_shard(source)
        means, stds = [], []
        for pixels in shard["pixels"].split(BATCH_SIZE):
            batch = scale_pixels(pixels.to(self.device))
            with autocast(self.device):
                mean, std = encode_posterior(self.vae, batch)
            means.append(mean.half().cpu())
            stds.append(std.half().cpu())
        columns = {
            "means": torch.cat(means).contiguous(),
            "stds": torch.cat(stds).contiguous(),
        }
        columns |= {column: shard[column] for column in KEPT_COLUMNS}
        target = name_shard(self.folder / name, number)
        with write_atomically(target) as unfinished:
            save_file(columns, unfinished, metadata={"vae": self.vae_id})
        self._finish(name, number)

    def _finish(self, name: str, number: int) -> None:
        """Note that a shard is encoded; delete its images, or keep them."""
        self.encoded.add((name, number))
        if self.num_kept is not None and number >= self.num_kept:
            source = name_shard(self.pool.folder / name, number)
            source.unlink(missing_ok=True)


def identify_encoder(vae: AutoencoderKL) -> str:
    """Return a checksum of all weights that latents depend on."""
    checksum = 0
    for module in (vae.encoder, vae.quant_conv):
        for weight in module.state_dict().values():
            values = weight.detach().float().cpu().contiguous()
            checksum = zlib.crc32(values.numpy().tobytes(), checksum)
    return f"{checksum:08x}"


def read_vae_id(folder: Path, number: int) -> str | None:
    """Return which VAE made a shard of latents, None if there is none."""
    path = name_shard(folder, number)
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as shard:
        return shard.metadata().get("vae")


def compute_scaling_factor(pool: ImagePool) -> float:
    """Return what gives latents a std of 1, by the first shard of a pool."""
    number = pool.list_numbers("captioned")[0]
    shard = open_shard(name_shard(pool.folder / "captioned", number))
    means: Tensor = shard["means"]
    return round(1 / means.float().std().item(), 5)
