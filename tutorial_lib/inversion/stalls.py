"""Learning that learns nothing, noticed at its first steps.

A word that does not move would be handed back as if it were learned.
"""

import warnings

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.errors import WordError
from tutorial_lib.inversion.config import Phase
from tutorial_lib.words import LearnedWord

Vectors = Float[Tensor, "num_vectors width"]
FIRST_STEPS = 3  # a single step may overflow in half precision


class StallDetector:
    """Watches the first steps of a phase until one of them moves the word."""

    def __init__(self) -> None:
        self.has_moved = False
        self.idle_steps = 0

    def watch(
        self, before: list[Vectors], tensors: list[Vectors], phase: Phase
    ) -> None:
        """Look at a step, from `before` to `tensors` with their gradients.

        There is a tensor for each text encoder. Raises WordError, with the
        cause, if no step has moved one of them yet and there were enough
        steps to say so.
        """
        idle = [
            vectors
            for old, vectors in zip(before, tensors, strict=True)
            if torch.equal(old, vectors)
        ]
        if self.has_moved or not idle:
            self.has_moved = True
            return
        self.idle_steps += 1
        if self.idle_steps >= min(FIRST_STEPS, phase.steps):
            raise WordError(explain_stall(idle[0], phase))


def explain_stall(vectors: Vectors, phase: Phase) -> str:
    """Return the sentence that says why the vectors do not move."""
    gradient = vectors.grad
    if gradient is None or not gradient.any():
        cause = (
            "the loss does not depend on it (its gradient is 0); look at the "
            "templates and the pictures"
        )
    elif not torch.isfinite(gradient).all():
        cause = (
            "its gradient is not finite in this number format; learn with "
            'load_models(device="cpu") and autocast=False'
        )
    else:
        cause = (
            f"steps with lr={phase.lr:g} leave it where it is; learn with a "
            "higher lr, or without lr for the usual one"
        )
    return f"Learning ({phase.recipe}) does not change the word: {cause}."


def warn_of_no_gain(start: Vectors, word: LearnedWord, phase: Phase) -> None:
    """Warn if a word is as it began, for its best evaluation was the first.

    `phase` is the last one; a run without steps is left alone.
    """
    if word.steps and torch.equal(start.cpu(), word.vectors):
        warnings.warn(
            f'Learning gained nothing: "{word.word}" is as it began, for no '
            "step brought it nearer to the pictures; learn again with a "
            f"lower lr, say {phase.lr / 4:g}.",
            stacklevel=3,
        )


def check_gradient(loss: Float[Tensor, ""]) -> None:
    """Raise WordError if no gradient leads from the loss to the word."""
    if not loss.requires_grad:
        raise WordError(
            "The loss has no gradient, so nothing can be learned; call this "
            "outside of torch.no_grad() and torch.inference_mode()."
        )


def check_finite(loss: Float[Tensor, ""], lr: float) -> None:
    """Raise WordError, with the remedy, if the loss is no number."""
    if not torch.isfinite(loss):
        raise WordError(
            "The loss is no number any more; learn again with a lower lr, "
            f"say {lr / 4:g}."
        )
