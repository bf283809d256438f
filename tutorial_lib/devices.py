"""Where to compute, in which number format, and with how much memory."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

from tutorial_lib.arguments import refuse
from tutorial_lib.errors import ArgumentError
from tutorial_lib.settings import choose_device

# What other devices and libraries say: Apple's GPUs, the CPU on Linux and on
# Windows, cuBLAS and cuDNN.
FULL_MEMORY_SIGNS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "status_alloc_failed",
)


def read_device(device: Any) -> str:
    """Return the device to compute on, by default `choose_device`'s.

    Raises ArgumentError for one that this machine has not got.
    """
    name = "device"
    if device is None:
        device, name = choose_device(), "TUTORIAL_DEVICE"
    try:
        torch.zeros(1, device=device).item()
        return str(torch.device(device))
    except (RuntimeError, TypeError, ValueError, AssertionError):
        there = " or ".join(f'"{kind}"' for kind in list_devices())
        raise ArgumentError(
            refuse(device, name, f"one of this machine, {there}, or None")
        ) from None


def list_devices() -> list[str]:
    """Return what this machine can compute on: "cpu", "cuda", "mps"."""
    kinds = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    return [kind for kind, is_there in kinds.items() if is_there]


def choose_dtype(device: str) -> torch.dtype:
    """Return the number format of the frozen pipeline on a device.

    On a GPU it is bfloat16, or float16 where the GPU has none (a T4). It is
    float32 on the CPU, and on a Mac's GPU, where nothing was measured.
    """
    if torch.device(device).type != "cuda":
        return torch.float32
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16


@functools.cache
def cpu_has_bfloat16() -> bool:
    """Return whether this computer's processor multiplies in bfloat16."""
    has_it: bool = getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()
    return has_it


def use_autocast(
    device: str,
    autocast: bool | None = None,
    dtype: torch.dtype = torch.float32,
) -> contextlib.AbstractContextManager:
    """Return a context in which frozen networks compute in bfloat16.

    By default it does so on CPUs with bfloat16 arithmetic, where it is
    nearly twice as fast; a GPU's pipeline is in half precision anyway.
    `autocast` True or False decides otherwise. Networks whose own `dtype` is
    not float32 compute in that.
    """
    if autocast is None:
        autocast = torch.device(device).type == "cpu" and cpu_has_bfloat16()
    if not autocast or dtype != torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(torch.device(device).type, torch.bfloat16)


def copy_to_device(tensor: Tensor, device: str) -> Tensor:
    """Copy a tensor from the CPU, without waiting until a GPU has it."""
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def draw_on_cpu(
    shape: tuple[int, ...], generator: torch.Generator, device: str
) -> Tensor:
    """Draw normal noise with a CPU's generator, and copy it to a device.

    For a GPU it is drawn into memory that the GPU reads by itself: copying it
    there first would need all cores, and wait for those that are busy.
    """
    if torch.device(device).type != "cuda":
        return torch.randn(shape, generator=generator).to(device)
    noise = torch.randn(shape, generator=generator, pin_memory=True)
    return noise.to(device, non_blocking=True)


@contextlib.contextmanager
def keep_off_gpu(part: nn.Module, device: str) -> Iterator[None]:
    """Keep a network that is not needed in the CPU's memory meanwhile.

    `device` is where it belongs. On the CPU this does nothing.
    """
    if torch.device(device).type == "cpu":
        yield
        return
    part.to("cpu")
    try:
        yield
    finally:
        part.to(device)


def keep_vae_in_range(vae: AutoencoderKL) -> None:
    """Let a VAE compute in float32 what overflows in its float16.

    That of SDXL does. In another number format this changes nothing.
    """
    for half in (vae.encoder, vae.decoder):
        half.register_forward_hook(compute_again_in_float32)


def compute_again_in_float32(
    network: nn.Module, inputs: tuple[Tensor, ...], output: Tensor
) -> Tensor | None:
    """Return a float16 network's output from float32, if it overflowed.

    A forward hook of torch: None leaves the output as it is.
    """
    if output.dtype != torch.float16 or output.isfinite().all():
        return None
    wide = [None if i is None else i.float() for i in inputs]
    try:
        return network.float()(*wide).half()
    finally:
        network.half()  # its weights were float16: nothing is lost


# --- memory that is full


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that a device's memory is full.

    Only CUDA has an error of its own for that.
    """
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        sign in text for sign in FULL_MEMORY_SIGNS
    )


def free_cache(device: str) -> None:
    """Give back the memory that torch keeps for what comes next."""
    kind = torch.device(device).type
    if kind == "cuda":
        torch.cuda.empty_cache()
    elif kind == "mps":
        torch.mps.empty_cache()


def measure_free_bytes(device: str) -> int | None:
    """Return the bytes that a GPU has free; None for the CPU.

    What torch keeps for what comes next is free too.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        reserved = torch.cuda.memory_reserved(device)
        return free + reserved - torch.cuda.memory_allocated(device)
    if kind == "mps":
        most = torch.mps.recommended_max_memory()
        return max(most - torch.mps.current_allocated_memory(), 0)
    return None
