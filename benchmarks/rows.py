"""The rows of a benchmark: measured one by one, each written at once."""

import argparse
import gc
import json
import platform
import statistics
import time
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from true_models import SIZES

from tutorial_lib import load_concept

GIB = 2**30
Row = dict[str, Any]


class Benchmark:
    """What is measured on, for how long, and the rows so far."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.size, self.device = options.size, options.device
        self.steps, self.warm_up = options.steps, options.warm_up
        self.began = time.perf_counter()
        pixels = SIZES[self.size]["pixels"]
        self.images = [
            image.convert("RGB").resize((pixels, pixels))
            for image in load_concept("tshirt").images[:5]
        ]
        self.rows: list[Row] = []

    def measure(self, name: str, turn: Callable[[], Row]) -> None:
        """Measure a row, print it, and write all rows so far.

        A row that fails says why; the next ones are measured all the same.
        After `--seconds` none is begun.
        """
        if time.perf_counter() - self.began > self.options.seconds:
            print(f"no time left for: {name}", flush=True)
            return
        clear_memory()
        try:
            row = turn()
        except Exception as error:  # one row is not worth the others
            last = traceback.format_exc().strip().splitlines()[-12:]
            row = {"error": f"{type(error).__name__}: {error}", "trace": last}
        self.rows.append({"row": name, **row})
        elapsed = time.perf_counter() - self.began
        shown = {k: v for k, v in self.rows[-1].items() if k != "all_seconds"}
        print(f"{elapsed:6.1f} s  {json.dumps(shown)}", flush=True)
        content = {"machine": describe_machine(self), "rows": self.rows}
        text = json.dumps(content, indent=1) + "\n"
        self.options.json.write_text(text, encoding="utf-8")


def describe_machine(benchmark: Benchmark) -> Row:
    """Return what the numbers depend on."""
    device = platform.processor() or platform.machine()
    if torch.cuda.is_available():
        device = torch.cuda.get_device_name()
    return {
        "date": date.today().isoformat(),
        "device": device,
        "size": benchmark.size,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
        "steps": benchmark.steps,
        "warm_up": benchmark.warm_up,
    }


def reset_peak() -> None:
    """Count the GPU's peak anew."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def clear_memory() -> None:
    """Give back what is no longer used, and count the peak anew."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
    reset_peak()


def describe_memory() -> Row:
    """Return the GPU's peak since `reset_peak`, in GiB."""
    if not torch.cuda.is_available():
        return {}
    return {
        "allocated_gib": round(torch.cuda.max_memory_allocated() / GIB, 3),
        "reserved_gib": round(torch.cuda.max_memory_reserved() / GIB, 3),
    }


def describe_steps(stamps: list[float], warm_up: int) -> Row:
    """Return the median step and all of them, from when each one ended."""
    pairs = zip(stamps[warm_up:], stamps[warm_up + 1 :], strict=False)
    seconds = [later - earlier for earlier, later in pairs]
    median = statistics.median(seconds)
    return {
        "seconds": round(median, 5),
        "mean_seconds": round(statistics.mean(seconds), 5),
        "steps_a_second": round(1 / median, 2),
        "all_seconds": [round(value, 5) for value in seconds],
    }
