"""One process or several: who they are, and what they share.

`accelerate launch` starts several processes, for several GPUs or machines.
Each does its part of the work; together they do what one process does.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from jaxtyping import Float
from torch import Tensor, distributed

Item = TypeVar("Item")
Result = TypeVar("Result")

IS_ALONE = ContextVar("IS_ALONE", default=False)


def start_processes(device: str) -> None:
    """Let the processes that `accelerate launch` started know one another.

    From then on "cuda" is a GPU of its own for each of them. They wait two
    hours for one that renders or encodes images for all.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        PartialState(cpu=device == "cpu", timeout=timedelta(hours=2))


def count_processes() -> int:
    """Return how many processes work together."""
    is_one_of_several = (
        distributed.is_available()
        and distributed.is_initialized()
        and not IS_ALONE.get()
    )
    return distributed.get_world_size() if is_one_of_several else 1


def get_process_index() -> int:
    """Return the number of this process; the main one's is 0."""
    return distributed.get_rank() if count_processes() > 1 else 0


def is_main_process() -> bool:
    """Whether this process is the one that prints and writes files."""
    return get_process_index() == 0


def wait_for_all() -> None:
    """Wait until every process has come here."""
    if count_processes() > 1:
        distributed.barrier()


# --- what they exchange ----------------------------------------------------


def average_tensor(values: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return the mean of a tensor over all processes, without gradients."""
    values = values.detach()
    if count_processes() > 1:
        values = values.clone()
        distributed.all_reduce(values)
        values /= count_processes()
    return values


def average_number(number: float, device: torch.device | str) -> float:
    """Return the mean of a number over all processes.

    It is sent from `device`, where these processes exchange tensors.
    """
    if count_processes() == 1:
        return number
    sent = torch.tensor(number, dtype=torch.float64, device=device)
    return average_tensor(sent).item()


def receive_from_main(value: Any) -> Any:
    """Return what the main process has, in each of them."""
    if count_processes() == 1:
        return value
    values = [value]
    distributed.broadcast_object_list(values, src=0)
    return values[0]


# --- independent pieces of work --------------------------------------------


def share_out(
    work: Callable[[Item], Result], items: Sequence[Item]
) -> list[Result]:
    """Do a piece of work for each item, shared out among the processes.

    Meanwhile each process works alone, and only the main one is heard.
    Returns all results in the items' order, in every process.
    """
    count, index = count_processes(), get_process_index()
    with mute_others(), work_alone():
        results = [work(item) for item in items[index::count]]
    if count == 1:
        return results
    gathered: list[list[Result]] = [[] for _ in range(count)]
    distributed.all_gather_object(gathered, results)
    return [gathered[i % count][i // count] for i in range(len(items))]


@contextlib.contextmanager
def work_alone() -> Iterator[None]:
    """Let each process work as if there were no other."""
    token = IS_ALONE.set(True)
    try:
        yield
    finally:
        IS_ALONE.reset(token)


@contextlib.contextmanager
def mute_others() -> Iterator[None]:
    """Let only the main process print, show bars and warn.

    What is raised still comes through.
    """
    if is_main_process():
        yield
        return
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield
