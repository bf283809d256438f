"""Runs diffusers' examples/textual_inversion/textual_inversion.py, timed.

The script itself is run, in this process, with its own arguments, data
loader and loop. Only two things are exchanged: its models have random
weights, and its progress bar notes the time of each step.
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

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings | {"disable": True})
        StampingBar.stamps = []
        if torch.cuda.is_available():
            gc.collect()
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    def update(self, n: float | None = 1) -> bool | None:
        """Note the time of a step."""
        StampingBar.stamps.append(time.perf_counter())
        return super().update(n)


class RandomModel:
    """Stands in for a class of models whose weights would be downloaded."""

    def __init__(self, build: Callable[[], Any]) -> None:
        self.build = build

    def from_pretrained(self, *args: Any, **settings: Any) -> Any:
        """Return a model with random weights, in float32 as the script's."""
        return self.build().eval()


def load_script(path: Path, size: str, device: str) -> ModuleType:
    """Import the script; its models get random weights on the device."""
    spec = importlib.util.spec_from_file_location("peer_script_main", path)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    models = {
        "CLIPTextModel": lambda: build_text_encoder(size, device),
        "AutoencoderKL": lambda: build_vae(size, device),
        "UNet2DConditionModel": lambda: build_unet(size, device),
    }
    for name, build in models.items():
        setattr(script, name, RandomModel(build))
    script.__dict__["tqdm"] = StampingBar
    return script


def prepare_folder(
    folder: Path, images: list[Image.Image], pixels: int
) -> None:
    """Write what the script reads: tokenizer, noise schedule, pictures."""
    build_tokenizer(folder / "tokenizer")
    make_noise_scheduler().save_pretrained(folder / "scheduler")
    pictures = folder / "pictures"
    pictures.mkdir(exist_ok=True)
    for i, image in enumerate(images):
        square = image.convert("RGB").resize((pixels, pixels))
        square.save(pictures / f"{i}.jpg", quality=90)


def run_script(
    script: ModuleType,
    folder: Path,
    pixels: int,
    batch_size: int,
    precision: str,
    steps: int,
    saves: bool,
) -> list[float]:
    """Let the script train for so many steps; return when each ended.

    With `saves` it writes its checkpoint after the last.
    """
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()
    arguments = {
        "pretrained_model_name_or_path": folder,
        "train_data_dir": folder / "pictures",
        "output_dir": folder / "output",
        "placeholder_token": "<x>",
        "initializer_token": "pattern",
        "resolution": pixels,
        "train_batch_size": batch_size,
        "max_train_steps": steps,
        "mixed_precision": precision,
        "checkpointing_steps": steps if saves else 10 * steps,
        "seed": 0,
    }
    before = sys.argv
    sys.argv = ["textual_inversion.py"]
    sys.argv += [f"--{name}={value}" for name, value in arguments.items()]
    try:
        with quiet_libraries(), contextlib.redirect_stdout(sys.stderr):
            script.main()
    finally:
        sys.argv = before
        logging.getLogger().setLevel(logging.WARNING)  # it says all it does
    return StampingBar.stamps


def measure_checkpoint(folder: Path) -> int:
    """Return the bytes of the checkpoint that the script wrote."""
    files = (folder / "output").glob("checkpoint-*/**/*")
    return sum(path.stat().st_size for path in files if path.is_file())
