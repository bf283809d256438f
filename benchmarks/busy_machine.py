"""How much other programs slow a step of learning down.

    python benchmarks/busy_machine.py

Torch's threads wait for each other many times a step. While they wait they
spin, and take the very core that the thread they wait for may need. The time
of a step is measured beside no, one and two busy programs, with the library's
setting of `GOMP_SPINCOUNT`, with GNU OpenMP's own, and with a single thread.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm.auto import tqdm

STEPS = 12
BUSY = "while True: sum(i * i for i in range(100_000))"
SETTINGS = {
    "the library's": {},
    "OpenMP's own": {"GOMP_SPINCOUNT": "300000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}


def measure_steps() -> None:
    """Print the seconds of each of some steps of learning, as JSON."""
    import torch

    from tutorial_lib import load_concept, load_models
    from tutorial_lib.inversion import DenoisingLoss
    from tutorial_lib.kinds import PATTERN
    from tutorial_lib.words import initialize_word

    models = load_models("tiny")
    word = initialize_word(models, "X", "pattern", num_vectors=1)
    images = load_concept("tshirt").images
    loss = DenoisingLoss(
        models, images, PATTERN.templates, word, progress=False
    )
    generator = torch.Generator().manual_seed(0)
    seconds = []
    for _ in range(STEPS):
        start = time.perf_counter()
        loss.compute(generator).backward()
        seconds.append(time.perf_counter() - start)
    print(json.dumps(seconds))


def measure_apart(setting: dict[str, str]) -> list[float]:
    """Measure the steps in a process of their own, with a setting."""
    output = subprocess.run(
        [sys.executable, __file__, "steps"],
        env=os.environ | setting,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return json.loads(output.splitlines()[-1])[2:]  # the first warm up


@contextmanager
def run_busy_programs(count: int) -> Iterator[None]:
    """Keep so many programs busy within the `with` block."""
    programs = [
        subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)
    ]
    try:
        yield
    finally:
        for program in programs:
            program.kill()


def main() -> None:
    """Print the median and the longest step for each setting."""
    for busy in (0, 1, 2):
        with run_busy_programs(busy):
            for name, setting in tqdm(SETTINGS.items(), leave=False):
                seconds = measure_apart(setting)
                print(
                    f"beside {busy} busy programs, {name}: "
                    f"{statistics.median(seconds):.2f} s a step, "
                    f"at most {max(seconds):.2f} s"
                )


if __name__ == "__main__":
    measure_steps() if sys.argv[1:] == ["steps"] else main()
