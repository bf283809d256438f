"""Images that are rendered by other processes while models are trained."""

import itertools
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from tutorial_lib.errors import CommandError
from tutorial_lib.training import dataset
from tutorial_lib.training.batches import name_shard
from tutorial_lib.training.dataset import ShardTask, list_tasks, render_task
from tutorial_lib.training.training_run import TrainingRun, number_captioned

PATIENCE = 300.0  # seconds without a new shard: something is wrong
CAPTIONED_FOR_EACH_WEARERS = 3


class BackgroundRenderer:
    """Renders shard after shard, first those of the run, then ever new ones.

    In a `with` block; at its end the processes are stopped. What they were
    at is given up: a shard that exists is whole.
    """

    def __init__(self, run: TrainingRun) -> None:
        self.run = run
        self.numbers = dataset.number_shards(run)
        self.stopped = threading.Event()
        # Ctrl-C reaches all processes; this one stops the others.
        self.pool = multiprocessing.get_context("spawn").Pool(
            run.workers, signal.signal, (signal.SIGINT, signal.SIG_IGN)
        )
        self.thread = threading.Thread(target=self._render, daemon=True)

    def __enter__(self) -> "BackgroundRenderer":
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop rendering."""
        self.stop()

    def stop(self) -> None:
        """Stop rendering; once more does no harm."""
        self.stopped.set()
        self.pool.terminate()
        self.pool.join()

    def wait_for(self, numbers: dict[str, list[int]]) -> None:
        """Wait until these shards of each folder are there.

        Raises CommandError if for long no new one comes.
        """
        folder, size = self.run.work_folder, self.run.size
        waiting = len(list_tasks(folder, numbers, size))
        since = time.monotonic()
        while waiting:
            time.sleep(0.2)
            now = len(list_tasks(folder, numbers, size))
            if now < waiting:
                waiting, since = now, time.monotonic()
            if self.stopped.is_set() or time.monotonic() - since > PATIENCE:
                raise CommandError(
                    f"{waiting} shards of images are missing in '{folder}' "
                    f"and no process renders them; look for an error above, "
                    f"or run `textual-inversion models pictures`."
                )

    def _render(self) -> None:
        """Hand out tasks, a few at a time, so that stopping is soon done."""
        tasks = self._list_tasks()
        count = 2 * self.run.workers
        while batch := list(itertools.islice(tasks, count)):
            results = self.pool.map_async(render_task, batch, chunksize=1)
            while not results.ready():
                if self.stopped.wait(0.1):
                    return
            results.get()  # raises what was wrong in a process

    def _list_tasks(self) -> Iterator[ShardTask]:
        """Yield the run's own shards, mixed, and then new ones for ever."""
        folder, size = self.run.work_folder, self.run.size
        own = self.numbers
        yield from list_tasks(folder, {"held-out": own["held-out"]}, size)
        yield from self._mix(iter(own["captioned"]), iter(own["wearers"]))
        yield from list_tasks(folder, {"judges": own["judges"]}, size)
        yield from self._mix(
            itertools.islice(number_captioned(), len(own["captioned"]), None),
            itertools.count(len(own["wearers"])),
        )

    def _mix(
        self, captioned: Iterator[int], wearers: Iterator[int]
    ) -> Iterator[ShardTask]:
        """Yield a shard of wearers after every few captioned ones."""
        folder = self.run.work_folder
        while True:
            few = itertools.islice(captioned, CAPTIONED_FOR_EACH_WEARERS)
            numbers = {
                "captioned": list(few),
                "wearers": list(itertools.islice(wearers, 1)),
            }
            if not any(numbers.values()):
                return
            for name, wanted in numbers.items():
                for number in wanted:
                    if not is_done(folder, name, number):
                        path = name_shard(folder / name, number)
                        yield path, number, self.run.size


def is_done(folder: Path, name: str, number: int) -> bool:
    """Whether a shard was rendered, or its latents are all that is kept."""
    return (
        name_shard(folder / name, number).exists()
        or name_shard(folder / "latents" / name, number).exists()
    )
