"""Ctrl-C that waits for the end of what must not be done by half."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def delay_interrupt() -> Iterator[list[Any]]:
    """Let Ctrl-C wait until the `with` block is done.

    Yields a list that is empty until Ctrl-C was pressed. Only the main thread
    ever gets it; in others this does nothing.
    """
    pressed: list[Any] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    usual = signal.signal(signal.SIGINT, lambda *args: pressed.append(args))
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, usual)
    if pressed and callable(usual):
        usual(*pressed[0])
