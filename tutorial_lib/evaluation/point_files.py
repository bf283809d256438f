"""Files of points: what a command of hours measured, kept as it goes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tutorial_lib.arguments import read_path
from tutorial_lib.errors import TutorialError

Measured = TypeVar("Measured")
RESULTS = {"sweep": "sweep", "compare": "comparison"}  # by command


def load_points(
    path: str | Path, make: Callable[[dict[str, Any]], Measured], command: str
) -> Measured:
    """Read a file that a command wrote, and make of it what it measured.

    Raises TutorialError, naming the file, if it cannot be read, or if `make`
    does not find in it what it needs.
    """
    path = read_path(path)
    try:
        return make(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise TutorialError(
            f"{path} cannot be read ({error.strerror}); name a file that "
            f"`textual-inversion {command}` wrote."
        ) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TutorialError(
            f"{path} holds no {RESULTS[command]} ({type(error).__name__}); "
            "delete it and measure again."
        ) from None
