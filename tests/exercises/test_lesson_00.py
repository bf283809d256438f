"""Lesson 00: typical wrong answers get a message that names the mistake."""

import random
import re
from statistics import median

import numpy as np
import pytest
import torch

from tutorial_lib.exercises import lesson_00 as lesson
from tutorial_lib.words import LearnedWord, find_words

SIZE = (4, 16, 16)


def generator(seed):
    """Return a generator of torch that begins with a seed."""
    return torch.Generator().manual_seed(seed)


def sample(seed, count):
    """Make noise as the solution does."""
    return torch.randn(count, *SIZE, generator=generator(seed))


def sample_by_numpy(seed, count):
    """Make noise from another generator, and in double precision."""
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.standard_normal((count, *SIZE)))


def seed_all(seed, count):
    """Set the seed of everyone."""
    torch.manual_seed(seed)
    return torch.randn(count, *SIZE)


def begin_anew(seed, count):
    """Give each picture the same noise."""
    return sample(seed, 1).repeat(count, 1, 1, 1)


def count_up(seed, count):
    """Share the noise with the next seeds."""
    return torch.cat([sample(seed + i, 1) for i in range(count)])


def sample_uniformly(seed, count):
    """Draw from 0 to 1."""
    return torch.rand(count, *SIZE, generator=generator(seed))


def count_last(seed, count):
    """Draw the pictures side by side."""
    noise = torch.randn(*SIZE, count, generator=generator(seed))
    return noise.permute(3, 0, 1, 2)


NOISE, PAIRS, HAS_X = (
    lesson.check_sample_noise,
    lesson.check_count_better,
    lesson.check_has_x,
)


def count(wins):
    """Return an answer that counts the pairs that win."""
    return lambda a, b: sum(wins(x, y) for x, y in zip(a, b, strict=True))


def sort_first(places, others):
    """Tear the pairs apart."""
    return count(int.__lt__)(sorted(places), sorted(others))


def sort_in_place(places, others):
    """Change the lists that were given."""
    places.sort()
    return count(int.__lt__)(places, others)


def compare_with_all(places, others):
    """Compare pictures from different noises, too."""
    return sum(a < b for a in places for b in others)


def compare_with_median(places, others):
    """Compare with the middle of the others."""
    return sum(a < median(others) for a in places)


def search(pattern):
    """Return an answer that searches for a pattern."""
    return lambda prompt: re.search(pattern, prompt) is not None


WRONG = [
    (NOISE, sample, "Right. At seed 0 your first noise is, number for number"),
    (NOISE, sample_by_numpy, "Right.\n"),
    (NOISE, lambda s, n: torch.randn(n, *SIZE), "two calls with the same"),
    (NOISE, seed_all, "for everyone"),
    (NOISE, begin_anew, "every picture has the same noise"),
    (NOISE, lambda s, n: sample(0, n), "another seed gives the same"),
    (NOISE, count_up, "the next seed's first"),
    (NOISE, sample_uniformly, "`torch.randn`"),
    (NOISE, lambda s, n: 2 * sample(s, n), "and yours are"),
    (NOISE, lambda s, n: sample(s, n) - 1, "and yours are"),
    (NOISE, count_last, "first six of 24"),
    (NOISE, lambda s, n: sample(s, 1), "should have shape (6, 4, 16, 16)"),
    (NOISE, lambda s, n: sample(s, n).numpy(), "a tensor is wanted"),
    (PAIRS, count(int.__lt__), "Right.\n"),
    (PAIRS, count(int.__gt__), "the best place is 1"),
    (PAIRS, count(int.__le__), "the draws as well"),
    (PAIRS, sort_first, "different noises"),
    (PAIRS, compare_with_all, "with all others"),
    (PAIRS, lambda a, b: count(int.__lt__)(a, b) / len(a), "the share"),
    (PAIRS, lambda a, b: sum(b) - sum(a), "outweighs many small"),
    (PAIRS, lambda a, b: [x < 3 for x in a], "returns list"),
    (PAIRS, compare_with_median, "and you say"),
    (PAIRS, sort_in_place, "has changed"),
    (HAS_X, search(r"(?<![\w-])X(?![\w-])"), "Right. On 10 prompts you"),
    (HAS_X, lambda prompt: "X" in prompt, '"An Xmas card"; there X is a part'),
    (HAS_X, search(r"(?<!\w)X"), '"An Xmas card"; there X is a part'),
    (HAS_X, search(r"X(?!\w)"), '"A box of VEX parts"; there X is a part'),
    (HAS_X, lambda prompt: "X" in prompt.split(), "a comma may stand"),
    (HAS_X, lambda prompt: " X" in prompt, "may stand at the beginning"),
    (HAS_X, search(r"(?i)\bx\b"), "the small letter"),
    (HAS_X, search(r"\bX\b"), "a hyphen ties X"),
    (HAS_X, lambda prompt: re.search("X", prompt), "returns Match"),
    (HAS_X, lambda prompt: False, "stands on its own"),
    (HAS_X, lambda prompt: True, "there is no X at all"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for seed in range(5):
        random.seed(seed)
        check(answer)
        assert said in capsys.readouterr().out


def test_a_check_leaves_the_numbers_that_others_draw_as_they_were(capsys):
    for answer in (sample, seed_all):
        state = torch.get_rng_state()
        NOISE(answer)
        assert torch.equal(torch.get_rng_state(), state)


def test_the_prompts_hold_x_where_the_library_finds_it():
    x = LearnedWord(word="X", vectors=torch.zeros(1, 1))
    held = [bool(find_words(prompt, [x])) for prompt, _ in lesson.PROMPTS]
    assert held == [True, False, True, False, False, True, True, True] + [
        False,
        False,
    ]
