"""Files that are written whole or not at all."""

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tutorial_lib.arguments import read_path
from tutorial_lib.errors import FileError, TutorialError

REASONS = {  # of an OSError by its number -> what is wrong, and the remedy
    errno.ENOSPC: "the disk is full; free some space and try again",
    errno.EDQUOT: "the disk is full for you; free some space and try again",
    errno.EACCES: "its folder may not be written to; name another one",
    errno.EPERM: "its folder may not be written to; name another one",
    errno.EROFS: "its folder may only be read; name another one",
    errno.ENOENT: "its folder is gone; make it again, or name another one",
    errno.EISDIR: "it is a folder; name a file in it",
    errno.ENOTDIR: "a part of its path is a file, no folder; name another one",
    errno.EEXIST: "a part of its path is a file, no folder; name another one",
    errno.ENAMETOOLONG: "its name is too long; give it a shorter one",
}


@contextmanager
def write_atomically(path: str | Path) -> Iterator[Path]:
    """Give a path to write to, and put the file in place when it is whole.

    Until then, and if anything goes wrong, an older file of that name
    stays as it is. The folder is made if need be. Raises FileError, with the
    reason, if the file cannot be written: the disk is full, for example.
    """
    path = read_path(path)
    check_file_name(path)
    # The suffix stays the last one: numpy and others would add their own.
    unfinished = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        os.replace(unfinished, path)
    except TutorialError:
        raise
    except OSError as error:
        raise FileError(explain(path, error)) from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def check_file_name(path: Path) -> None:
    """Raise FileError if a folder stands where a file is to be."""
    if os.path.isdir(path):
        raise FileError(f"'{path}' is a folder; name a file in it.")


def explain(path: Path, error: OSError) -> str:
    """Return the sentence that says why a file was not written."""
    reason = REASONS.get(error.errno or 0)
    if reason is None:
        reason = f"{error.strerror or error}; name another file"
    return f"'{path}' was not written: {reason}."


def write_json(
    path: str | Path, content: object, indent: int | None = 1
) -> None:
    """Write `content` as JSON, whole or not at all, ending in a newline."""
    text = json.dumps(content, indent=indent, ensure_ascii=False) + "\n"
    with write_atomically(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def fingerprint(source: str) -> str:
    """Return eight letters that stand for a text, such as a cell's code."""
    return hashlib.sha256(source.encode()).hexdigest()[:8]
