"""Exercises: a stub stops nothing, and the solution is right."""

import re

import nbformat
import numpy as np
import pytest
import torch

from tutorial_lib.exercises.checking import Mistake, tells_mistakes
from tutorial_lib.notebooks import FOLDER


def list_exercises():
    """Return (lesson, stub, solution) of every exercise, as sources."""
    exercises = []
    for path in sorted(FOLDER.glob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        cells = {cell.id: cell.source for cell in notebook.cells}
        for name, stub in cells.items():
            if re.fullmatch(r"exercise-\d-stub", name):
                solution = cells[name.replace("stub", "solution")]
                code = re.search(r"```python\n(.*?)```", solution, re.S)[1]
                lesson = f"{path.stem[:2]}-{name[:10]}"
                exercises.append(pytest.param(stub, code, id=lesson))
    return exercises


@pytest.mark.parametrize(("stub", "solution"), list_exercises())
def test_a_stub_runs_and_says_that_it_is_still_to_do(stub, solution, capsys):
    exec(stub, {})
    assert capsys.readouterr().out.startswith("To do: ")


@pytest.mark.parametrize(("stub", "solution"), list_exercises())
def test_the_solution_is_right(stub, solution, capsys):
    space = {}
    exec(stub, space)
    capsys.readouterr()
    exec(solution, space)
    exec(stub.splitlines()[-1], space)
    assert re.fullmatch(r"Right\.( .+)?\n", capsys.readouterr().out)


@tells_mistakes
def check_double(answer):
    """Check a function that doubles a number."""
    if answer(2) != 4:
        raise Mistake(f"twice 2 is 4, and you have {answer(2)}.")


def unfinished(number):
    """Be an answer still to be written."""
    raise NotImplementedError


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda x: 2 * x, "Right."),
        (lambda x: x + 1, "Not yet: twice 2 is 4, and you have 3."),
        (lambda x: x / 0, "Not yet: your function raised ZeroDivisionError"),
        (unfinished, "To do: "),
    ],
)
def test_a_check_prints_one_line_and_never_raises(answer, said, capsys):
    check_double(answer)
    assert capsys.readouterr().out.startswith(said)


def test_a_comparison_with_the_library_stands_behind_right(capsys):
    tells_mistakes(lambda answer: f"It is {answer(2)}.")(lambda x: 2 * x)
    assert capsys.readouterr().out == "Right. It is 4.\n"


@pytest.mark.parametrize(
    "given",
    [
        torch.ones(2),
        np.ones(2),
        [1, 2],
        [{"hair": "red"}],
    ],
)
def test_what_is_given_to_an_answer_must_stay_as_it_is(given, capsys):
    def change(values):
        values[0] = 0
        return values

    tells_mistakes(lambda answer: answer(given))(change)
    assert "what you were given has changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            lambda vector: vector.requires_grad_(True),
            "now asks for a gradient",
        ),
        (lambda vector: None, "`return` missing"),
        (torch.ones(2), "the function itself"),
    ],
)
def test_what_is_wrong_in_any_exercise_is_named(answer, said, capsys):
    tells_mistakes(lambda answer: answer(torch.ones(2)))(answer)
    assert said in capsys.readouterr().out
