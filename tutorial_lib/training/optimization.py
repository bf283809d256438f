"""The optimizer of all trainings, and its learning rate.

A model may have a part that is called `discriminator`: it learns in the same
step, from its own loss, with a learning rate and a gradient norm of its own.
"""

import math
from typing import Any

import torch
from torch import nn

from tutorial_lib.training.config import PretrainingConfig

DISCRIMINATOR = "discriminator."  # how the names of its weights begin
DISCRIMINATOR_BETAS = (0.5, 0.9)


def lr_multiplier(
    config: PretrainingConfig, step: int, progress: float
) -> float:
    """Return what the learning rate is multiplied by, 0 to 1.

    `progress` is the part of the steps, or of the time, that is over.
    """
    warmup = min(1.0, (step + 1) / config.warmup)
    decay = max(0.0, (progress - config.hold) / (1 - config.hold))
    return warmup * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * decay)))


def set_learning_rate(
    optimizer: torch.optim.Optimizer,
    config: PretrainingConfig,
    step: int,
    progress: float,
) -> None:
    """Give all but a discriminator the learning rate of a step."""
    for group in optimizer.param_groups:
        if group.get("is_scheduled", True):
            group["lr"] = config.lr * lr_multiplier(config, step, progress)


def split_parameters(model: nn.Module) -> list[list[nn.Parameter]]:
    """Return a model's parameters, and apart those of its discriminator.

    The gradients of each list are clipped on their own.
    """
    lists: list[list[nn.Parameter]] = [[], []]
    for name, parameter in model.named_parameters():
        lists[name.startswith(DISCRIMINATOR)].append(parameter)
    return [parameters for parameters in lists if parameters]


def make_optimizer(
    model: nn.Module, config: PretrainingConfig
) -> torch.optim.Optimizer:
    """Make an AdamW that decays matrices only, never an embedding table.

    A discriminator has the learning rate `discriminator_lr` of the config's
    loss weights from first to last.
    """
    tables = {
        f"{name}.weight" if name else "weight"
        for name, module in model.named_modules()
        if isinstance(module, nn.Embedding)
    }
    decayed: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    adversary: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if name.startswith(DISCRIMINATOR):
            adversary.append(parameter)
            continue
        undecayed = parameter.ndim < 2 or name in tables
        (others if undecayed else decayed).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    for group in groups:
        group["is_scheduled"] = True
    if adversary:
        groups.append(
            {
                "params": adversary,
                "weight_decay": 0.0,
                "lr": config.loss_weight("discriminator_lr"),
                "betas": DISCRIMINATOR_BETAS,
                "is_scheduled": False,
            }
        )
    return torch.optim.AdamW(
        groups, lr=config.lr, betas=config.betas, fused=True
    )
