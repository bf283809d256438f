"""Checks of the exercises of lesson 00: a seed's noise, pairs, X itself."""

import random
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    tells_mistakes,
)
from tutorial_lib.exercises.tiny_models import load_tiny_models
from tutorial_lib.generation import make_noise
from tutorial_lib.words import LearnedWord, find_words

# Of the noise that a picture of the tiny models starts from.
SHAPE = (4, 16, 16)
Noise = Float[Tensor, "count 4 16 16"]

# Prompts, each with what is forgotten where it is read wrongly. The first has
# an X, so that an answer that is no True or False is seen at once.
PROMPTS = (
    ("A photo of X", "there X stands on its own."),
    ("A photo of a corgi", "there is no X at all."),
    ("X wearing a hat", "X may stand at the beginning."),
    ("An Xmas card", "there X is a part of another word."),
    ("A box of VEX parts", "there X is a part of another word."),
    ("A mug, X, and a corgi", "a comma may stand beside X."),
    ("A corgi (with X)", "a bracket may stand beside X."),
    ("X's T-shirt", "an apostrophe may stand beside X."),
    ("A photo of x", "the small letter is not the learned word."),
    ("An X-ray of a corgi", "a hyphen ties X to another word."),
)


@tells_mistakes
def check_sample_noise(
    sample_noise: Callable[[int, int], Noise],
) -> str | None:
    """Check a function that makes the noise of a seed.

    `sample_noise(seed, count)` is to return noise for `count` pictures, the
    same whenever it is called. At last it is compared with the library's.
    Taught in notebooks/00_start_here.ipynb.
    """
    seed = random.randrange(1, 1000)
    with torch.random.fork_rng(devices=[]):
        state = torch.get_rng_state()
        first = expect_tensor(sample_noise(seed, 6), (6, *SHAPE))
        if not torch.equal(first, sample_noise(seed, 6)):
            raise Mistake(
                "two calls with the same seed differ; draw from a generator "
                "that begins with the seed."
            )
        compare_seeds(first, sample_noise(seed + 1, 6))
        compare_counts(first, sample_noise(seed, 24))
        undisturbed = torch.equal(torch.get_rng_state(), state)
    if not undisturbed:
        raise Mistake(
            "you set the seed of all that torch draws, for everyone; make a "
            "generator of your own, `torch.Generator()`."
        )
    library = make_noise(load_tiny_models(), 0, [0])
    if not torch.equal(sample_noise(0, 1), library):
        return None  # from another generator, and as good
    return (
        "At seed 0 your first noise is, number for number, the one from which "
        "the tiny models draw their first picture."
    )


def compare_seeds(noise: Noise, following: Noise) -> None:
    """Raise Mistake if pictures share noise, within or across two seeds."""
    if torch.equal(noise[0], noise[1]):
        raise Mistake(
            "every picture has the same noise, so six would be one; begin "
            "with the seed once, not anew for each picture."
        )
    if torch.equal(noise, following):
        raise Mistake("another seed gives the same noise; use `seed`.")
    if torch.equal(noise[1], following[0]):
        raise Mistake(
            "the second picture of a seed has the noise of the next seed's "
            "first, so the two seeds share most pictures; draw all pictures "
            "from one generator."
        )


def compare_counts(noise: Noise, longer: Noise) -> None:
    """Raise Mistake unless 24 begin like six, and look like normal noise."""
    longer = expect_tensor(longer, (24, *SHAPE))
    if not torch.equal(longer[: len(noise)], noise):
        raise Mistake(
            "the first six of 24 are not those that you make when six are "
            "asked for; let `count` be the first axis."
        )
    mean, std = longer.double().mean().item(), longer.double().std().item()
    if longer.min() >= 0:
        raise Mistake(
            "none of your numbers is below 0, as with `torch.rand`; "
            "`torch.randn` draws those with mean 0 and standard deviation 1."
        )
    if abs(mean) > 0.05 or abs(std - 1) > 0.05:
        raise Mistake(
            f"mean and standard deviation should be 0 and 1, and yours are "
            f"{mean:.2f} and {std:.2f}."
        )


@tells_mistakes
def check_count_better(
    count_better: Callable[[list[int], list[int]], int],
) -> None:
    """Check a function that compares two prompts picture by picture.

    `count_better(places, others)` is to return on how many pictures the truth
    comes in a better place than on the other picture from the same noise.
    Taught in notebooks/00_start_here.ipynb.
    """
    rounds = [make_places() for _ in range(12)]
    counts = [
        read_count(count_better(list(places), list(others)))
        for places, others in rounds
    ]
    truth = [count_pairs(places, others) for places, others in rounds]
    if counts == truth:
        return
    for rule, sentence in WRONG_COUNTS:
        if counts == [rule(places, others) for places, others in rounds]:
            raise Mistake(sentence)
    (places, others), right, yours = next(
        row
        for row in zip(rounds, truth, counts, strict=True)
        if row[1] != row[2]
    )
    raise Mistake(
        f"for {places[:4]}... beside {others[:4]}... it is {right}, and you "
        f"say {yours:g}."
    )


def make_places() -> tuple[list[int], list[int]]:
    """Make the places on 20 pictures, twice: the first better on most."""
    places = [random.randint(1, 6) for _ in range(20)]
    others = [random.randint(1, 9) for _ in range(20)]
    return places, others


def read_count(value: object) -> float:
    """Return an answer as a number, or raise Mistake if it is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise Mistake(
            f"a number of pictures is wanted, and your function returns "
            f"{kind}."
        ) from None


def count_pairs(places: list[int], others: list[int]) -> int:
    """Count the pairs of which the first is smaller."""
    return sum(a < b for a, b in zip(places, others, strict=True))


WRONG_COUNTS: list[tuple[Callable[[list[int], list[int]], float], str]] = [
    (
        lambda places, others: count_pairs(others, places),
        "you count the larger places; the best place is 1.",
    ),
    (
        lambda places, others: len(places) - count_pairs(others, places),
        "you count the draws as well; the same place is no better one.",
    ),
    (
        lambda places, others: count_pairs(sorted(places), sorted(others)),
        "you sorted the places, so that pictures from different noises stand "
        "side by side; leave them in their order.",
    ),
    (
        lambda places, others: sum(a < b for a in places for b in others),
        "you compare each picture with all others; only the two from the "
        "same noise belong together: `zip`.",
    ),
    (
        lambda places, others: count_pairs(places, others) / len(places),
        "that is the share of the pictures; how many is asked for.",
    ),
    (
        lambda places, others: sum(
            b - a for a, b in zip(places, others, strict=True)
        ),
        "you add up the differences, and one large one outweighs many small; "
        "count the pictures.",
    ),
]


@tells_mistakes
def check_has_x(has_x: Callable[[str], bool]) -> str:
    """Check a function that says whether X stands in a prompt as a word.

    It is compared with the library's `find_words`. Taught in
    notebooks/00_start_here.ipynb.
    """
    x = LearnedWord(word="X", vectors=torch.zeros(1, 1))
    for prompt, sentence in PROMPTS:
        answer = has_x(prompt)
        if not isinstance(answer, bool):
            kind = type(answer).__name__
            raise Mistake(
                f"True or False is wanted, and your function returns {kind}; "
                "`bool(...)` makes one of it."
            )
        if answer != bool(find_words(prompt, [x])):
            raise Mistake(f'you say {answer} to "{prompt}"; {sentence}')
    return f"On {len(PROMPTS)} prompts you agree with the library."
