"""How fast and how small a learning step is on Stable Diffusion 1.5.

    python benchmarks/real_architecture.py --script textual_inversion.py

Its true architecture with random weights, beside the bare U-Net and, with
--script, beside diffusers' examples/textual_inversion/textual_inversion.py.
On a CPU add --size narrow. Each row is written to --json once it is measured.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peer_script
import torch
from PIL import Image
from rows import (
    Benchmark,
    Row,
    describe_machine,
    describe_memory,
    describe_steps,
    reset_peak,
)
from torch import Tensor
from true_models import SIZES, VOCABULARY, build_models

from tutorial_lib.inversion import (
    DenoisingLoss,
    TextualInversionTrainer,
    TrainingConfig,
)
from tutorial_lib.inversion.checkpoints import fingerprint_run, save_checkpoint
from tutorial_lib.inversion.cuda_graphs import record_loss
from tutorial_lib.kinds import PATTERN
from tutorial_lib.models import Models
from tutorial_lib.words import Entry, initialize_word

BATCH_SIZES = (1, 4)


# --- ours


class StepWatch:
    """A callback that notes when each step ended, and the start's memory."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.stamps: list[float] = []
        self.start_memory: Row = {}
        self.memory: Row = {}

    def __call__(self, entry: Entry) -> None:
        """Note the time; before the first step count the peak anew."""
        if not self.stamps:
            self.start_memory = describe_memory()
            reset_peak()
        self.memory = describe_memory()
        self.stamps.append(time.perf_counter())

    def describe(self, warm_up: int) -> Row:
        """Return the times and the memory, with that of the start."""
        steps, start = self.memory, self.start_memory
        return {
            **describe_steps(self.stamps, warm_up),
            "start_seconds": round(self.stamps[0] - self.began, 3),
            **{key: max(steps[key], start[key]) for key in steps},
            "steps_alone": steps,
        }


def learn(
    benchmark: Benchmark,
    models: Models,
    batch_size: int,
    images: list[Image.Image] | None = None,
    **settings: Any,
) -> Row:
    """Learn with the library's own trainer, from the denoising loss.

    "seconds" is the median step, "mean_seconds" has the evaluations (one
    every ten steps) in it, "start_seconds" is all before the first step. The
    memory has the start in it, where a CUDA graph takes what it needs; in
    "steps_alone" that counts as reserved only.
    """
    watch = StepWatch()
    config = TrainingConfig(
        recipe="denoising",
        steps=benchmark.warm_up + benchmark.steps,
        batch_size=batch_size,
        patience=1000,  # random weights must not end it early
        **settings,
    )
    trainer = TextualInversionTrainer(
        models,
        images or benchmark.images,
        config,
        callbacks=watch,
        progress=False,
    )
    word = trainer.fit()
    row = watch.describe(benchmark.warm_up)
    path = benchmark.folder / "checkpoint"
    save_checkpoint(path, trainer, fingerprint_run(trainer))
    return {
        **row,
        "batch_size": batch_size,
        "word_bytes": word.save(benchmark.folder / "X").stat().st_size,
        "checkpoint_bytes": path.stat().st_size,
    }


def make_loss(
    benchmark: Benchmark, models: Models, batch_size: int, **settings: Any
) -> DenoisingLoss:
    """Make the denoising loss of a fresh word."""
    word = initialize_word(models, "X", "pattern", num_vectors=1)
    return DenoisingLoss(
        models,
        benchmark.images,
        PATTERN.templates,
        word,
        batch_size=batch_size,
        progress=False,
        **settings,
    )


def compare_gradients(benchmark: Benchmark, models: Models) -> Row:
    """Compare loss and gradient of each way to compute the same batch."""
    losses, gradients = {}, {}
    ways: dict[str, dict[str, Any]] = {
        "plain": {"gradient_checkpointing": False},
        "cuda graph": {"gradient_checkpointing": False},
        "checkpointed": {"gradient_checkpointing": True},
        "in parts": {"micro_batch_size": 2},
    }
    for name, settings in ways.items():
        loss = make_loss(benchmark, models, 4, **settings)
        if name == "cuda graph" and benchmark.device == "cuda":
            loss.record()
        values = []
        for part in loss.compute_parts(torch.Generator().manual_seed(1)):
            part.backward()
            values.append(part.item())
        losses[name] = sum(values)
        gradient = loss.word.vectors.grad
        assert gradient is not None
        gradients[name] = gradient.flatten().float()
    plain = gradients["plain"]
    return {
        "losses": losses,
        "relative_gradient_errors": {
            name: ((gradient - plain).norm() / plain.norm()).item()
            for name, gradient in gradients.items()
        },
    }


def add_row(
    benchmark: Benchmark,
    name: str,
    models: Models,
    batch_size: int,
    **settings: Any,
) -> None:
    """Measure a row of learning."""
    benchmark.measure(
        name, lambda: learn(benchmark, models, batch_size, **settings)
    )


def measure_ours(benchmark: Benchmark) -> None:
    """Measure the bare U-Net, and the library's step with its settings."""
    models = build_models(benchmark.size, benchmark.device, benchmark.folder)
    measure_unets(benchmark, models)
    for size in BATCH_SIZES:
        add_row(benchmark, "ours", models, size)
    benchmark.measure(
        "agreement", lambda: compare_gradients(benchmark, models)
    )
    if benchmark.device == "cuda":
        measure_float16(benchmark, models)
    many = benchmark.images * 16
    add_row(benchmark, "ours, 16 times the pictures", models, 1, images=many)
    twice = {"gradient_checkpointing": True}
    add_row(benchmark, "ours, checkpointing", models, 4, **twice)
    name = "ours, checkpointing, one image at a time"
    add_row(benchmark, name, models, 4, micro_batch_size=1, **twice)
    if benchmark.device == "cuda":
        measure_other_ways(benchmark, models)


def measure_float16(benchmark: Benchmark, models: Models) -> None:
    """Measure in the number format of a GPU without bfloat16, as a T4."""
    pipeline = models.pipeline
    usual = pipeline.unet.dtype
    pipeline.to(torch.float16)
    for size in BATCH_SIZES:
        add_row(benchmark, "ours, float16", models, size)
    pipeline.to(usual)


def measure_other_ways(benchmark: Benchmark, models: Models) -> None:
    """Measure without CUDA graph, and with channels last."""
    unet = models.pipeline.unet
    for size in BATCH_SIZES:
        name = "ours, no CUDA graph"
        add_row(benchmark, name, models, size, cuda_graph=False)
    unet.to(memory_format=torch.channels_last)
    for size in BATCH_SIZES:
        add_row(benchmark, "ours, channels last", models, size)
    unet.to(memory_format=torch.contiguous_format)


def measure_compiled(benchmark: Benchmark) -> None:
    """Measure with torch.compile; "start_seconds" has the compiling in it."""
    models = build_models(benchmark.size, benchmark.device, benchmark.folder)
    for size in BATCH_SIZES:
        add_row(benchmark, "ours", models, size)
        add_row(benchmark, "ours, compile", models, size, compile=True)


def measure_vocabulary(benchmark: Benchmark) -> None:
    """Measure a step with twice the vocabulary."""
    models = build_models(
        benchmark.size, benchmark.device, benchmark.folder, 2 * VOCABULARY
    )
    add_row(benchmark, "ours, twice the vocabulary", models, 1)


# --- the bare U-Net


@contextmanager
def wait_for_device(stamps: list[float]) -> Iterator[None]:
    """Note when the block was done, by the device too."""
    yield
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    stamps.append(time.perf_counter())


def measure_unets(benchmark: Benchmark, models: Models) -> None:
    """Measure the U-Net alone, as it comes and as a CUDA graph."""

    def add(name: str, batch_size: int, graph: bool) -> None:
        """Measure a row of the U-Net."""
        benchmark.measure(
            name, lambda: measure_unet(benchmark, models, batch_size, graph)
        )

    for size in BATCH_SIZES:
        add("the U-Net", size, graph=False)
        if benchmark.device == "cuda":
            add("the U-Net, CUDA graph", size, graph=True)


def measure_unet(
    benchmark: Benchmark, models: Models, batch_size: int, graph: bool
) -> Row:
    """Measure the U-Net alone: forward, and backward to the prompts."""
    unet, shapes = models.pipeline.unet, SIZES[benchmark.size]
    side = shapes["pixels"] // 8
    options: dict[str, Any] = {"device": models.device, "dtype": unet.dtype}
    latents = torch.randn(batch_size, 4, side, side, **options)
    timesteps = torch.randint(1000, (batch_size,), device=models.device)
    prompt_embeds = torch.randn(batch_size, 77, shapes["width"], **options)
    prompt_embeds.requires_grad_(True)

    def compute(prompt_embeds: Tensor) -> Tensor:
        """Return a number that depends on all of the prediction."""
        noise_pred = unet(
            latents, timesteps, encoder_hidden_states=prompt_embeds
        ).sample
        return noise_pred.float().square().mean()

    chosen: Callable[[Tensor], Tensor] | None = compute
    if graph:
        example = prompt_embeds.detach().clone().requires_grad_(True)
        chosen = record_loss(compute, (example,))
    assert chosen is not None, "not recorded"
    stamps: list[float] = []
    for _ in range(benchmark.warm_up + benchmark.steps + 1):
        with wait_for_device(stamps):
            prompt_embeds.grad = None
            chosen(prompt_embeds).backward()
    row = describe_steps(stamps, benchmark.warm_up)
    return {**row, "batch_size": batch_size, **describe_memory()}


# --- theirs


def measure_theirs(benchmark: Benchmark) -> None:
    """Measure diffusers' script, in bfloat16 and as it comes."""
    options, folder = benchmark.options, benchmark.folder / "theirs"
    folder.mkdir()
    pixels = SIZES[benchmark.size]["pixels"]
    peer_script.prepare_models(folder)
    script = peer_script.load_script(options.script)
    peer_script.use_random_models(script, benchmark.size, benchmark.device)
    pictures = peer_script.write_pictures(folder, benchmark.images, pixels)
    steps = benchmark.warm_up + benchmark.steps + 1

    def train(batch_size: int, precision: str, saves: bool) -> Row:
        """Let the script train; with `saves` it writes a checkpoint last."""
        arguments = {
            "pretrained_model_name_or_path": folder,
            "train_data_dir": pictures,
            "output_dir": folder / "output",
            "resolution": pixels,
            "train_batch_size": batch_size,
            "max_train_steps": steps,
            "mixed_precision": precision,
            "checkpointing_steps": steps if saves else 10 * steps,
        }
        stamps = peer_script.run_script(script, arguments)
        row = describe_steps(stamps, benchmark.warm_up)
        row |= {"batch_size": batch_size, **describe_memory()}
        if saves:
            output = folder / "output"
            row["checkpoint_bytes"] = peer_script.measure_checkpoint(output)
        return row

    def add(batch_size: int, precision: str, saves: bool) -> None:
        """Measure a row of the script."""
        benchmark.measure(
            f"theirs, --mixed_precision={precision}",
            lambda: train(batch_size, precision, saves),
        )

    # A CPU takes ten times as long in bfloat16.
    for precision in ("bf16", "no") if benchmark.device == "cuda" else ("no",):
        for size in BATCH_SIZES:
            add(size, precision, saves=(precision, size) == ("no", 4))


def measure_all(benchmark: Benchmark) -> None:
    """Measure all rows, those that matter most first."""
    options = benchmark.options
    print(json.dumps(describe_machine(benchmark)), flush=True)
    if options.compile:
        measure_compiled(benchmark)
        return
    if options.script is not None:
        try:
            measure_theirs(benchmark)  # alone on the GPU
        except ImportError as error:  # it asks for other versions
            print(f"theirs cannot be run: {error}", flush=True)
    measure_ours(benchmark)
    measure_vocabulary(benchmark)


def parse_options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", default=default)
    parser.add_argument("--size", choices=SIZES, default="true")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--script", type=Path, help="diffusers' script")
    parser.add_argument(
        "--seconds",
        type=float,
        default=float("inf"),
        help="begin no row after so long",
    )
    parser.add_argument("--compile", action="store_true", help="only compile")
    parser.add_argument(
        "--json", type=Path, default=Path("real_architecture.json")
    )
    return parser.parse_args(arguments)


def main() -> None:
    """Measure, in a folder that is removed again."""
    options = parse_options(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        measure_all(Benchmark(options, Path(folder)))


if __name__ == "__main__":
    main()
