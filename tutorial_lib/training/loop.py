"""One training loop for all tiny models: seeded, resumable, with a bar."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from tqdm.auto import tqdm

from tutorial_lib.files import write_atomically

FUSED = (
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
)

Model = TypeVar("Model", bound=nn.Module)
State = dict[str, Any]


@dataclass(frozen=True)
class PretrainingConfig:
    """How a model is trained: how long, how fast, how many at once.

    The learning rate rises over `warmup` steps, stays for `hold` of the
    run and falls along a cosine to nothing. `ema` is the decay of the
    exponential moving average of the weights (0: none). With `seconds` the
    clock ends the run, and the learning rate follows it; `steps` is then an
    upper bound only, and no two runs are the same.
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
    seconds: float | None = None


def train(
    model: Model,
    config: PretrainingConfig,
    compute_loss: Callable[[Model, torch.Generator], Float[Tensor, ""]],
    checkpoint: Path,
    name: str,
) -> Model:
    """Train a model and return it, or its moving average, ready to use.

    `compute_loss` samples a batch with the generator, which depends on seed
    and step alone: a run that was stopped anywhere resumes from its
    checkpoint and ends with the same weights.
    """
    ema_model = make_ema_model(model, config)
    optimizer = make_optimizer(model, config)
    state: State = {"step": 0, "losses": [], "seconds": 0.0}
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, model, ema_model, optimizer)
    first, before = state["step"], state.get("seconds", 0.0)
    start = time.monotonic()
    bar = tqdm(
        range(first, config.steps),
        desc=name,
        initial=first,
        total=None if config.seconds else config.steps,
        mininterval=5,
    )
    model.train()
    try:
        for step in bar:
            seconds = before + time.monotonic() - start
            if config.seconds and seconds >= config.seconds:
                break
            set_learning_rate(optimizer, config, step, seconds)
            loss = take_step(model, optimizer, config, compute_loss, step)
            update_ema_model(ema_model, model, config, step)
            losses = state["losses"] + [loss]
            state = {"step": step + 1, "losses": losses, "seconds": seconds}
            if step % 20 == 19:
                recent = state["losses"][-20:]
                bar.set_postfix(loss=f"{sum(recent) / len(recent):.4f}")
            if (step + 1) % config.save_every == 0:
                save_checkpoint(checkpoint, model, ema_model, optimizer, state)
    finally:
        save_checkpoint(checkpoint, model, ema_model, optimizer, state)
    return (ema_model or model).eval().requires_grad_(False)


def take_step(
    model: Model,
    optimizer: torch.optim.Optimizer,
    config: PretrainingConfig,
    compute_loss: Callable[[Model, torch.Generator], Float[Tensor, ""]],
    step: int,
) -> float:
    """Take one optimizer step on one batch and return its loss."""
    generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
    loss = compute_loss(model, generator)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def set_learning_rate(
    optimizer: torch.optim.Optimizer,
    config: PretrainingConfig,
    step: int,
    seconds: float,
) -> None:
    """Set the learning rate of a step, or of the seconds that have passed."""
    for group in optimizer.param_groups:
        group["lr"] = config.lr * lr_multiplier(config, step, seconds)


def lr_multiplier(
    config: PretrainingConfig, step: int, seconds: float = 0.0
) -> float:
    """Return what the learning rate is multiplied by at a step, 0 to 1."""
    warmup = min(1.0, (step + 1) / config.warmup)
    progress = step / config.steps
    if config.seconds:
        progress = min(1.0, seconds / config.seconds)
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


# --- the moving average ----------------------------------------------------


def make_ema_model(model: Model, config: PretrainingConfig) -> Model | None:
    """Copy a diffusers model for its moving average, if there is to be one."""
    if not config.ema:
        return None
    model_class: Any = type(model)
    ema_model = model_class.from_config(model.config)
    ema_model.load_state_dict(model.state_dict())
    return ema_model.to(next(model.parameters()).device).requires_grad_(False)


@torch.no_grad()
def update_ema_model(
    ema_model: nn.Module | None,
    model: nn.Module,
    config: PretrainingConfig,
    step: int,
) -> None:
    """Move the average a little towards the model, faster at the start."""
    if ema_model is None:
        return
    decay = min(config.ema, (1 + step) / (10 + step))
    torch._foreach_lerp_(
        list(ema_model.parameters()), list(model.parameters()), 1 - decay
    )


# --- checkpoints -----------------------------------------------------------


def save_checkpoint(
    path: Path,
    model: nn.Module,
    ema_model: nn.Module | None,
    optimizer: torch.optim.Optimizer,
    state: State,
) -> None:
    """Write everything that a resumed run needs."""
    content = {
        "model": model.state_dict(),
        "ema_model": None if ema_model is None else ema_model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "state": state,
    }
    with write_atomically(path) as unfinished, unfinished.open("wb") as file:
        torch.save(content, file)  # to a path, torch hides a full disk


def load_checkpoint(
    path: Path,
    model: nn.Module,
    ema_model: nn.Module | None,
    optimizer: torch.optim.Optimizer,
) -> State:
    """Read a checkpoint into model, moving average and optimizer."""
    content = torch.load(path, weights_only=True)
    model.load_state_dict(content["model"])
    if ema_model is not None:
        ema_model.load_state_dict(content["ema_model"])
    optimizer.load_state_dict(content["optimizer"])
    return content["state"]


# --- the number format -----------------------------------------------------


@contextlib.contextmanager
def autocast(device: torch.device | str) -> Iterator[None]:
    """Compute in bfloat16 where it is exact enough: inside the networks.

    A CPU without bfloat16 arithmetic, which would take several times as
    long, computes in float32. On a CPU attention is computed step by step:
    for sequences this short the fused kernel's backward pass is slower.
    """
    device_type = torch.device(device).type
    on_cpu = device_type == "cpu"
    kernels = [SDPBackend.MATH] if on_cpu else list(FUSED)
    has_bf16 = not on_cpu or torch.cpu._is_avx512_bf16_supported()
    with (
        torch.autocast(device_type, torch.bfloat16, enabled=has_bf16),
        sdpa_kernel(kernels),
    ):
        yield
