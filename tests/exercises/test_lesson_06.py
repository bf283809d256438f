"""Lesson 06: typical wrong answers get a message that names the mistake."""

import math

import pytest
import torch
from torch.nn import functional

from tutorial_lib.exercises import lesson_06 as lesson


def cosines(vector, references):
    """Return the cosines of a vector with each reference."""
    return functional.cosine_similarity(references, vector[None])


def count_from_zero(vector, references):
    """Be one too small."""
    scores = cosines(vector, references)
    return int((scores > scores[0]).sum())


def forget_lengths(vector, references):
    """Compare by the dot product."""
    scores = references @ vector
    return 1 + int((scores > scores[0]).sum())


def count_from_the_end(vector, references):
    """Count the less similar ones."""
    scores = cosines(vector, references)
    return 1 + int((scores < scores[0]).sum())


def count_itself(vector, references):
    """Count those that are as similar, too."""
    scores = cosines(vector, references)
    return 1 + int((scores >= scores[0]).sum())


def compare_distances(vector, references):
    """Compare by distance."""
    distances = (references - vector).norm(dim=1)
    return 1 + int((distances < distances[0]).sum())


def resample(hits, replacement=True, count=2000, size=None):
    """Return the sorted shares of samples drawn from hits."""
    values, num = torch.tensor(hits).double(), len(hits)
    if replacement:
        chosen = torch.randint(num, (count, size or num))
    else:
        chosen = torch.rand(count, num).argsort(1)
    return values[chosen].mean(1).sort().values


def take_all(hits):
    """Keep the outermost shares too."""
    return resample(hits)[0].item(), resample(hits)[-1].item()


def draw_without_replacement(hits):
    """Only change the order."""
    shares = resample(hits, replacement=False)
    return shares[50].item(), shares[-50].item()


def swap_ends(hits):
    """Give the upper end first."""
    shares = resample(hits)
    return shares[-50].item(), shares[50].item()


def pick(shares, low, high):
    """Return the shares at two parts of the way from 0 to 1."""
    ends = torch.tensor([low, high]).double()
    return tuple(torch.quantile(shares, ends).tolist())


def find_exactly(hits, part=0.025, turned=False):
    """Return the exact bounds where all are alike, else the bootstrap's."""
    if sum(hits) not in (0, len(hits)):
        return pick(resample(hits), 0.025, 0.975)
    bound = part ** (1 / len(hits))
    return (bound, 1) if hits[0] != turned else (0, 1 - bound)


def forget_none(hits):
    """Give the bounds of all hits where there is none."""
    return find_exactly(hits) if any(hits) else find_exactly([True] * 18)


def take_sums(hits):
    """Forget to divide."""
    return pick(resample(hits) * len(hits), 0.025, 0.975)


def take_percent_for_parts(hits):
    """Give `percentile` what `quantile` wants."""
    return pick(resample(hits), 0.00025, 0.00975)


def terms(hits, num, guess):
    """Return the chances of exactly `hits`, one more ... `num` hits."""
    return [
        math.comb(num, k) * guess**k * (1 - guess) ** (num - k)
        for k in range(hits, num + 1)
    ]


def single_ways(hits, num, guess):
    """Forget in how many ways so many hits can come about."""
    return [guess**k * (1 - guess) ** (num - k) for k in range(hits, num + 1)]


WRONG = [
    (lesson.check_find_place, count_from_zero, "begin at 1"),
    (lesson.check_find_place, forget_lengths, "by cosine"),
    (lesson.check_find_place, count_from_the_end, "less similar"),
    (lesson.check_find_place, count_itself, "counts itself"),
    (lesson.check_find_place, compare_distances, "by distance"),
    (lesson.check_find_interval, take_all, "too wide"),
    (
        lesson.check_find_interval,
        lambda h: pick(resample(h), 0.005, 0.995),
        "too wide",
    ),
    (
        lesson.check_find_interval,
        lambda h: pick(resample(h, size=len(h) // 2), 0.025, 0.975),
        "too wide",
    ),
    (
        lesson.check_find_interval,
        lambda h: pick(resample(h), 0.05, 0.95),
        "holds 90 %",
    ),
    (
        lesson.check_find_interval,
        lambda h: pick(resample(h), 0.25, 0.75),
        "too narrow",
    ),
    (
        lesson.check_find_interval,
        lambda h: pick(resample(h, size=2000), 0.025, 0.975),
        "too narrow",
    ),
    (lesson.check_find_interval, take_sums, "not the sum"),
    (lesson.check_find_interval, take_percent_for_parts, "wants 2.5"),
    (
        lesson.check_find_interval,
        lambda h: list(find_exactly(h)),
        "Right.",
    ),
    (
        lesson.check_find_interval,
        lambda h: torch.tensor(find_exactly(h)),
        "Right.",
    ),
    (
        lesson.check_find_interval,
        lambda h: pick(resample(h), 0.025, 0.975),
        "for 18 hits of 18 every draw is the same",
    ),
    (
        lesson.check_find_interval,
        lambda h: find_exactly(h, part=0.05),
        "2.5 % on each",
    ),
    (
        lesson.check_find_interval,
        lambda h: find_exactly(h, turned=True),
        "for 18 hits of 18 the share is 1",
    ),
    (lesson.check_find_interval, forget_none, "hits of 18 the share is 0"),
    (lesson.check_find_interval, draw_without_replacement, "no width"),
    (lesson.check_find_interval, swap_ends, "comes first"),
    (lesson.check_find_interval, lambda hits: 0.5, "two numbers"),
    (lesson.check_find_luck, lambda *a: terms(*a)[0], "exactly"),
    (lesson.check_find_luck, lambda *a: sum(terms(*a)[1:]), "one later"),
    (lesson.check_find_luck, lambda h, n, g: g**h, "math.comb"),
    (lesson.check_find_luck, lambda *a: single_ways(*a)[0], "math.comb"),
    (lesson.check_find_luck, lambda *a: sum(single_ways(*a)), "math.comb"),
    (lesson.check_find_luck, lambda *a: sum(terms(*a)[:-1]), "`range` ends"),
    (
        lesson.check_find_luck,
        lambda *a: 1 - sum(terms(*a)[1:]),
        "of 2 at most",
    ),
    (lesson.check_find_luck, lambda *a: 1 - sum(terms(*a)), "fewer than 2"),
    (lesson.check_find_luck, lambda h, n, g: h / n, "share of hits"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
