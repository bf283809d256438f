"""Lesson 03: typical wrong answers get a message that names the mistake."""

import pytest
import torch
from torch.nn import functional

from tutorial_lib.exercises import lesson_03 as lesson
from tutorial_lib.inversion.early_stopping import should_stop_early


def climb(vector, images, lr, sign=1.0, total=torch.mean, keep=False):
    """Take a step, right or wrong."""
    leaf = vector.clone().requires_grad_(True)
    total(functional.normalize(leaf, dim=0) @ images.T).backward()
    return vector + sign * lr * leaf.grad + (0 * leaf if keep else 0)


def climb_in_place(vector, images, lr):
    """Change what was given."""
    vector += climb(vector, images, lr) - vector
    return vector


def climb_on_the_given(vector, images, lr):
    """Have the given vector itself ask for a gradient."""
    vector.requires_grad_(True)
    (functional.normalize(vector, dim=0) @ images.T).mean().backward()
    return vector.detach() + lr * vector.grad


def climb_from_unit(vector, images, lr):
    """Take the gradient where the vector has length one."""
    unit = functional.normalize(vector, dim=0)
    return vector + climb(unit, images, lr) - unit


def limit_rows(vectors, limit):
    """Give every row the same length."""
    return limit * functional.normalize(vectors, dim=1)


def limit_all(vectors, limit):
    """Take one norm for all."""
    return vectors * min(1.0, limit / vectors.norm())


def limit_to_one(vectors, limit):
    """Forget the limit where it applies."""
    norms = vectors.norm(dim=1, keepdim=True)
    return torch.where(norms > limit, vectors / norms, vectors)


def lengthen(vectors, limit):
    """Take the wrong end of 1."""
    return vectors * (limit / vectors.norm(dim=1, keepdim=True)).clamp(min=1)


def limit_in_place(vectors, limit):
    """Change what was given."""
    return vectors.renorm_(2, 0, limit)


def settle(similarities, gain=None, progress=None):
    """Say whether similarities have settled, by a rule that may be wrong."""
    if len(similarities) <= 4:
        return False
    gain = gain or (lambda s: max(s) - max(s[:-4]))
    progress = progress or (lambda s: max(s) - s[0])
    return gain(similarities) <= 0.02 * progress(similarities)


def want_less(similarities):
    """Take less for no more."""
    if len(similarities) <= 4:
        return False
    best = max(similarities)
    gain = best - max(similarities[:-4])
    return gain < 0.02 * (best - similarities[0])


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
    for _ in range(5):
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
        (climb_on_the_given, "now asks for a gradient"),
        (climb_from_unit, "at the vector of length one"),
        (lambda v, p, lr: climb(v, p, lr) - v, "the step alone"),
        (lambda v, p, lr: climb(v, p, 1) - v, "the gradient alone"),
        (lambda v, p, lr: v, "should change by"),
    ],
)
def test_a_step_uphill(answer, said, capsys):
    for _ in range(5):
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
        (limit_in_place, "has changed"),
        (limit_to_one, "and not `limit`"),
        (lambda v, m: functional.normalize(v), "give all vectors the length"),
        (lambda v, m: v.renorm(2, 1, m), "norms of the columns"),
        (lengthen, "never *more* than 1"),
    ],
)
def test_vectors_that_are_too_long(answer, said, capsys):
    for _ in range(5):
        lesson.check_shorten_vectors(answer)
        assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda s: should_stop_early([1 - value for value in s]), "Right."),
        (settle, "Right."),
        (lambda s: len(s) <= 4 or settle(s), "too early to say"),
        (lambda s: settle(s, progress=lambda s: 1), "not a gain of 0.02"),
        (lambda s: settle(s, progress=max), "not of the best"),
        (lambda s: settle(s, progress=lambda s: s[-1] - s[0]), "the last one"),
        (
            lambda s: settle(s, progress=lambda s: max(s[:-4]) - s[0]),
            "the last four among them",
        ),
        (want_less, "not `<`"),
        (lambda s: settle(s, gain=lambda s: s[-1] - s[-5]), "have dipped"),
        (
            lambda s: settle(s, gain=lambda s: s[-1] - max(s[:-4])),
            "take the best of all",
        ),
        (
            lambda s: settle(s, gain=lambda s: max(s) - s[-5]),
            "the best of all before the last four",
        ),
        (
            lambda s: settle(s, gain=lambda s: max(s) - max(s[:-3])),
            "leaves out the last three",
        ),
        (
            lambda s: settle(s, gain=lambda s: max(s) - max(s[:4])),
            "are the first four",
        ),
        (should_stop_early, "the answer is"),
        (lambda s: s[-9], "your function raised IndexError"),
    ],
)
def test_when_the_similarity_has_settled(answer, said, capsys):
    for _ in range(5):
        lesson.check_has_settled(answer)
        assert said in capsys.readouterr().out
