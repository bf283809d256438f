"""How long the vectors of a word may get: too long a one drowns the prompt."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.models import Models
from tutorial_lib.words import list_embedding_tables


def measure_usual_norms(models: Models) -> list[float]:
    """Return the median norm of the vocabulary in each text encoder."""
    return [
        table.float().norm(dim=1).median().item()
        for table in list_embedding_tables(models)
    ]


@torch.no_grad()
def limit_norms(
    tensors: Sequence[Float[Tensor, "num_vectors _"]],
    max_norms: Sequence[float],
) -> None:
    """Shorten the vectors that are longer than their text encoder's limit."""
    for vectors, max_norm in zip(tensors, max_norms, strict=True):
        norms = vectors.norm(dim=1, keepdim=True)
        vectors.mul_((max_norm / norms).clamp(max=1))
