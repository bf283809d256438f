"""How a step fits into memory: what is chosen, and what it is chosen by."""

from types import SimpleNamespace

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch.nn import functional

from tutorial_lib.devices import measure_free_bytes
from tutorial_lib.inversion.step_plans import (
    StepPlan,
    choose_plan,
    describe_plan,
    estimate_bytes,
    list_plans,
)

GIB = 2**30


@pytest.fixture(scope="module")
def large_unet():
    """Return Stable Diffusion 1.5's U-Net in bfloat16, without its numbers."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            sample_size=64,
            block_out_channels=(320, 640, 1280, 1280),
            down_block_types=(*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"),
            up_block_types=("UpBlock2D", *["CrossAttnUpBlock2D"] * 3),
            cross_attention_dim=768,
            attention_head_dim=8,
        )
    return unet.to(torch.bfloat16).eval().requires_grad_(False)


def test_the_fastest_plan_is_first_and_the_smallest_last():
    assert list_plans(4) == [
        StepPlan(4, gradient_checkpointing=False),
        StepPlan(4, gradient_checkpointing=True),
        StepPlan(2, gradient_checkpointing=True),
        StepPlan(1, gradient_checkpointing=True),
    ]
    assert [plan.micro_batch_size for plan in list_plans(6)] == [6, 6, 3, 2, 1]


def test_what_was_asked_for_stays():
    assert list_plans(4, micro_batch_size=2) == [
        StepPlan(2, gradient_checkpointing=False),
        StepPlan(2, gradient_checkpointing=True),
    ]
    assert list_plans(4, 3, False) == [StepPlan(3, False)]
    assert list_plans(4, micro_batch_size=9)[0].micro_batch_size == 4
    for is_on in (True, False):
        plans = list_plans(4, gradient_checkpointing=is_on)
        assert {plan.gradient_checkpointing for plan in plans} == {is_on}
        assert [plan.micro_batch_size for plan in plans] == [4, 2, 1]


def test_less_free_memory_never_gives_a_larger_plan(large_unet):
    plans = list_plans(4)
    sizes = [0.1, 0.3, 0.5, 1, 2, 4, 8, 80]
    chosen = [
        choose_plan(plans, large_unet, 64 * 64, int(size * GIB))
        for size in sizes
    ]
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[0] == len(plans) - 1 and chosen[-1] == 0
    assert set(chosen) == set(range(len(plans)))  # each is chosen once
    assert choose_plan(plans, large_unet, 64 * 64, None) == 0


def test_on_a_cpu_nothing_is_known_of_the_memory():
    assert measure_free_bytes("cpu") is None


def test_on_a_gpu_what_torch_keeps_unused_is_free(monkeypatch):
    known = {
        "mem_get_info": (3 * GIB, 15 * GIB),
        "memory_reserved": 5 * GIB,
        "memory_allocated": 4 * GIB,
    }
    for name, value in known.items():
        monkeypatch.setattr(
            torch.cuda, name, lambda device, value=value: value
        )
    assert measure_free_bytes("cuda") == 4 * GIB


def test_a_plan_says_what_it_does_and_how_to_ask_for_it():
    text = describe_plan(StepPlan(1, True), 4)
    assert "4 images" in text and "micro_batch_size=1" in text
    assert "gradient_checkpointing=True" in text
    assert "turns" not in describe_plan(StepPlan(4, True), 4)


class FusedAttention(torch.autograd.Function):
    """Attention that keeps what a GPU's fused kernel keeps."""

    @staticmethod
    def forward(ctx, query, key, value):
        result = torch.empty_like(query)
        ctx.save_for_backward(query, key, value, result)
        return result

    @staticmethod
    def backward(ctx, gradient):
        raise NotImplementedError


def count_kept_bytes(unet, predict):
    """Return the bytes that a forward pass keeps, without the weights."""
    weights = {p.untyped_storage()._cdata for p in unet.parameters()}
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = SimpleNamespace(
                tensor=tensor, size=storage.nbytes()
            )
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        predict()
    return sum(entry.size for entry in kept.values())


@pytest.mark.parametrize("batch_size", [1, 2])
def test_the_estimate_holds_what_the_true_unet_keeps(
    large_unet, monkeypatch, batch_size
):
    monkeypatch.setattr(
        functional,
        "scaled_dot_product_attention",
        lambda query, key, value, **_: FusedAttention.apply(query, key, value),
    )
    options = {"device": "meta", "dtype": torch.bfloat16}
    prompt_embeds = torch.empty(batch_size, 77, 768, **options)
    prompt_embeds.requires_grad_(True)
    latents = torch.empty(batch_size, 4, 64, 64, **options)
    timesteps = torch.empty(batch_size, device="meta", dtype=torch.long)
    kept = count_kept_bytes(
        large_unet, lambda: large_unet(latents, timesteps, prompt_embeds)
    )
    plan = StepPlan(batch_size, gradient_checkpointing=False)
    estimate = estimate_bytes(plan, large_unet, 64 * 64)
    assert 0.5 * GIB < kept / batch_size < GIB
    assert kept < estimate < 1.5 * kept
