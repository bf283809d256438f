"""Files that are written whole or not at all."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_atomically(path: str | Path) -> Iterator[Path]:
    """Give a path to write to, and put the file in place when it is whole.

    Until then, and if anything goes wrong, an older file of that name
    stays as it is. The folder is made if need be.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays the last one: numpy and others would add their own.
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(
    path: str | Path, content: object, indent: int | None = 1
) -> None:
    """Write `content` as JSON, whole or not at all, ending in a newline."""
    text = json.dumps(content, indent=indent, ensure_ascii=False) + "\n"
    with write_atomically(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
