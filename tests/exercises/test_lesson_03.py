"""Lesson 03: typical wrong answers get a message that names the mistake."""

import pytest
import torch
from torch.nn import functional

from tutorial_lib.exercises import lesson_03 as lesson
from tutorial_lib.inversion.early_stopping import should_stop_early


def learn(vectors, embed_text, images, steps, lr, **wrong):
    """Learn X by similarity, right or wrong."""
    x = vectors.clone().requires_grad_(True)
    kind = wrong.get("kind", torch.optim.Adam)
    optimizer = kind([x], lr=lr)
    for _ in range(steps + wrong.get("more", 0)):
        if wrong.get("anew"):
            optimizer = kind([x], lr=lr)
        similarity = (embed_text(x) @ images.T).mean()
        if not wrong.get("adds_up"):
            optimizer.zero_grad()
        (wrong.get("sign", 1) * (1 - similarity)).backward()
        optimizer.step()
    return x if wrong.get("keep") else x.detach()


def learn_wrongly(**wrong):
    """Return an answer with some mistake."""
    return lambda *given: learn(*given, **wrong)


def embed_once(vectors, embed_text, images, steps, lr):
    """Embed the text before the loop."""
    x = vectors.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([x], lr=lr)
    similarity = (embed_text(x) @ images.T).mean()
    for _ in range(steps):
        (1 - similarity).backward()
        optimizer.step()
    return x.detach()


def forget_gradient(vectors, embed_text, images, steps, lr):
    """Ask for no gradient."""
    x = vectors.clone()
    (1 - (embed_text(x) @ images.T).mean()).backward()
    return x


def learn_on_the_given(vectors, embed_text, images, steps, lr):
    """Have the given vectors themselves ask for a gradient."""
    optimizer = torch.optim.Adam([vectors.requires_grad_(True)], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        (1 - (embed_text(vectors) @ images.T).mean()).backward()
        optimizer.step()
    return vectors.detach()


def learn_small(vectors, embed_text, images, steps, lr):
    """Learn something else where the vectors are as long as CLIP's."""
    steps += vectors.shape[1] > 100
    return learn(vectors, embed_text, images, steps, lr)


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
        (learn, "Right. After 1, 3 and 10 steps your X is the library's"),
        (learn_wrongly(sign=-1), "you go up the loss"),
        (learn_wrongly(adds_up=True), "add up; call `optimizer.zero_grad()`"),
        (learn_wrongly(anew=True), "make one, before the loop"),
        (learn_wrongly(kind=torch.optim.SGD), "Adam is wanted"),
        (learn_wrongly(kind=torch.optim.AdamW), "shrinks X at each step"),
        (learn_wrongly(more=-1), "one step is missing"),
        (learn_wrongly(more=1), "one step too many"),
        (learn_wrongly(more=3), "not those of Adam's steps"),
        (learn_wrongly(keep=True), "return `x.detach()`"),
        (lambda v, *_: v.clone(), "X has not moved"),
        (embed_once, "embed it anew in each step"),
        (forget_gradient, "nothing asks for a gradient"),
        (learn_on_the_given, "now asks for a gradient"),
        (lambda *given: learn(*given)[0], "should have shape (2, 6)"),
        (learn_small, "with the tiny CLIP your X after 1 steps"),
    ],
)
def test_the_loop_of_similarity(answer, said, capsys):
    for _ in range(2):
        lesson.check_learn(answer)
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
