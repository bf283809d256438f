"""Training one model in several processes, and how their losses add up.

Each process takes its rows of every batch; together they do what one process
does with the whole batch.
"""

import torch
import torch.distributed.nn
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from accelerate.utils import (
    AutocastKwargs,
    DataLoaderConfiguration,
    is_tensorboard_available,
)
from jaxtyping import Float, Int
from torch import Tensor, distributed, nn

from tutorial_lib.errors import CommandError
from tutorial_lib.processes import count_processes
from tutorial_lib.training.config import PretrainingConfig


def make_accelerator(
    device: torch.device, config: PretrainingConfig, log_folder: str
) -> Accelerator:
    """Make the Accelerator that one model is trained with.

    It knows the processes, spreads batches over them, scales losses for
    fp16 and adds up gradients. Raises CommandError if fp16 is asked of a
    CPU, or TensorBoard's files where its package is not installed.
    """
    on_cpu = device.type == "cpu"
    if config.mixed_precision == "fp16" and on_cpu:
        raise CommandError(
            '`mixed_precision = "fp16"` needs a GPU; choose "bf16" or "no".'
        )
    if config.tensorboard and not is_tensorboard_available():
        raise CommandError(
            "--tensorboard needs the package tensorboard; "
            "`pip install tensorboard` gets it."
        )
    # One process trains several models, each with numbers of its own.
    AcceleratorState._reset_state(count_processes() == 1)
    GradientState._reset_state()
    return Accelerator(
        cpu=on_cpu,
        mixed_precision=config.mixed_precision,
        gradient_accumulation_steps=config.accumulation,
        dataloader_config=DataLoaderConfiguration(
            split_batches=True, non_blocking=True
        ),
        # Losses are computed in float32, and say themselves what is not.
        kwargs_handlers=[AutocastKwargs(enabled=False)],
        log_with="tensorboard" if config.tensorboard else None,
        project_dir=log_folder,
    )


def share_number(number: float, device: torch.device) -> float:
    """Return the main process's number in all of them."""
    if count_processes() == 1:
        return number
    shared = torch.tensor(number, dtype=torch.float64, device=device)
    distributed.broadcast(shared, src=0)
    return shared.item()


# --- losses ----------------------------------------------------------------


def average_over_processes(
    sums: Float[Tensor, " losses"], counts: Int[Tensor, " losses"]
) -> Float[Tensor, ""]:
    """Return the mean of some means: of each loss, then of those that are.

    `sums` and `counts` are this process's; a loss that no process has any
    of is left out. Gradients are averaged over the processes later, and so
    the sums of this one count as many times as there are processes.
    """
    totals = counts.clone()
    if count_processes() > 1:
        distributed.all_reduce(totals)
    known = (totals > 0).sum().clamp(min=1)
    means = count_processes() * sums / totals.clamp(min=1)
    return means.sum() / known


def gather_rows(
    rows: Float[Tensor, "batch width"],
) -> Float[Tensor, "total width"]:
    """Return the rows of all processes, in order, with their gradients."""
    if count_processes() == 1:
        return rows
    return torch.cat(torch.distributed.nn.all_gather(rows.contiguous()))


# --- batch normalization ---------------------------------------------------


class SynchronizedBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization over the whole batch of all processes.

    As torch's own SyncBatchNorm, which wants a GPU. In one process it is
    BatchNorm2d.
    """

    def forward(
        self, input: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Normalize each channel by its mean and variance."""
        if not self.training or count_processes() == 1:
            return super().forward(input)
        values = input.float()
        moments = torch.stack(
            [values.mean((0, 2, 3)), values.square().mean((0, 2, 3))]
        )
        moments = torch.distributed.nn.all_reduce(moments) / count_processes()
        mean, square = moments
        variance = square - mean.square()
        self._update_running(mean, variance, input.numel() // len(mean))
        scale = self.weight * (variance + self.eps).rsqrt()
        shift = self.bias - mean * scale
        normalized = values * scale[:, None, None] + shift[:, None, None]
        return normalized.to(input.dtype)

    @torch.no_grad()
    def _update_running(
        self,
        mean: Float[Tensor, " channels"],
        variance: Float[Tensor, " channels"],
        count: int,
    ) -> None:
        """Move the running mean and (unbiased) variance towards a batch's."""
        buffers = dict(self.named_buffers())
        momentum = self.momentum or 0.0
        count *= count_processes()
        unbiased = variance * count / (count - 1)
        buffers["num_batches_tracked"].add_(1)
        buffers["running_mean"].lerp_(mean, momentum)
        buffers["running_var"].lerp_(unbiased, momentum)


def synchronize_batch_norm(model: nn.Module) -> None:
    """Let every batch normalization of a model see all processes' rows."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SynchronizedBatchNorm2d
