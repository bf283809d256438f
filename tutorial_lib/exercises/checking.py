"""What all checks share: they name a mistake and never stop a notebook."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor


class Mistake(Exception):
    """What is wrong with an answer, in one sentence for its reader."""


def tells_mistakes(check: Callable) -> Callable:
    """Turn a check that raises Mistake into one that says it.

    The new check prints one line, "Right." or what is not. An answer still
    to be written (it raises NotImplementedError) is not wrong, so that a
    notebook with open exercises runs to its end.
    """

    @functools.wraps(check)
    def tell(answer) -> None:
        """Check an answer and print one line about it."""
        try:
            check(answer)
        except NotImplementedError:
            print("To do: replace the last line of the function, run again.")
        except Mistake as mistake:
            print(f"Not yet: {mistake}")
        except Exception as error:  # whatever a reader's function raises
            kind = type(error).__name__
            print(f"Not yet: your function raised {kind}: {error}")
        else:
            print("Right.")

    return tell


def expect_tensor(value, shape: tuple[int, ...]) -> Tensor:
    """Return the value, or raise Mistake if it is no tensor of the shape."""
    if value is None:
        raise Mistake("your function returns nothing; is `return` missing?")
    if not isinstance(value, Tensor):
        kind = type(value).__name__
        raise Mistake(f"a tensor is wanted, and your function returns {kind}.")
    if tuple(value.shape) != shape:
        raise Mistake(
            f"the result should have shape {shape}, and yours has "
            f"{tuple(value.shape)}."
        )
    return value


def is_close(value, truth, tolerance: float = 1e-4) -> bool:
    """Say whether two tensors or numbers agree, in double precision."""
    value, truth = (
        torch.as_tensor(each, dtype=torch.float64) for each in (value, truth)
    )
    return torch.allclose(value, truth, rtol=tolerance, atol=tolerance)
