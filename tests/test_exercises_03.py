"""Lesson 03: typical wrong answers get a message that names the mistake."""

import pytest
import torch
from torch.nn import functional

from tutorial_lib.exercises import learn_by_similarity as lesson
from tutorial_lib.learning import no_longer_improves


def climb(vector, pictures, lr, sign=1.0, total=torch.mean, keep=False):
    """Take a step, right or wrong."""
    leaf = vector.clone().requires_grad_(True)
    total(functional.normalize(leaf, dim=0) @ pictures.T).backward()
    return vector + sign * lr * leaf.grad + (0 * leaf if keep else 0)


def climb_in_place(vector, pictures, lr):
    """Change what was given."""
    vector += climb(vector, pictures, lr) - vector
    return vector


def limit_rows(vectors, limit):
    """Give every row the same length."""
    return limit * functional.normalize(vectors, dim=1)


def limit_all(vectors, limit):
    """Take one norm for all."""
    return vectors * min(1.0, limit / vectors.norm())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda p: functional.normalize(p.mean(0), dim=0), "Right."),
        (lambda p: p.mean(0), "has length one, and yours"),
        (lambda p: functional.normalize(p.mean(1), dim=0), "(dim 0)"),
        (lambda p: p[(p @ p.mean(0)).argmax()], "one of the pictures"),
        (lambda p: functional.normalize(-p.mean(0), dim=0), "is possible"),
        (lambda p: None, "is `return` missing?"),
    ],
)
def test_the_best_vector(answer, said, capsys):
    lesson.check_find_best_vector(answer)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (climb, "Right."),
        (lambda v, p, lr: climb(v, p, lr, sign=-1), "the similarity falls"),
        (lambda v, p, lr: v + lr * p.mean(0), "divide the vector"),
        (lambda v, p, lr: climb(v, p, 1), "not multiplied by `lr`"),
        (lambda v, p, lr: climb(v, p, lr, total=torch.sum), "not the sum"),
        (lambda v, p, lr: climb(v, p, lr, keep=True), "`detach()` it"),
        (climb_in_place, "copy it first"),
        (lambda v, p, lr: v, "should change by"),
    ],
)
def test_a_step_uphill(answer, said, capsys):
    lesson.check_step_uphill(answer)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda v, m: torch.renorm(v, 2, 0, m), "Right."),
        (limit_rows, "let a vector be"),
        (limit_all, "each row has its own"),
        (lambda v, m: v.clamp(-m, m), "its direction stays"),
        (lambda v, m: v, "should come out with norm"),
    ],
)
def test_vectors_that_are_too_long(answer, said, capsys):
    lesson.check_shorten_vectors(answer)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda s: no_longer_improves([1 - each for each in s]), "Right."),
        (lambda s: len(s) <= 4 or lesson.is_flat(s), "too early to say"),
        (lambda s: len(s) > 4 and lesson.is_flat(s, share=False), "all prog"),
        (lambda s: len(s) > 4 and lesson.is_flat(s, last=True), "have dipped"),
        (lambda s: no_longer_improves(s), "the answer is"),
        (lambda s: s[-9], "your function raised IndexError"),
    ],
)
def test_when_the_similarity_has_settled(answer, said, capsys):
    lesson.check_has_settled(answer)
    assert said in capsys.readouterr().out
