"""Arguments of public functions: what is plainly meant is taken.

Anything else is refused with one sentence that names the argument and says
what to give instead.
"""

import json
import math
import operator
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tutorial_lib.errors import ArgumentError

MAX_SEED = 2**32 - 1  # what torch and numpy both take
MAX_SHOWN = 60  # signs of a wrong value that an error quotes


def read_whole_number(
    value: Any, name: str, least: int = 0, most: int | None = None
) -> int:
    """Return a whole number from `least` to `most` as an int.

    Whole numbers of numpy and torch are taken, and so is 2.0. Raises
    ArgumentError for anything else.
    """
    wanted = f"a whole number from {least} on"
    if most is not None:
        wanted = f"a whole number from {least} to {most}"
    number = to_whole_number(value)
    if (
        number is None
        or number < least
        or (most is not None and number > most)
    ):
        raise ArgumentError(refuse(value, name, wanted))
    return number


def to_whole_number(value: Any) -> int | None:
    """Return what is a whole number as an int, None for all else."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except Exception:  # an array of several numbers, and much else
        number = to_number(value)
    if number is None or not number.is_integer():
        return None
    return int(number)


def read_number(
    value: Any,
    name: str,
    least: float = 0.0,
    most: float = math.inf,
    above: bool = False,
) -> float:
    """Return a finite number from `least` to `most`, a float or an int.

    With `above` it must be greater than `least`. Raises ArgumentError for
    anything else, and for text such as "7".
    """
    number = to_number(value)
    if (
        number is None
        or not math.isfinite(number)
        or not least <= number <= most
        or (above and number == least)
    ):
        wanted = f"a number above {least:g}"
        if not above:
            wanted = f"a number from {least:g} on"
        if most < math.inf:
            wanted += f", at most {most:g}"
        raise ArgumentError(refuse(value, name, wanted))
    return value if type(value) is int else number


def to_number(value: Any) -> float | None:
    """Return what is a number as a float, None for all else."""
    if isinstance(value, bool | str | bytes | bytearray):
        return None
    try:
        return float(value)
    except Exception:  # strangers' classes can raise nearly anything
        return None


def read_seed(value: Any, name: str = "seed") -> int:
    """Return a seed as an int; see `read_whole_number`."""
    return read_whole_number(value, name, least=0, most=MAX_SEED)


def read_seeds(value: Any, name: str = "seeds") -> list[int]:
    """Return one or several seeds as a list of ints, at least one."""
    if to_whole_number(value) is not None:
        value = [value]
    seeds = read_items(value, name, "a list of whole numbers such as [1, 2]")
    return [read_seed(seed, f"{name}[{i}]") for i, seed in enumerate(seeds)]


def read_texts(value: Any, name: str, example: str) -> list[str]:
    """Return one or several texts as a list, at least one.

    `example` is a text that would be right, for the error's remedy.
    """
    if isinstance(value, str):
        value = [value]
    wanted = f'text such as "{example}", or a list of texts'
    texts = read_items(value, name, wanted)
    for i, text in enumerate(texts):
        item = name if len(texts) == 1 else f"{name}[{i}]"
        texts[i] = read_text(text, item, example)
    return texts


def read_text(value: Any, name: str, example: str) -> str:
    """Return a text that can be written down in Unicode."""
    if not isinstance(value, str):
        raise ArgumentError(refuse(value, name, f'text such as "{example}"'))
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ArgumentError(
            refuse(value, name, "text without halves of signs (surrogates)")
        ) from None
    return str(value)


def read_items(value: Any, name: str, wanted: str) -> list[Any]:
    """Return the items of a list, a tuple, an array, ..., at least one.

    Text and dicts are no lists. `wanted` says what to give instead.
    """
    is_list = isinstance(value, Iterable)
    if not is_list or isinstance(value, str | bytes | bytearray | dict):
        raise ArgumentError(refuse(value, name, wanted))
    try:
        items = list(value)
    except TypeError:  # an array without dimensions
        raise ArgumentError(refuse(value, name, wanted)) from None
    if not items:
        raise ArgumentError(f"`{name}` is empty; give {wanted}.")
    return items


def read_choice(value: Any, name: str, choices: Iterable[str]) -> str:
    """Return one of several names."""
    known = list(choices)
    if isinstance(value, str) and value in known:
        return str(value)
    listed = ", ".join(f'"{choice}"' for choice in known)
    raise ArgumentError(
        f"`{name}` {describe(value)} is unknown; say one of {listed}."
    )


def read_path(value: Any, name: str = "path") -> Path:
    """Return the path of a file or folder, with "~" as the reader's own.

    Whether something lies there is not asked.
    """
    wanted = 'a path such as "out/X.safetensors"'
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ArgumentError(refuse(value, name, wanted))
    try:
        os.fsencode(value)
        return Path(value).expanduser()
    except (UnicodeEncodeError, RuntimeError):  # "~nobody"
        raise ArgumentError(
            refuse(value, name, f"{wanted}, with a home folder that exists")
        ) from None


def read_functions(value: Any, name: str) -> list[Callable[..., Any]]:
    """Return one or several functions as a list; None stands for none."""
    if value is None:
        return []
    if callable(value):
        return [value]
    wanted = f"functions, as in `{name}=[print]`"
    functions = [] if is_empty(value) else read_items(value, name, wanted)
    for i, function in enumerate(functions):
        if not callable(function):
            raise ArgumentError(refuse(function, f"{name}[{i}]", wanted))
    return functions


def is_empty(value: Any) -> bool:
    """Return whether a value is a list or tuple of nothing."""
    return isinstance(value, list | tuple) and not value


def refuse(value: Any, name: str, wanted: str) -> str:
    """Return the sentence that names an argument and says what it must be."""
    return f"`{name}` cannot be {describe(value)}; give {wanted}."


def describe(value: Any) -> str:
    """Return a short text for a value of any kind."""
    if isinstance(value, float):
        value = float(value)  # numpy's show their type
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=not value.isprintable())
    elif isinstance(value, int):
        text = show_int(value)
    elif value is None or isinstance(value, float | bytes):
        text = repr(value)
    else:
        return f"of the type {type(value).__name__}"
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."


def show_int(value: int) -> str:
    """Return a whole number, which may have more digits than Python shows."""
    try:
        return repr(value)
    except ValueError:
        return "a number of thousands of digits"
