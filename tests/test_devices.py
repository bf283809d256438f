"""Where to compute, how precisely, and what is done when memory is full.

No GPU is needed: what torch says of one is put in its mouth.
"""

import copy
from types import SimpleNamespace

import pytest
import torch

from tutorial_lib import devices
from tutorial_lib.devices import (
    choose_dtype,
    free_cache,
    is_out_of_memory,
    keep_vae_in_range,
    measure_free_bytes,
    read_device,
)
from tutorial_lib.errors import ArgumentError

GIB = 2**30
MPS_ERROR = (
    "MPS backend out of memory (MPS allocated: 9.00 GB, other allocations: "
    "1.00 MB, max allowed: 9.07 GB). Tried to allocate 256.00 MB"
)


# --- the device


def test_a_variable_names_the_device(monkeypatch):
    monkeypatch.setenv("TUTORIAL_DEVICE", "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert read_device(None) == "cpu"
    monkeypatch.setenv("TUTORIAL_DEVICE", "")
    assert devices.choose_device() == "cuda"


def test_a_variable_that_names_no_device_is_told(monkeypatch):
    monkeypatch.setenv("TUTORIAL_DEVICE", "tpu")
    with pytest.raises(ArgumentError, match="`TUTORIAL_DEVICE` cannot be"):
        read_device(None)


def test_a_mac_s_gpu_is_one_of_the_choices_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(ArgumentError, match='"cpu" or "mps", or None'):
        read_device("tpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ArgumentError, match='this machine, "cpu", or None'):
        read_device("tpu")


# --- the number format


@pytest.mark.parametrize(
    ("device", "has_bf16", "expected"),
    [
        ("cuda", True, torch.bfloat16),
        ("cuda:1", True, torch.bfloat16),
        ("cuda", False, torch.float16),  # a T4
        ("cpu", True, torch.float32),
        ("mps", True, torch.float32),
    ],
)
def test_the_number_format_is_the_device_s(
    monkeypatch, device, has_bf16, expected
):
    def is_bf16_supported(including_emulation=True):
        return has_bf16 or including_emulation  # a T4 emulates it, slowly

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_bf16_supported)
    assert choose_dtype(device) == expected


@pytest.fixture
def overflowing_vae(models):
    """Return a VAE whose two halves overflow in float16, not in float32."""
    vae = copy.deepcopy(models.pipeline.vae)
    with torch.no_grad():
        vae.encoder.conv_in.weight *= 1e5  # sums beyond 65,504
        vae.decoder.conv_in.weight *= 1e5
    return vae


@torch.no_grad()
def test_a_vae_that_overflows_in_float16_computes_in_float32(overflowing_vae):
    vae, plain = overflowing_vae, copy.deepcopy(overflowing_vae)
    # The miniature's has the hooks already, as any that is loaded.
    for network in (plain.encoder, plain.decoder):
        network._forward_hooks.clear()
    pixels, latents = torch.rand(1, 3, 32, 32), torch.randn(1, 4, 8, 8)
    expected = plain.encode(pixels).latent_dist.mean
    expected_pixels = plain.decode(latents).sample
    for network in (vae, plain):
        network.half()
    pixels, latents = pixels.half(), latents.half()
    assert not plain.encode(pixels).latent_dist.mean.isfinite().all()
    assert not plain.decode(latents).sample.isfinite().all()
    mean = vae.encode(pixels).latent_dist.mean
    decoded = vae.decode(latents).sample
    assert torch.allclose(mean.float(), expected, atol=2e-2)
    assert torch.allclose(decoded.float(), expected_pixels, atol=2e-2)
    assert mean.dtype == decoded.dtype == torch.float16
    assert {p.dtype for p in vae.parameters()} == {torch.float16}


@torch.no_grad()
def test_a_vae_that_stays_in_range_is_computed_once(models):
    vae = copy.deepcopy(models.pipeline.vae).half()
    formats = []
    vae.encoder.conv_in.register_forward_hook(
        lambda module, inputs, output: formats.append(output.dtype)
    )
    keep_vae_in_range(vae)
    vae.encode(torch.rand(1, 3, 32, 32).half())
    assert formats == [torch.float16]


# --- memory


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory."),
        RuntimeError(MPS_ERROR),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried"),
    ],
)
def test_full_memory_is_recognized(error):
    assert is_out_of_memory(error)


def test_the_cpu_s_full_memory_is_recognized_too():
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(error.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("out of memory"),
        KeyboardInterrupt(),
    ],
)
def test_another_error_is_not_taken_for_full_memory(error):
    assert not is_out_of_memory(error)


def test_what_a_mac_has_free_is_known(monkeypatch):
    mps = SimpleNamespace(
        recommended_max_memory=lambda: 10 * GIB,
        current_allocated_memory=lambda: 4 * GIB,
    )
    monkeypatch.setattr(torch, "mps", mps)
    assert measure_free_bytes("mps") == 6 * GIB
    mps.current_allocated_memory = lambda: 11 * GIB
    assert measure_free_bytes("mps") == 0


@pytest.mark.parametrize("kind", ["cuda", "mps", "cpu"])
def test_memory_is_given_back_where_it_was_taken(monkeypatch, kind):
    freed = []
    for other in ("cuda", "mps"):
        backend = getattr(torch, other)
        monkeypatch.setattr(
            backend, "empty_cache", lambda other=other: freed.append(other)
        )
    free_cache(kind)
    assert freed == [other for other in ("cuda", "mps") if other == kind]
