"""Runs diffusers' examples/textual_inversion/textual_inversion.py, timed.

The script itself is run, in this process, with its own arguments, data
loader and loop. Two things can be exchanged: its progress bar notes the time
of each step, and models with random weights take the place of downloads.
"""

import contextlib
import gc
import importlib.util
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from accelerate.state import AcceleratorState, GradientState
from PIL import Image
from tqdm.std import tqdm
from true_models import (
    build_text_encoder,
    build_tokenizer,
    build_unet,
    build_vae,
)

from tutorial_lib.models import quiet_libraries
from tutorial_lib.training.export import make_noise_scheduler


class StampingBar(tqdm):
    """A progress bar that notes when each step ended.

    Where it begins, the training begins: the GPU's peak is counted from
    there, so that how the models were made does not count.
    """

    stamps: list[float] = []
    clock: Callable[[], float] = time.perf_counter

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings | {"disable": True})
        StampingBar.stamps = []
        if torch.cuda.is_available():
            gc.collect()
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def update(self, n: float | None = 1) -> bool | None:
        """Note the time of a step."""
        StampingBar.stamps.append(StampingBar.clock())
        return super().update(n)


class RandomModel:
    """Stands in for a class of models whose weights would be downloaded."""

    def __init__(self, build: Callable[[], Any]) -> None:
        self.build = build

    def from_pretrained(self, *args: Any, **settings: Any) -> Any:
        """Return a model with random weights, in float32 as the script's."""
        return self.build().eval()


def load_script(path: Path) -> ModuleType:
    """Import the script, with a progress bar that notes the times."""
    spec = importlib.util.spec_from_file_location("peer_script_main", path)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.__dict__["tqdm"] = StampingBar
    return script


def use_random_models(script: ModuleType, size: str, device: str) -> None:
    """Let the script's models have random weights, on the device."""
    models = {
        "CLIPTextModel": lambda: build_text_encoder(size, device),
        "AutoencoderKL": lambda: build_vae(size, device),
        "UNet2DConditionModel": lambda: build_unet(size, device),
    }
    for name, build in models.items():
        setattr(script, name, RandomModel(build))


def prepare_models(folder: Path) -> None:
    """Write what the script reads of the models: tokenizer and schedule."""
    build_tokenizer(folder / "tokenizer")
    make_noise_scheduler().save_pretrained(folder / "scheduler")


def write_pictures(
    folder: Path, images: list[Image.Image], pixels: int
) -> Path:
    """Write the pictures that the script learns from, and return where."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        square = image.convert("RGB").resize((pixels, pixels))
        square.save(pictures / f"{i}.png")
    return pictures


def run_script(
    script: ModuleType, arguments: dict[str, str | int | float | Path]
) -> list[float]:
    """Let the script train; return when each of its steps ended."""
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    usual = {"placeholder_token": "<x>", "initializer_token": "pattern"}
    before = sys.argv
    sys.argv = ["textual_inversion.py"]
    for name, value in {**usual, "seed": 0, **arguments}.items():
        sys.argv.append(f"--{name}={value}")
    try:
        with quiet_libraries(), contextlib.redirect_stdout(sys.stderr):
            script.main()
    finally:
        sys.argv = before
        logging.getLogger().setLevel(logging.WARNING)  # it says all it does
    return StampingBar.stamps


def measure_checkpoint(output: Path) -> int:
    """Return the bytes of the checkpoint that the script wrote."""
    files = output.glob("checkpoint-*/**/*")
    return sum(path.stat().st_size for path in files if path.is_file())
