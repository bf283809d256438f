"""The optimizer of all trainings, and its learning rate."""

import math

import torch
from torch import nn

from tutorial_lib.training.config import PretrainingConfig


def lr_multiplier(
    config: PretrainingConfig, step: int, progress: float
) -> float:
    """Return what the learning rate is multiplied by, 0 to 1.

    `progress` is the part of the steps, or of the time, that is over.
    """
    warmup = min(1.0, (step + 1) / config.warmup)
    decay = max(0.0, (progress - config.hold) / (1 - config.hold))
    return warmup * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * decay)))


def make_optimizer(
    model: nn.Module, config: PretrainingConfig
) -> torch.optim.Optimizer:
    """Make an AdamW that decays matrices only, never an embedding table."""
    tables = {
        f"{name}.weight" if name else "weight"
        for name, module in model.named_modules()
        if isinstance(module, nn.Embedding)
    }
    decayed: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        undecayed = parameter.ndim < 2 or name in tables
        (others if undecayed else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=config.lr, betas=config.betas, fused=True
    )
