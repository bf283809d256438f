"""Arguments: what is plainly meant is taken, all else is named."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from tutorial_lib.arguments import (
    MAX_SEED,
    read_choice,
    read_functions,
    read_number,
    read_path,
    read_seed,
    read_seeds,
    read_texts,
    read_whole_number,
)
from tutorial_lib.errors import ArgumentError

NO_WHOLE_NUMBERS = [
    None,
    True,
    "2",
    b"2",
    1.5,
    float("nan"),
    float("inf"),
    [2],
    {},
    2 + 0j,
    -1,
    10**5000,
    np.array([1, 2]),
    torch.zeros(2),
    object(),
]


@pytest.mark.parametrize(
    "value",
    [7, 7.0, np.int64(7), np.uint8(7), np.float32(7), np.array(7),
     torch.tensor(7), torch.tensor([7])],
    ids=repr,
)  # fmt: skip
def test_whole_numbers_of_any_library_are_taken(value):
    number = read_whole_number(value, "count", 1, 10)
    assert number == 7 and type(number) is int


@pytest.mark.parametrize("value", NO_WHOLE_NUMBERS, ids=type)
def test_what_is_no_whole_number_is_refused_by_name(value):
    with pytest.raises(ArgumentError, match="`count` cannot be .*; give a wh"):
        read_whole_number(value, "count", 0, 1000)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "7", None, -1, 0, True, [], "nan"]
)
def test_what_is_no_number_above_zero_is_refused_by_name(value):
    with pytest.raises(ArgumentError, match="`lr` cannot be .* above 0"):
        read_number(value, "lr", above=True)


def test_a_number_keeps_its_value():
    assert read_number(np.float64(0.1), "lr") == 0.1
    assert read_number(3, "scale", most=3) == 3
    with pytest.raises(ArgumentError, match="from 0 on, at most 3"):
        read_number(3.5, "scale", most=3)


def test_a_seed_is_from_0_to_what_torch_and_numpy_take():
    assert read_seed(np.int32(0)) == 0 and read_seed(MAX_SEED) == 2**32 - 1
    for value in (-1, 2**32, 0.5):
        with pytest.raises(ArgumentError, match="from 0 to 4294967295"):
            read_seed(value)
    assert read_seeds(3) == [3]
    assert read_seeds(np.arange(3)) == [0, 1, 2]
    for value in ([], "1-3", [1, None], None, {1: 2}, np.array(0.5)):
        with pytest.raises(ArgumentError, match="`seeds"):
            read_seeds(value)


def test_one_text_or_several_are_a_list():
    assert read_texts("a", "prompts", "b") == ["a"]
    assert read_texts(("a", ""), "prompts", "b") == ["a", ""]
    assert read_texts(np.array(["a", "b"]), "prompts", "b") == ["a", "b"]
    for value in (None, [], b"a", ["a", None], {"a": 1}, 7, "\ud800"):
        with pytest.raises(ArgumentError, match="`prompts.*give"):
            read_texts(value, "prompts", "b")


def test_a_path_may_begin_at_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_path("~/a.ckpt") == tmp_path / "a.ckpt"
    assert read_path(Path("~")) == tmp_path
    for value in (None, "", " ", b"a", 3, "a\0b", "~nobody-of-that-name/a"):
        with pytest.raises(ArgumentError, match="`checkpoint` cannot be"):
            read_path(value, "checkpoint")
    assert not os.path.exists("~")


def test_functions_and_choices_are_named():
    assert read_functions(None, "callbacks") == []
    assert read_functions(print, "callbacks") == [print]
    assert read_functions((print, len), "callbacks") == [print, len]
    for value in (3, "print", [print, 3], {"a": print}):
        with pytest.raises(ArgumentError, match=r"callbacks=\[print\]"):
            read_functions(value, "callbacks")
    assert read_choice("a", "kind", ["a", "b"]) == "a"
    for value in (None, "c", ["a"], {}):
        with pytest.raises(ArgumentError, match='`kind`.* say one of "a", '):
            read_choice(value, "kind", ["a", "b"])
