"""What lets a GPU do the same work in less time."""

import contextlib
import warnings

import torch
from torch import nn

from tutorial_lib.training.config import PretrainingConfig

BACKEND = "inductor"


def use_fast_kernels(device: str) -> None:
    """Let a GPU multiply float32 as TF32, and try which kernels are fastest.

    The trainings' batches have few shapes, so trying soon pays.
    """
    if device != "cpu":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True


def choose_memory_format(device: str) -> torch.memory_format:
    """Return how images lie in memory: channels last on a GPU.

    On a CPU group norm's backward pass crashes on some such images (torch
    2.11 to 2.15).
    """
    if device == "cpu":
        return torch.contiguous_format
    return torch.channels_last


def compile_model(model: nn.Module, device: torch.device) -> None:
    """Have torch compile a model's forward pass and its backward pass.

    The model stays what it is, with the same names of weights. Where torch
    finds no compiler, a warning says so, and the model runs uncompiled.
    """
    try:
        probe = torch.compile(nn.Linear(8, 8).to(device), backend=BACKEND)
        probe(torch.ones(8, 8, device=device)).sum().backward()
    except Exception as error:  # a compiler has many ways to fail
        warnings.warn(
            f"torch cannot compile here ({type(error).__name__}); the model "
            f"is trained uncompiled, which is slower.",
            stacklevel=2,
        )
        return
    torch._dynamo.config.suppress_errors = True  # then it runs uncompiled
    model.compile(backend=BACKEND, dynamic=False)


def run_uncompiled(
    config: PretrainingConfig,
) -> contextlib.AbstractContextManager[None]:
    """Return a context in which a compiled model runs as it was written.

    A few held-out batches are not worth compiling a second time.
    """
    if not config.compile:
        return contextlib.nullcontext()
    return torch.compiler.set_stance("force_eager")
