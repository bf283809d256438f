"""Training loops, right and wrong: lessons 03 and 05 let the reader write one.

What a wrong loop arrives at is computed, so that a check can tell which
mistake was made.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

Vectors = Float[Tensor, "num_vectors width"]
Loss = Callable[[Vectors], Float[Tensor, ""]]  # of the vectors, on a batch
USUAL_DECAY = 0.01  # AdamW's own, unless told otherwise


def run_loop(
    vectors: Vectors,
    losses: Sequence[Loss],
    lrs: Sequence[float],
    *,
    optimizer_class: type[torch.optim.Optimizer] = torch.optim.Adam,
    weight_decay: float = 0.0,
    sign: float = 1.0,
    adds_up: bool = False,
    starts_anew: bool = False,
) -> Vectors:
    """Return the vectors after a step down each loss.

    The last arguments are mistakes: a loss of the wrong sign, gradients that
    add up from step to step, an optimizer that is made anew at each step.
    """
    leaf = vectors.detach().clone().requires_grad_(True)

    def make_optimizer() -> torch.optim.Optimizer:
        """Make an optimizer of the vectors alone."""
        group = {"params": [leaf], "weight_decay": weight_decay}
        return optimizer_class([group], lr=lrs[0])  # type: ignore[call-arg]

    optimizer = make_optimizer()
    for loss, lr in zip(losses, lrs, strict=True):
        if starts_anew:
            optimizer = make_optimizer()
        optimizer.param_groups[0]["lr"] = lr
        if not adds_up:
            optimizer.zero_grad()
        (sign * loss(leaf)).backward()
        optimizer.step()
    return leaf.detach()


def list_loop_mistakes(
    vectors: Vectors, losses: Sequence[Loss], lrs: Sequence[float]
) -> list[tuple[Vectors, str]]:
    """List what wrong loops arrive at, with the mistakes behind them."""
    given = (vectors, losses, lrs)
    return list_count_mistakes(*given) + [
        (vectors, "X has not moved."),
        (
            run_loop(*given, sign=-1.0),
            "you go up the loss; the optimizer makes small what you call "
            "`backward()` on, so it must be the loss.",
        ),
        (
            run_loop(*given, adds_up=True),
            "the gradients of all steps add up; call `optimizer.zero_grad()` "
            "in each.",
        ),
        (
            run_loop(*given, starts_anew=True),
            "your optimizer is made anew at each step and forgets the pace "
            "of each number; make one, before the loop.",
        ),
        (
            run_loop(*given, optimizer_class=torch.optim.SGD),
            "those are plain gradient steps; Adam is wanted.",
        ),
        (
            run_loop(
                *given,
                optimizer_class=torch.optim.AdamW,
                weight_decay=USUAL_DECAY,
            ),
            "AdamW shrinks X at each step (lesson 02); pass `weight_decay=0`.",
        ),
    ]


def list_count_mistakes(
    vectors: Vectors, losses: Sequence[Loss], lrs: Sequence[float]
) -> list[tuple[Vectors, str]]:
    """List what loops of other steps arrive at, with the mistakes."""
    again = [*losses, losses[-1]]
    return [
        (
            run_loop(vectors, losses[:-1], lrs[:-1]),
            "one step is missing.",
        ),
        (
            run_loop(vectors, again, [*lrs, lrs[-1]]),
            "that is one step too many.",
        ),
        (
            run_loop(vectors, losses, [lrs[0]] * len(lrs)),
            "all your steps have the first one's learning rate; set "
            '`optimizer.param_groups[0]["lr"]` at each.',
        ),
    ]
