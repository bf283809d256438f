"""Lesson 02: each check names the mistake that was made."""

import pytest
import torch

from tutorial_lib.exercises.lesson_02 import (
    check_expand_word,
    check_find_end_of_text,
    check_look_up,
    check_start_vector,
)


def look_up(token_ids, table, vectors):
    """Look up X's rows behind the table's."""
    return torch.cat([table, vectors])[token_ids]


def look_up_with(choose):
    """Return an answer that chooses X's vectors in another way."""

    def answer(token_ids, table, vectors):
        """Look up the table, and put in what was chosen for X."""
        behind = (token_ids - len(table)).clamp(min=0)
        known = table[token_ids.clamp(max=len(table) - 1)]
        is_x = (token_ids >= len(table))[..., None]
        return torch.where(is_x, choose(vectors, behind, known), known)

    return answer


def look_up_in_place(token_ids, table, vectors):
    """Write X's numbers into the table's first row."""
    table[0] = vectors[0].detach()
    return look_up(token_ids, table, vectors)


def look_up_small(token_ids, table, vectors):
    """Forget X where the table is as large as CLIP's."""
    vectors = vectors if len(table) < 100 else vectors * 1.5
    return look_up(token_ids, table, vectors)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (look_up, "Right. With your row the tiny CLIP"),
        (look_up_with(lambda v, behind, known: v[behind]), "Right. With"),
        (lambda i, t, v: t[i], "X's ids lie beyond the table's last row"),
        (lambda i, t, v: t[i.clamp(max=len(t) - 1)], "the table's last row"),
        (lambda i, t, v: torch.cat([v, t])[i], "stand before the table"),
        (
            lambda i, t, v: v[(i - len(t)).clamp(min=0)],
            "all ids read `vectors`",
        ),
        (look_up_with(lambda v, *_: v[0].expand(1, 1, -1)), "of its own"),
        (look_up_with(lambda v, *_: v[-1].expand(1, 1, -1)), "of its own"),
        (look_up_with(lambda v, *_: v.mean(0)), "of its own"),
        (look_up_with(lambda v, b, known: known + v[b]), "stands there alone"),
        (lambda i, t, v: look_up(i, t, v.detach()), "no gradient leads back"),
        (lambda i, t, v: look_up(i, t, v)[0], "should have shape (2, 7, 6)"),
        (lambda i, t, v: look_up(i, t, 2 * v), "the embeddings are not right"),
        (look_up_in_place, "has changed"),
        (look_up_small, "CLIP's texts and the library's differ"),
    ],
)
def test_the_row_of_x(answer, said, capsys):
    for _ in range(2):
        check_look_up(answer)
        assert said in capsys.readouterr().out


def leaf(vector):
    """Return a copy of a vector that asks for a gradient."""
    return vector.detach().clone().requires_grad_(True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda t, i: leaf(t[i].mean(0, keepdim=True)), "Right."),
        (lambda t, i: leaf(t[i].sum(0, keepdim=True)), "that is the sum"),
        (lambda t, i: leaf(t[i[:1]]), "the row of the first token alone"),
        (
            lambda t, i: leaf(t[: len(i)].mean(0, keepdim=True)),
            "is not the mean",
        ),
        (lambda t, i: leaf(t[i].mean(0)), "should have shape (1, 6)"),
        (lambda t, i: leaf(t[i].mean(1, keepdim=True)), "should have shape"),
        (
            lambda t, i: t[i].detach().mean(0, keepdim=True),
            "not ask for a grad",
        ),
        (lambda t, i: t[i].mean(0, keepdim=True), "it is no leaf"),
        (
            lambda t, i: (
                leaf(t[i].mean(0, keepdim=True))
                if len(i) > 1
                else t[i[0] : i[0] + 1].detach().requires_grad_(True)
            ),
            "is a window",
        ),
        (
            lambda t, i: leaf(
                t.requires_grad_(False)[i].mean(0, keepdim=True)
            ),
            "has changed",
        ),
        (lambda t, i: None, "is `return` missing?"),
    ],
)
def test_the_start_vector(answer, said, capsys):
    for _ in range(5):
        check_start_vector(answer)
        assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda ids, end: (ids == end).int().argmax(dim=1), "Right."),
        (lambda ids, end: ids.argmax(dim=1), "the place of the largest id"),
        (
            lambda ids, end: torch.stack(
                [(row == end).nonzero()[-1, 0] for row in ids]
            ),
            "that is the last end-of-text",
        ),
        (
            lambda ids, end: (ids == end).int().argmax(dim=1) + 1,
            "one place off",
        ),
        (
            lambda ids, end: torch.full((4,), end),
            "the places where they stand",
        ),
        (lambda ids, end: torch.zeros(4), "the texts end at"),
        (lambda ids, end: (ids == end).nonzero(), "should have shape (4,)"),
        (lambda ids, end: (ids == 49407).int().argmax(1), "a fixed number"),
        (lambda ids, end: (ids == end).sum(1), "the *place* is wanted"),
        (lambda ids, end: (ids == end).int().amax(1), "the *place* is wanted"),
        (lambda ids, end: (ids >= end).int().argmax(1), "X has the largest"),
    ],
)
def test_the_end_of_text(answer, said, capsys):
    for _ in range(5):
        check_find_end_of_text(answer)
        assert said in capsys.readouterr().out


def expand(token_ids, first, num_vectors):
    """Put all ids of a word where its first one stands."""
    word = list(range(first, first + num_vectors))
    return [n for i in token_ids for n in (word if i == first else [i])]


def expand_in_place(token_ids, first, num_vectors):
    """Change the list that was given."""
    token_ids[:] = expand(token_ids, first, num_vectors)
    return token_ids


def expand_first(token_ids, first, num_vectors):
    """Expand the first occurrence alone."""
    place = token_ids.index(first)
    word = list(range(first, first + num_vectors))
    return token_ids[:place] + word + token_ids[place + 1 :]


def nest(token_ids, first, num_vectors):
    """Append the word's ids as a list of their own."""
    word = list(range(first, first + num_vectors))
    return [word if i == first else i for i in token_ids]


def nest_range(token_ids, first, num_vectors):
    """Append the range itself."""
    word = range(first, first + num_vectors)
    return [word if i == first else i for i in token_ids]


def forget_else(token_ids, first, num_vectors):
    """Add the first id among the others, too."""
    word = list(range(first, first + num_vectors))
    return [n for i in token_ids for n in (word if i == first else []) + [i]]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (expand, "Right."),
        (expand_in_place, "what you were given has changed"),
        (expand_first, "only the first X was expanded"),
        (nest, "a list within the list"),
        (nest_range, "a list within the list"),
        (forget_else, "is an `else` missing"),
        (
            lambda ids, first, n: [
                k for i in ids for k in [i] * (n if i == first else 1)
            ],
            "one id stands there several times",
        ),
        (lambda ids, first, n: list(ids), "as long as before"),
        (lambda ids, first, n: torch.tensor(ids), "returns Tensor"),
        (lambda ids, first, n: expand(ids, first, n + 1), "should become"),
        (lambda ids, first, n: None, "returns nothing"),
    ],
)
def test_room_for_several_vectors(answer, said, capsys):
    for _ in range(5):
        check_expand_word(answer)
        assert said in capsys.readouterr().out
