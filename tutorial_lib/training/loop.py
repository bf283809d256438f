"""One training loop for all tiny models, on one device or on several.

Batches come from torch.utils.data, processes and number formats are
accelerate's, the moving average is diffusers'. Every batch and all noise
depend on the seed and the step alone: a training that was stopped anywhere
resumes from its checkpoint and ends with the same weights.
"""

import contextlib
import dataclasses
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers.training_utils import EMAModel
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from tutorial_lib.devices import cpu_has_bfloat16
from tutorial_lib.errors import CommandError
from tutorial_lib.inversion import delay_interrupt
from tutorial_lib.processes import wait_for_all
from tutorial_lib.training.acceleration import compile_model, run_uncompiled
from tutorial_lib.training.batches import BatchSource
from tutorial_lib.training.checkpoints import (
    check_config,
    load_weights,
    read_checkpoint,
    write_checkpoint,
)
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.loaders import make_loader
from tutorial_lib.training.optimization import (
    make_optimizer,
    set_learning_rate,
    split_parameters,
)
from tutorial_lib.training.processes import (
    make_accelerator,
    share_number,
    synchronize_batch_norm,
)
from tutorial_lib.training.steps import Step, make_step

FUSED = (
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
)
NUM_HELD_OUT_BATCHES = 2
LOG_EVERY = 20  # steps

Model = TypeVar("Model", bound=nn.Module)
Batch = dict[str, Tensor]
ComputeLoss = Callable[[Any, Any, Step], Float[Tensor, ""]]


def train(
    model: Model,
    config: PretrainingConfig,
    compute_loss: ComputeLoss,
    checkpoint: Path,
    name: str,
    batches: BatchSource | None = None,
    held_out: BatchSource | None = None,
    on_step: Callable[[], None] | None = None,
) -> Model:
    """Train a model and return it, or its moving average, ready to use.

    `compute_loss(model, batch, step)` gets its rows of a batch of `batches`,
    on the model's device, and a `Step` to draw noise with. Without `batches`
    it gets None, and samples for itself. `held_out` are batches that are not
    learned from: the loss on them is logged. `on_step` is called by each
    process before each step. Raises CommandError for a checkpoint that
    cannot be gone on from.
    """
    trainer = Trainer(model, config, compute_loss, checkpoint, name)
    if trainer.progress < 1:
        trainer.run(batches, held_out, on_step)
    return trainer.finish()


class Objective(nn.Module):
    """A model with its loss: what is spread over several processes."""

    def __init__(self, model: nn.Module, compute_loss: ComputeLoss) -> None:
        super().__init__()
        self.model = model
        self.compute_loss = compute_loss

    def forward(self, batch: Batch | None, step: Step) -> Float[Tensor, ""]:
        """Return the loss of this process's rows of a batch."""
        return self.compute_loss(self.model, batch, step)


class Trainer:
    """A model in training: its optimizer, its average, its history."""

    def __init__(
        self,
        model: nn.Module,
        config: PretrainingConfig,
        compute_loss: ComputeLoss,
        checkpoint: Path,
        name: str,
    ) -> None:
        self.model = model
        self.config = config
        self.checkpoint = checkpoint
        self.name = name
        self.step = 0
        self.seconds = 0.0
        self.finished = False
        self.losses: list[tuple[int, float]] = []  # with their steps
        self.held_out_losses: list[tuple[int, float]] = []
        self.recent_losses: list[Float[Tensor, ""]] = []
        device = next(model.parameters()).device
        logs = str(checkpoint.parent / "logs")
        self.accelerator = make_accelerator(device, config, logs)
        self._check_batch_size()
        synchronize_batch_norm(model)
        if config.compile:
            compile_model(model, device)
        optimizer = make_optimizer(model, config)
        self.parameters = split_parameters(model)
        self.ema = (
            EMAModel(model.parameters(), decay=config.ema, foreach=True)
            if config.ema
            else None
        )
        if checkpoint.exists():
            self.resume(optimizer)
        wait_for_all()
        self.objective, self.optimizer = self.accelerator.prepare(
            Objective(model, compute_loss), optimizer
        )

    def _check_batch_size(self) -> None:
        """Raise CommandError unless processes can share a batch evenly."""
        parts = self.accelerator.num_processes * self.config.accumulation
        if self.config.batch_size % parts:
            raise CommandError(
                f"A `batch_size` of {self.config.batch_size} cannot be cut "
                f"into {parts} equal parts for "
                f"{self.accelerator.num_processes} processes; choose another."
            )

    # --- steps

    @property
    def progress(self) -> float:
        """The part of the steps, or of the time, that is over."""
        if self.config.steps:
            return self.step / self.config.steps
        seconds = share_number(self.seconds, self.accelerator.device)
        return seconds / (self.config.seconds or 1.0)

    def run(
        self,
        batches: BatchSource | None,
        held_out: BatchSource | None,
        on_step: Callable[[], None] | None,
    ) -> None:
        """Take the steps that are left, and save now and then."""
        if self.config.tensorboard:
            self.accelerator.init_trackers(self.checkpoint.stem)
        loader = self.prepare_loader(batches, self.config, self.step)
        held_out_loader = self.prepare_held_out(held_out)
        stream: Iterator[Any] = (
            iter(loader) if loader else itertools.repeat(None)
        )
        began = time.monotonic() - self.seconds
        progress = self.progress
        self.model.train()
        try:
            with self.make_bar() as bar:
                while progress < 1:
                    if on_step:
                        on_step()
                    with delay_interrupt():
                        self.take_step(stream, progress)
                        self.seconds = time.monotonic() - began
                    progress = self.progress
                    self.finished = progress >= 1
                    self.log(bar, held_out_loader)
                    if self.step % self.config.save_every == 0:
                        self.save()
        finally:
            self.save()
            for tracker in self.accelerator.trackers:
                tracker.finish()

    def take_step(self, batches: Iterator[Any], progress: float) -> None:
        """Take one optimizer step on one batch."""
        config, accelerator = self.config, self.accelerator
        set_learning_rate(self.optimizer, config, self.step, progress)
        losses = []
        for part in range(config.accumulation):
            batch = next(batches)
            with accelerator.accumulate(self.objective):
                loss = self.objective(
                    batch, self.make_step(self.step, part, progress)
                )
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    for parameters in self.parameters:
                        accelerator.clip_grad_norm_(parameters, 1.0)
                self.optimizer.step()
                self.optimizer.zero_grad()
            losses.append(loss.detach())
        if self.ema:
            self.ema.step(self.model.parameters())
        self.recent_losses.append(torch.stack(losses).mean())
        self.step += 1

    def make_step(self, number: int, part: int, progress: float) -> Step:
        """Say which rows of a step's batch are this process's."""
        accelerator = self.accelerator
        return make_step(
            self.config,
            (number, part),
            progress,
            (accelerator.process_index, accelerator.num_processes),
            accelerator.device,
        )

    # --- batches

    def prepare_loader(
        self,
        source: BatchSource | None,
        config: PretrainingConfig,
        first_step: int,
    ) -> DataLoader | None:
        """Make the loader of this process's rows of each batch."""
        if source is None:
            return None
        loader = make_loader(
            source, config, first_step, self.accelerator.device
        )
        return self.accelerator.prepare(loader)

    def prepare_held_out(
        self, source: BatchSource | None
    ) -> DataLoader | None:
        """Make the loader of the first part of a few held-out batches."""
        config = dataclasses.replace(
            self.config,
            steps=NUM_HELD_OUT_BATCHES,
            seconds=None,
            workers=0,
        )
        return self.prepare_loader(source, config, 0)

    @torch.no_grad()
    def evaluate(self, loader: DataLoader) -> float:
        """Return the mean loss on held-out batches, of the average if any."""
        parameters = list(self.model.parameters())
        if self.ema:
            self.ema.store(parameters)
            self.ema.copy_to(parameters)
        self.model.eval()
        parts = range(self.config.accumulation)
        places = itertools.product(range(NUM_HELD_OUT_BATCHES), parts)
        with run_uncompiled(self.config):
            losses = [
                self.objective(batch, self.make_step(number, part, 1.0))
                for (number, part), batch in zip(places, loader, strict=True)
            ]
        self.model.train()
        if self.ema:
            self.ema.restore(parameters)
        return self.average(losses)

    # --- what is seen of it

    def average(self, losses: Iterable[Float[Tensor, ""]]) -> float:
        """Return the mean of losses, of all processes."""
        mean = torch.stack(list(losses)).mean()
        return self.accelerator.reduce(mean, "mean").item()

    def make_bar(self) -> tqdm:
        """Make a bar that counts steps, or seconds, and shows what is left."""
        steps, seconds = self.config.steps, self.config.seconds
        return tqdm(
            desc=self.name,
            initial=self.step if steps else round(self.seconds),
            total=steps or round(seconds or 0),
            unit="step" if steps else "s",
            mininterval=5,
            disable=not self.accelerator.is_main_process,
        )

    def log(self, bar: tqdm, held_out: DataLoader | None) -> None:
        """Move the bar on; take and log the losses when it is time."""
        done = self.step if self.config.steps else round(self.seconds)
        bar.update(done - bar.n)
        values = {}
        if self.step % LOG_EVERY == 0 or self.finished:
            values["loss"] = self.average(self.recent_losses)
            values["lr"] = self.optimizer.param_groups[0]["lr"]
            self.losses.append((self.step, values["loss"]))
            self.recent_losses = []
            bar.set_postfix(loss=f"{values['loss']:.4f}")
        is_due = self.step % self.config.evaluate_every == 0
        if held_out and (is_due or self.finished):
            values["held_out_loss"] = loss = self.evaluate(held_out)
            self.held_out_losses.append((self.step, loss))
            if self.accelerator.is_main_process:
                bar.write(
                    f"{self.name}, step {self.step}: held-out loss {loss:.4f}"
                )
        if values:
            self.accelerator.log(values, step=self.step)

    # --- checkpoints

    def save(self) -> None:
        """Write everything that a resumed run needs, in one process."""
        if not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        content = {
            "name": self.name,
            "config": self.config.weights_depend_on,
            "model": self.model.state_dict(),
            "ema": self.ema and self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": scaler and scaler.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "losses": self.losses,
            "held_out_losses": self.held_out_losses,
            "finished": self.finished,
        }
        write_checkpoint(self.checkpoint, content)

    def resume(self, optimizer: torch.optim.Optimizer) -> None:
        """Go on where a checkpoint was written."""
        content = read_checkpoint(self.checkpoint)
        check_config(self.checkpoint, content, self.config)
        load_weights(self.checkpoint, content, self.model, self.ema)
        optimizer.load_state_dict(content["optimizer"])
        if self.accelerator.scaler and content["scaler"]:
            self.accelerator.scaler.load_state_dict(content["scaler"])
        self.step = content["step"]
        self.seconds = content["seconds"]
        self.losses = content["losses"]
        self.finished = content["finished"]
        self.held_out_losses = content["held_out_losses"]

    def finish(self) -> Any:
        """Return the model with the weights that are to be used."""
        if not self.finished:  # interrupted right after its last step
            self.finished = True
            self.save()
        wait_for_all()
        if self.ema:
            self.ema.copy_to(self.model.parameters())
        return self.model.eval().requires_grad_(False)


# --- the number format -----------------------------------------------------


@contextlib.contextmanager
def autocast(
    device: torch.device | str, mixed_precision: str = "bf16"
) -> Iterator[None]:
    """Compute in 16 bits where it is exact enough: inside the networks.

    A CPU that has no instructions for bfloat16 computes in float32, which
    is many times faster there. On a CPU attention is computed step by step:
    for sequences this short the fused kernel's backward pass is slower.
    """
    device_type = torch.device(device).type
    on_cpu = device_type == "cpu"
    kernels = [SDPBackend.MATH] if on_cpu else list(FUSED)
    dtype = torch.float16 if mixed_precision == "fp16" else torch.bfloat16
    enabled = mixed_precision != "no" and (not on_cpu or cpu_has_bfloat16())
    with (
        torch.autocast(device_type, dtype, enabled=enabled),
        sdpa_kernel(kernels),
    ):
        yield
