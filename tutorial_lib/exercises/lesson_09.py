"""Checks of the exercises of lesson 09: the dial, length, and the maps."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tutorial_lib.exercises.checking import (
    Mistake,
    Mistakes,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)

Vectors = Float[Tensor, "num width"]


@tells_mistakes
def check_go_part_way(
    go_part_way: Callable[[Vectors, Vectors, float], Vectors],
) -> None:
    """Check a function that goes a share of the way to X.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    start, learned = torch.randn(2, 2, 8, dtype=torch.float64)
    for share in (0.3, 0.0, 1.0, 2.0):
        truth = start + share * (learned - start)
        vectors = expect_tensor(go_part_way(start, learned, share), (2, 8))
        if is_close(vectors, truth):
            continue
        name_mistake(vectors, list_way_mistakes(start, learned, share))
        if share > 1 and is_close(vectors, learned):
            raise Mistake("a share above 1 goes beyond X; do not stop there.")
        raise Mistake(f"the vector at share {share} is not right.")


def list_way_mistakes(
    start: Vectors, learned: Vectors, share: float
) -> Mistakes:
    """List wrong points of the way with the mistakes behind them."""
    return [
        (
            learned + share * (start - learned),
            "you go from X to the start; go the other way.",
        ),
        (
            start + share * learned,
            "you add X itself; the way from start to X is their difference.",
        ),
        (
            start + share * (start - learned),
            "the difference is turned round: it is `learned` minus `start`.",
        ),
        (
            share * (learned - start),
            "that is the way alone; add it to the start.",
        ),
    ]


@tells_mistakes
def check_normalize_layer(
    normalize_layer: Callable[[Vectors], Vectors],
) -> None:
    """Check a function that does what layer normalisation does.

    Taught in notebooks/09_anime_illustration.ipynb.
    """
    vectors = 5 + 3 * torch.randn(4, 12, dtype=torch.float64)
    centred = vectors - vectors.mean(1, keepdim=True)
    truth = centred / centred.square().mean(1, keepdim=True).sqrt()
    normalized = expect_tensor(normalize_layer(vectors), (4, 12))
    if is_close(normalized, truth):
        return
    over = vectors - vectors.mean(0)
    mistakes = [
        (centred, "the mean is gone; now divide by the std."),
        (
            centred / vectors.std(1, keepdim=True),
            "`std` divides by n - 1 unless told `correction=0`; here it is n.",
        ),
        (
            vectors / vectors.std(1, keepdim=True, correction=0),
            "subtract the mean first.",
        ),
        (
            over / over.square().mean(0).sqrt(),
            "each vector by itself: over the last axis, dim 1.",
        ),
    ]
    name_mistake(normalized, mistakes)
    row = normalized[0]
    raise Mistake(
        f"a row should have mean 0 and std 1; yours has {row.mean():.2f} and "
        f"{row.std(correction=0):.2f}."
    )


@tells_mistakes
def check_assign_cells(
    assign_cells: Callable[
        [Float[Tensor, "words height width"]], Int[Tensor, "height width"]
    ],
) -> None:
    """Check a function that gives each cell of attention maps to a word.

    `assign_cells(maps)` is to return for each cell the number of the word
    whose map, divided by its own mean, is highest there. Taught in
    notebooks/09_anime_illustration.ipynb.
    """
    for num_words, height, width in ((2, 6, 8), (3, 8, 8)):
        maps = make_maps(num_words, height, width)
        cells = expect_tensor(assign_cells(maps), (height, width))
        means = maps.mean(dim=(1, 2), keepdim=True)
        if is_close(cells, (maps / means).argmax(0)):
            continue
        name_mistake(cells, list_cell_mistakes(maps))
        raise Mistake("some cells are given to the wrong word.")


def make_maps(
    num_words: int, height: int, width: int
) -> Float[Tensor, "words height width"]:
    """Make attention maps; the last word gets most, by far."""
    maps = 0.5 + torch.rand(num_words, height, width, dtype=torch.float64)
    maps[:, 0, 0], maps[0, 0, 0] = 1.5, 2.4  # the first has a bright cell
    maps[-1] *= 4
    return maps / 100


def list_cell_mistakes(
    maps: Float[Tensor, "words height width"],
) -> Mistakes:
    """List wrong answers with the mistakes behind them."""
    means = maps.mean(dim=(1, 2), keepdim=True)
    peaks = maps.amax(dim=(1, 2), keepdim=True)
    return [
        (
            maps.argmax(0),
            "the word that gets most attention in all wins everywhere; divide "
            "each map by its own mean first.",
        ),
        (
            (maps / peaks).argmax(0),
            "you divide by each map's highest cell, so one bright cell "
            "darkens all others; divide by the mean.",
        ),
        (
            (maps / means).argmin(0),
            "those are the words that a cell takes in least: `argmax`.",
        ),
        (
            (maps - means).argmax(0),
            "you subtract the mean; a word with four times the attention "
            "also varies four times as much. Divide.",
        ),
    ]
