"""How a learning step fits into a GPU's memory.

What fills it is the U-Net's activations, kept for the backward pass. They
are fewer if blocks are computed again there, or if the images of a batch
take turns.
"""

from dataclasses import dataclass

import torch
from diffusers import UNet2DConditionModel

from tutorial_lib.errors import WordError

# What the U-Net keeps of an image, in maps as large as its first block's
# output: counted on Stable Diffusion 1.5's architecture, with a quarter more
# for what comes and goes (benchmarks/README.md).
KEPT_MAPS = 335
KEPT_MAPS_WITH_CHECKPOINTING = 90


@dataclass(frozen=True)
class StepPlan:
    """How much of a learning step is in memory at once.

    `micro_batch_size` images of the batch go through the U-Net together;
    the gradients of all of them add up. With `gradient_checkpointing` the
    U-Net's blocks are computed again in the backward pass instead of being
    kept (Chen et al., 2016, Training Deep Nets with Sublinear Memory Cost).
    """

    micro_batch_size: int
    gradient_checkpointing: bool


def list_plans(
    batch_size: int,
    micro_batch_size: int | None = None,
    gradient_checkpointing: bool | None = None,
) -> list[StepPlan]:
    """List the plans of a batch, the fastest first, the smallest last.

    What is not None is left as it is.
    """
    sizes = [n for n in range(batch_size, 0, -1) if batch_size % n == 0]
    if micro_batch_size is not None:
        sizes = [min(micro_batch_size, batch_size)]
    plans = [
        StepPlan(sizes[0], gradient_checkpointing=False),
        *(StepPlan(size, gradient_checkpointing=True) for size in sizes),
    ]
    if gradient_checkpointing is None:
        return plans
    return [StepPlan(size, gradient_checkpointing) for size in sizes]


def estimate_bytes(
    plan: StepPlan, unet: UNet2DConditionModel, latent_area: int
) -> int:
    """Estimate the bytes that a step takes beside the models' weights.

    `latent_area` is the height times the width of the latents.
    """
    itemsize = torch.empty(0, dtype=unet.dtype).element_size()
    a_map = latent_area * unet.config.block_out_channels[0] * itemsize
    maps = KEPT_MAPS
    if plan.gradient_checkpointing:
        maps = KEPT_MAPS_WITH_CHECKPOINTING
    return plan.micro_batch_size * maps * a_map


def choose_plan(
    plans: list[StepPlan],
    unet: UNet2DConditionModel,
    latent_area: int,
    free_bytes: int | None,
) -> int:
    """Return the number of the first plan that fits, else of the last.

    Where nothing is known of the memory it is the first.
    """
    if free_bytes is None:
        return 0
    for number, plan in enumerate(plans):
        if estimate_bytes(plan, unet, latent_area) <= free_bytes:
            return number
    return len(plans) - 1


def describe_plan(plan: StepPlan, batch_size: int) -> str:
    """Return a sentence that says what a plan does to save memory."""
    does = []
    if plan.micro_batch_size < batch_size:
        does.append(
            f"the {batch_size} images of a batch take turns "
            f"(micro_batch_size={plan.micro_batch_size})"
        )
    if plan.gradient_checkpointing:
        does.append(
            "the U-Net is computed twice (gradient_checkpointing=True)"
        )
    return "To save memory, " + ", and ".join(does) + "."


def explain_full_memory(plan: StepPlan) -> WordError:
    """Return the error for a step that does not fit with any plan."""
    return WordError(
        "The memory is too small for a learning step, even with "
        f"micro_batch_size={plan.micro_batch_size} and "
        f"gradient_checkpointing={plan.gradient_checkpointing}; close other "
        'programs, or learn on the CPU with load_models(device="cpu").'
    )
