"""What all checks share: they name a mistake and never stop a notebook."""

import copy
import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

# Wrong results, each with the sentence that names the mistake behind it.
Mistakes = Iterable[tuple[Tensor | float, str]]


class Mistake(Exception):
    """What is wrong with an answer, in one sentence for its reader."""


def tells_mistakes(
    check: Callable[[Callable], str | None],
) -> Callable[[Callable], None]:
    """Turn a check that raises Mistake into one that says it.

    The new check prints one line, "Right." or what is not. Behind "Right."
    stands what the check returns, if anything: a comparison with the library
    in numbers. An answer still to be written (it raises NotImplementedError)
    is not wrong, so that a notebook with open exercises runs to its end.
    Whatever the exercise, an answer has to return something, and to leave
    its arguments as they are.
    """

    @functools.wraps(check)
    def tell(answer: Callable) -> None:
        """Check an answer and print one line about it."""
        try:
            comparison = check(_watch(answer))
        except NotImplementedError:
            print("To do: replace the last line of the function, run again.")
        except Mistake as mistake:
            print(f"Not yet: {mistake}")
        except Exception as error:  # whatever a reader's function raises
            kind = type(error).__name__
            print(f"Not yet: your function raised {kind}: {error}")
        else:
            print(f"Right. {comparison}" if comparison else "Right.")

    return tell


def _watch(answer: Callable) -> Callable:
    """Let an answer raise Mistake for what is wrong in any exercise."""
    if not callable(answer):
        raise Mistake("hand over the function itself, and not its result.")

    def watched(*arguments: Any, **options: Any) -> Any:
        """Answer, and see whether the arguments are what they were."""
        before = copy.deepcopy(arguments)
        result = answer(*arguments, **options)
        if result is None:
            raise Mistake(
                "your function returns nothing; is `return` missing?"
            )
        for now, then in zip(arguments, before, strict=True):
            expect_unchanged(now, then)
        return result

    return watched


def expect_unchanged(now: Any, then: Any) -> None:
    """Raise Mistake unless an argument is now what it was then."""
    if isinstance(now, Tensor | np.ndarray):
        now, then = torch.as_tensor(now), torch.as_tensor(then)
        if now.requires_grad and not then.requires_grad:
            raise Mistake(
                "the vector you were given now asks for a gradient; make a "
                "copy, `vector.clone().requires_grad_(True)`."
            )
        asks = now.requires_grad == then.requires_grad
        same = asks and torch.equal(now, then)
    else:
        same = now == then
    if not same:
        raise Mistake(
            "what you were given has changed; copy it first, or make a new "
            "one."
        )


def expect_tensor(value: Any, shape: tuple[int, ...]) -> Tensor:
    """Return the value, or raise Mistake if it is no tensor of the shape."""
    if not isinstance(value, Tensor):
        kind = type(value).__name__
        raise Mistake(f"a tensor is wanted, and your function returns {kind}.")
    if tuple(value.shape) != shape:
        raise Mistake(
            f"the result should have shape {shape}, and yours has "
            f"{tuple(value.shape)}."
        )
    return value


def read_pair(value: Any) -> tuple[float, float]:
    """Return two numbers, (low, high), or raise Mistake if it is no such."""
    try:
        low, high = (float(end) for end in value)
    except (TypeError, ValueError):
        raise Mistake(
            f"two numbers are wanted, low and high, not {value}."
        ) from None
    if low > high:
        raise Mistake("the low end comes first.")
    return low, high


def is_close(
    value: Tensor | float, truth: Tensor | float, tolerance: float = 1e-4
) -> bool:
    """Return whether two tensors or numbers agree, in double precision."""
    return torch.allclose(
        torch.as_tensor(value, dtype=torch.float64),
        torch.as_tensor(truth, dtype=torch.float64),
        rtol=tolerance,
        atol=tolerance,
    )


def name_mistake(value: Tensor | float, mistakes: Mistakes) -> None:
    """Raise Mistake with the sentence whose wrong result the value is."""
    for wrong, sentence in mistakes:
        if is_close(value, wrong):
            raise Mistake(sentence)
