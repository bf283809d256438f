"""Checks of the exercises of lesson 12: LoRA's layer and size, a step back."""

import random
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    name_mistake,
    tells_mistakes,
)

Latents = Float[Tensor, "batch channels height width"]
Matrix = Float[Tensor, "rows columns"]
# With any three of them each mistake gives a number of its own.
SHAPES = [(70, 110), (130, 90), (50, 170), (190, 230), (80, 290)]


@tells_mistakes
def check_apply_lora(
    apply_lora: Callable[[Matrix, Matrix, Matrix, Matrix, float], Matrix],
) -> None:
    """Check a function that is a linear layer with a LoRA beside it.

    Taught in notebooks/12_the_map.ipynb.
    """
    rank, alpha = 3, random.choice([1.5, 6.0, 12.0])
    inputs = torch.randn(5, 7, dtype=torch.float64)
    weight = torch.randn(4, 7, dtype=torch.float64)
    down = torch.randn(rank, 7, dtype=torch.float64)
    up = torch.randn(4, rank, dtype=torch.float64)
    frozen = inputs @ weight.T
    change = inputs @ down.T @ up.T
    outputs = apply_lora(inputs, weight, down, up, alpha)
    expect_tensor(outputs, (5, 4))
    if torch.allclose(outputs, frozen + alpha / rank * change):
        return
    mistakes = [
        (frozen, "that is the frozen layer alone; the LoRA is missing."),
        (
            alpha / rank * change,
            "that is the LoRA alone; it stands beside the frozen layer.",
        ),
        (
            frozen + change,
            "the factor alpha / rank is missing.",
        ),
        (
            frozen + alpha * change,
            "alpha is to be divided by the rank, the number of rows of "
            "`down`.",
        ),
        (
            frozen + rank / alpha * change,
            "the factor is alpha / rank, and you turned it over.",
        ),
        (
            alpha / rank * (frozen + change),
            "the factor belongs to the LoRA alone.",
        ),
    ]
    name_mistake(outputs, mistakes)
    raise Mistake("the outputs are not right.")


@tells_mistakes
def check_count_lora(
    count_lora: Callable[[list[tuple[int, int]], int], int],
) -> None:
    """Check a function that counts the numbers of a LoRA.

    Taught in notebooks/12_the_map.ipynb.
    """
    shapes = random.sample(SHAPES, 3)
    rank = random.choice([3, 4, 6])
    count = count_lora(shapes, rank)
    truth = sum(rank * (rows + columns) for rows, columns in shapes)
    if count == truth:
        return
    mistakes = [
        (
            sum(rows * columns for rows, columns in shapes),
            "those are the frozen matrices; count the two thin ones.",
        ),
        (
            sum(rank * rows * columns for rows, columns in shapes),
            "a thin matrix is rank times one side, not times both.",
        ),
        (
            sum(rank * rows for rows, _ in shapes),
            "there are two thin matrices beside each; you count `up` alone.",
        ),
        (
            sum(rank * columns for _, columns in shapes),
            "there are two thin matrices beside each; you count `down` alone.",
        ),
        (
            sum(rows + columns for rows, columns in shapes),
            "the rank is missing.",
        ),
        (
            rank * sum(shapes[0]),
            "you count the first matrix alone.",
        ),
        (4 * truth, "those are the bytes of float32; count the numbers."),
    ]
    name_mistake(float(count), mistakes)
    raise Mistake(f"there are {truth} numbers here, and you say {count}.")


@tells_mistakes
def check_step_back(
    step_back: Callable[[Latents, Latents, float, float], Latents],
) -> None:
    """Check a function that takes one step of DDIM towards the noise.

    Taught in notebooks/12_the_map.ipynb.
    """
    shape, now, later = (2, 4, 3, 5), 0.81, random.choice([0.3, 0.45])
    latents, noise = torch.randn(2, *shape, dtype=torch.float64)
    x0 = (latents - (1 - now) ** 0.5 * noise) / now**0.5

    def mix(image: Tensor, alpha: float, share: float) -> Tensor:
        """Mix an image with so much of the noise."""
        return alpha**0.5 * image + share * noise

    result = expect_tensor(step_back(latents, noise, now, later), shape)
    if torch.allclose(result, mix(x0, later, (1 - later) ** 0.5)):
        return
    back = (latents - (1 - later) ** 0.5 * noise) / later**0.5
    squared = (latents - (1 - now) * noise) / now
    mistakes = [
        (x0, "that is the image without noise; mix the new amount in."),
        (
            mix(back, now, (1 - now) ** 0.5),
            "you go towards the image: take the noise of `alpha_now` out, "
            "and mix in that of `alpha_next`.",
        ),
        (
            mix(latents, later, (1 - later) ** 0.5),
            "take out the noise that is in the latents first.",
        ),
        (
            mix(x0, later, (1 - now) ** 0.5),
            "the noise mixed in is that of `alpha_next` as well.",
        ),
        (mix(x0, later, 0), "the noise is missing."),
        (
            later * squared + (1 - later) * noise,
            "the square roots are missing: alpha is a share of the variance.",
        ),
    ]
    name_mistake(result, mistakes)
    raise Mistake("the latents are not right.")
