"""One training loop for all tiny models: seeded, resumable, with a bar."""

import contextlib
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm.auto import tqdm

FUSED = (
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
)


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained: how long, how fast, how many at once.

    The learning rate rises over `warmup` steps, stays for `hold` of the
    run and falls along a cosine to nothing. `ema` is the weight of the old
    average in the exponential moving average of the weights (0: none).
    """

    steps: int
    batch_size: int
    lr: float
    warmup: int = 100
    hold: float = 0.0
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.99)
    ema: float = 0.0
    save_every: int = 200
    seed: int = 0


def train(
    model: nn.Module,
    config: TrainingConfig,
    compute_loss: Callable[..., Tensor],
    checkpoint: Path,
    name: str,
) -> nn.Module:
    """Train a model and return it, or its moving average, ready to use.

    `compute_loss(model, generator)` draws a batch with the generator, which
    depends on seed and step alone: a run that was stopped anywhere goes on
    from its checkpoint and ends with the same weights.
    """
    ema_model = make_ema_model(model, config)
    optimizer = make_optimizer(model, config)
    state = {"step": 0, "losses": []}
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, model, ema_model, optimizer)
    steps = range(state["step"], config.steps)
    bar = tqdm(
        steps,
        desc=name,
        initial=state["step"],
        total=config.steps,
        mininterval=5,
    )
    model.train()
    try:
        for step in bar:
            loss = take_step(model, optimizer, config, compute_loss, step)
            update_ema_model(ema_model, model, config, step)
            state = {"step": step + 1, "losses": state["losses"] + [loss]}
            if step % 20 == 19:
                recent = state["losses"][-20:]
                bar.set_postfix(loss=f"{sum(recent) / len(recent):.4f}")
            if (step + 1) % config.save_every == 0:
                save_checkpoint(checkpoint, model, ema_model, optimizer, state)
    finally:
        save_checkpoint(checkpoint, model, ema_model, optimizer, state)
    return (ema_model or model).eval().requires_grad_(False)


def take_step(model, optimizer, config, compute_loss, step) -> float:
    """Take one optimizer step on one batch and return its loss."""
    for group in optimizer.param_groups:
        group["lr"] = config.lr * lr_multiplier(config, step)
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    loss = compute_loss(model, generator)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def lr_multiplier(config: TrainingConfig, step: int) -> float:
    """Return the share of the learning rate at a step, 0 to 1."""
    rise = min(1.0, (step + 1) / config.warmup)
    done = step / config.steps
    fall = max(0.0, (done - config.hold) / (1 - config.hold))
    return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))


def make_optimizer(
    model: nn.Module, config: TrainingConfig
) -> torch.optim.Optimizer:
    """Make an AdamW that decays matrices only, never an embedding table."""
    tables = {
        f"{name}.weight" if name else "weight"
        for name, module in model.named_modules()
        if isinstance(module, nn.Embedding)
    }
    decayed, others = [], []
    for name, parameter in model.named_parameters():
        plain = parameter.ndim < 2 or name in tables
        (others if plain else decayed).append(parameter)
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=config.lr, betas=config.betas, fused=True
    )


def make_ema_model(
    model: nn.Module, config: TrainingConfig
) -> nn.Module | None:
    """Copy the model for its moving average, if the plan wants one."""
    if not config.ema:
        return None
    ema_model = type(model).from_config(model.config)
    ema_model.load_state_dict(model.state_dict())
    return ema_model.to(next(model.parameters()).device).requires_grad_(False)


@torch.no_grad()
def update_ema_model(
    ema_model, model, config: TrainingConfig, step: int
) -> None:
    """Move the average a little towards the model, faster at the start."""
    if ema_model is None:
        return
    keep = min(config.ema, (1 + step) / (10 + step))
    torch._foreach_lerp_(
        list(ema_model.parameters()), list(model.parameters()), 1 - keep
    )


def save_checkpoint(path: Path, model, ema_model, optimizer, state) -> None:
    """Write everything a resumed run needs; an old file stays whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "model": model.state_dict(),
        "average": ema_model.state_dict() if ema_model is not None else None,
        "optimizer": optimizer.state_dict(),
        "state": state,
    }
    part = path.with_suffix(".part")
    torch.save(content, part)
    os.replace(part, path)


def load_checkpoint(path: Path, model, ema_model, optimizer) -> dict:
    """Read a checkpoint into model, average and optimizer."""
    content = torch.load(path, weights_only=True)
    model.load_state_dict(content["model"])
    if ema_model is not None:
        ema_model.load_state_dict(content["average"])
    optimizer.load_state_dict(content["optimizer"])
    return content["state"]


@contextlib.contextmanager
def autocast(device: torch.device | str):
    """Compute in bfloat16 where it is exact enough: inside the networks.

    On a CPU attention is computed step by step: for sequences this short
    the fused kernel's backward pass is slower.
    """
    device = torch.device(device).type
    kernels = [SDPBackend.MATH] if device == "cpu" else list(FUSED)
    with torch.autocast(device, torch.bfloat16), sdpa_kernel(kernels):
        yield


def number_labels(
    labels: list[dict],
    known: dict[str, list[str]],
) -> dict[str, Tensor]:
    """Return the number of each picture's label, by attribute: (n,).

    `known` is what `collect_labels` gives; -100, which torch's cross
    entropy leaves out, stands where a picture has no such attribute.
    """
    return {
        name: torch.tensor(
            [
                each.index(label[name]) if name in label else -100
                for label in labels
            ]
        )
        for name, each in known.items()
    }
