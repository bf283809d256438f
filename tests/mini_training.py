"""A miniature of `make models`: few images, few steps, the same code."""

import copy
import re
from pathlib import Path

import torch
from mini_models import CLIP_CONFIG

from tutorial_lib.training.config import CONFIGS
from tutorial_lib.training.unet import make_unet

SHARD_SIZE = 20  # the judges' groups of 20 fit into it

SMALL_CLIP = copy.deepcopy(CLIP_CONFIG)
SMALL_CLIP["text_cfg"]["context_length"] = 32
SMALL_CLIP["vision_cfg"] |= {"layers": [1, 1, 1, 1], "width": 8}


def make_small_unet():
    """Make a U-Net of our kind, with few weights."""
    whole = make_unet(text_width=32)
    config = dict(whole.config) | {
        "block_out_channels": (16, 16, 16),
        "attention_head_dim": [1, 1, 1],
        "norm_num_groups": 4,
    }
    torch.manual_seed(1)
    return type(whole).from_config(config)


class SamePixels(torch.nn.Module):
    """Stands for the perceptual loss where CLIP is not at hand."""

    def forward(self, decoded, images):
        return (decoded - images).square().mean()


def keep_latents(latents, token_ids, step):
    """Stand for a denoiser that changes nothing."""
    return latents


def write_configs(folder, **settings):
    """Write a config of a few steps for each model; keep the loss weights."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "steps": 2,
        "batch_size": 16,
        "lr": 1e-3,
        "warmup": 2,
        "save_every": 1,
        "evaluate_every": 100,
        "wearers": 0.25,
    } | settings
    lines = [
        f"{k} = {str(v).lower()}" for k, v in settings.items() if v is not None
    ]
    for path in CONFIGS.glob("*.toml"):
        text = path.read_text(encoding="utf-8")
        weights = re.search(r"\[loss_weights\].*?(?=\n\[|\Z)", text, re.DOTALL)
        ema = ["ema = 0.9"] if "\nema" in text else []
        own = [*lines, *ema, weights[0] if weights else ""]
        (folder / path.name).write_text("\n".join(own), encoding="utf-8")
    return folder


SMALL_RUN = f"""
import pathlib, sys
import torch
from tutorial_lib.training import dataset, judge_images, stages

torch.set_num_threads(1)
dataset.SHARD_SIZE = {SHARD_SIZE}
judge_images.GROUPS_PER_SHARD, judge_images.SHARD_SIZE = 1, 32
stages.STAGES["card"] = lambda run: None  # it measures for minutes

if __name__ == "__main__":  # processes that render images read this, too
    folder = pathlib.Path(sys.argv[1])
    run = stages.TrainingRun(
        size=int(sys.argv[2]),
        num_images={4 * SHARD_SIZE},
        num_judge_images=128,
        device="cpu",
        configs=folder / "configs",
        work=folder / "work",
        target=folder / "tiny",
    )
    for stage in sys.argv[3:]:
        stages.run_stages(stage, run)
"""


def write_small_run(folder: Path, **settings) -> Path:
    """Write the script of a small run, and its configs; return the script."""
    write_configs(folder / "configs", **settings)
    script = folder / "small_run.py"
    script.write_text(SMALL_RUN, encoding="utf-8")
    return script
