"""Shares, differences of shares, and their intervals."""

import numpy as np
import pytest

from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation.statistics import (
    bootstrap_interval,
    estimate_share,
    format_cosine,
    format_share,
    paired_interval,
    ratio_interval,
)


def test_an_interval_holds_the_share_and_shrinks_with_more_images():
    few = bootstrap_interval([True, False] * 6)
    many = bootstrap_interval([True, False] * 200)
    assert few[0] < many[0] < 0.5 < many[1] < few[1]
    assert many == bootstrap_interval([True, False] * 200)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(200):
        hits = rng.random(40) < 0.6
        low, high = bootstrap_interval(hits, rounds=400)
        covered.append(low <= 0.6 <= high)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_images_of_one_concept_do_not_count_as_independent():
    hits = ([True] * 10 + [False] * 10) * 3
    clusters = [i // 10 for i in range(60)]
    alone = bootstrap_interval(hits)
    together = bootstrap_interval(hits, clusters=clusters)
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


def test_a_perfect_row_is_still_not_taken_for_certain():
    low, high = bootstrap_interval([True] * 24)
    assert 0.8 < low < 0.9 and high == 1
    low, high = bootstrap_interval([False] * 24)
    assert low == 0 and 0.1 < high < 0.2


def test_a_paired_difference_sees_what_two_shares_alone_hide():
    clusters = np.repeat(np.arange(10), 8)
    turn, easy = np.tile(np.arange(8), 10), clusters % 5
    x, other = turn < easy + 1 + clusters % 2, turn < easy
    low, high = paired_interval(x, other, clusters=clusters)
    value = np.mean(x) - np.mean(other)
    assert 0 < low < value < high
    alone = bootstrap_interval(x, clusters=clusters)
    under = bootstrap_interval(other, clusters=clusters)
    assert alone[0] < under[1] and high - low < alone[1] - alone[0]


def test_ten_concepts_alike_are_still_not_taken_for_certain():
    clusters = [i for i in range(10) for _ in range(4)]
    hits, misses = [True] * 40, [False] * 40
    low, high = paired_interval(hits, misses, clusters=clusters)
    assert 0.6 < low < 0.8 and high == 1
    low, high = paired_interval(misses, misses, clusters=clusters)
    assert -0.4 < low < -0.2 and high == -low


def test_rows_of_different_length_cannot_be_paired():
    with pytest.raises(TutorialError, match="cannot be paired"):
        paired_interval([True], [True, False])


def test_no_images_give_no_interval():
    with pytest.raises(TutorialError, match="no pictures"):
        bootstrap_interval([])


def test_a_share_is_written_in_whole_percent_with_its_interval():
    share = estimate_share([True, False] * 6)
    assert share["low"] < share["value"] == 0.5 < share["high"]
    share = {"value": 5 / 6, "low": 2 / 3, "high": 0.961}
    assert format_share(share) == "83 % (67 to 96)"


def test_a_ratio_sees_what_makes_a_concept_hard_for_both():
    clusters = np.repeat(np.arange(12), 10)
    turn, easy = np.tile(np.arange(10), 12), 2 + clusters % 8
    other = turn < easy
    x = other & (turn % 5 != 0)
    low, high = ratio_interval(x, other, clusters)
    assert low < x.mean() / other.mean() < high
    loose = [bound / other.mean() for bound in bootstrap_interval(x, clusters)]
    assert high - low < 0.7 * (loose[1] - loose[0])


def test_a_ratio_that_is_always_one_is_still_not_taken_for_certain():
    low, high = ratio_interval([True] * 24, [True] * 24)
    assert low == pytest.approx(1 / high) and 0.8 < low < 0.9
    low, high = ratio_interval([False] * 24, [True] * 24)
    assert low == 0 and 0.1 < high < 0.2


def test_a_ratio_needs_pairs_and_a_share_to_divide_by():
    with pytest.raises(TutorialError, match="cannot be paired"):
        ratio_interval([True], [True, False])
    with pytest.raises(TutorialError, match="share of 0"):
        ratio_interval([True], [False])


def test_means_that_are_no_shares_have_no_bound_of_shares():
    assert set(estimate_share([3.5, 3.5]).values()) == {3.5}


def test_the_worst_cosine_stands_where_it_is_lower():
    share = {"value": 0.971, "low": 0.96, "high": 0.98, "worst": 0.914}
    assert format_cosine(share) == "0.97 (0.96 to 0.98), worst 0.91"
    assert format_cosine(share | {"worst": 0.97}) == "0.97 (0.96 to 0.98)"
