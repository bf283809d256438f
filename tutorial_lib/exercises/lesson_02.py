"""Checks of the exercises of lesson 02, the word X."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    tells_mistakes,
)

END = 49407  # CLIP's end-of-text token; learned words come behind it


@tells_mistakes
def check_start_vector(answer: Callable[[Tensor, list[int]], Tensor]) -> None:
    """Check a function that makes the vector X starts from.

    `answer(table, ids)` is to return the mean of the table's rows `ids`,
    (1, width), as a leaf that asks for a gradient. The table must stay
    as it is, whatever is done to the vector. Taught in
    notebooks/02_the_word_x.ipynb.
    """
    for token_ids in ([7, 2, 11], [4]):
        table = nn.Parameter(torch.randn(20, 6))
        before = table.detach().double()
        vector = expect_tensor(answer(table, token_ids), (1, 6))
        compare_start(vector.detach(), before[token_ids])
        if not vector.requires_grad:
            raise Mistake(
                "the numbers are right, but the vector does not ask for a "
                "gradient, so it could never be learned."
            )
        if not vector.is_leaf:
            raise Mistake(
                "the numbers are right, but the vector still hangs on the "
                "table (it is no leaf), so an optimizer would refuse it; "
                "detach it first."
            )
        vector.data.add_(1)
        if not torch.equal(table.detach().double(), before):
            raise Mistake(
                "the vector is a window on the table: moving X moves an "
                "ordinary word as well; make a copy."
            )


def compare_start(vector: Tensor, rows: Tensor) -> None:
    """Raise Mistake unless a vector (1, width) is the mean of rows."""
    if is_close(vector[0], rows.mean(dim=0)):
        return
    if is_close(vector[0], rows.sum(dim=0)):
        raise Mistake(
            "that is the sum of the rows, which is too long a vector; the "
            "mean is wanted."
        )
    if is_close(vector[0], rows[0]):
        raise Mistake(
            "that is the row of the first token alone; the mean of all "
            "rows in `ids` is wanted."
        )
    raise Mistake("the vector is not the mean of the rows in `ids`.")


@tells_mistakes
def check_find_end_of_text(answer: Callable[[Tensor, int], Tensor]) -> None:
    """Check a function that finds where each text ends.

    `answer(ids, end)` is to return the place of the first `end` in each
    row of `ids` (num_texts, length), as (num_texts,). Texts may be
    padded with 0 or with `end`, and hold learned words, whose ids are
    larger than `end`. Taught in notebooks/02_the_word_x.ipynb.
    """
    places = torch.randperm(10)[:4] + 4  # from 4 to 13
    for padding, end in ((0, END), (END, END), (0, END // 2)):
        token_ids = torch.full((4, 16), padding)
        for row, place in zip(token_ids, places.tolist(), strict=True):
            row[:place] = torch.randint(1, end - 1, (place,))
            row[0] = end - 1  # start of text
            row[torch.randint(2, place - 1, ())] = end + 1  # X
            row[place] = end
        found = expect_tensor(answer(token_ids, end), (4,))
        compare_places(found, places, token_ids, end)


def compare_places(
    found: Tensor, places: Tensor, token_ids: Tensor, end: int
) -> None:
    """Raise Mistake unless the places found are those of the ends."""
    if is_close(found, places):
        return
    if end != END and is_close(found, (token_ids == END).int().argmax(dim=1)):
        raise Mistake(
            "the token that ends a text is another one this time; compare "
            "with `end`, and not with a fixed number."
        )
    if is_close(found, torch.ones(len(places))):
        raise Mistake(
            "that is how often the token stands there; the *place* is "
            "wanted: `argmax`."
        )
    if is_close(found, token_ids.argmax(dim=1)):
        raise Mistake(
            "that is the place of the largest id, and X has the largest; "
            "compare the ids with `end`."
        )
    last = (
        token_ids.shape[1] - 1 - (token_ids == end).flip(1).int().argmax(dim=1)
    )
    if is_close(found, last):
        raise Mistake(
            "that is the last end-of-text; some tokenizers pad with the "
            "same token, so the first one is wanted."
        )
    if is_close((found - places).abs(), torch.ones(len(places))):
        raise Mistake("you are one place off; places are counted from 0.")
    if is_close(found, token_ids.gather(1, places[:, None])[:, 0]):
        raise Mistake("those are ids; the places where they stand are wanted.")
    raise Mistake(
        f"the texts end at {places.tolist()}, and your function says "
        f"{found.tolist()}."
    )


@tells_mistakes
def check_expand_word(
    answer: Callable[[list[int], int, int], list[int]],
) -> None:
    """Check a function that makes room for a word of several vectors.

    `answer(ids, first, num_vectors)` is to return a new list in which
    each `first` is followed by the word's other ids, first + 1 and so
    on. Taught in notebooks/02_the_word_x.ipynb.
    """
    first = END + 1
    for num_vectors in (3, 1):
        plain = torch.randint(1, END - 1, (5,)).tolist()
        token_ids = [first, *plain[:2], first, *plain[2:], first]
        found = answer(token_ids, first, num_vectors)
        compare_ids(found, token_ids, list(range(first, first + num_vectors)))


def compare_ids(
    found: list[int], token_ids: list[int], new: list[int]
) -> None:
    """Raise Mistake unless each new[0] among the ids became all of new."""
    truth = [n for i in token_ids for n in (new if i == new[0] else [i])]
    if found == truth:
        return
    if not isinstance(found, list):
        kind = type(found).__name__
        raise Mistake(f"a list is wanted, and your function returns {kind}.")
    if any(isinstance(each, list | tuple | range) for each in found):
        raise Mistake(
            "there is a list within the list; `extend` by the new ids, or "
            "`+=` them without brackets, so that each stands by itself."
        )
    if found == [
        n for i in token_ids for n in (new + [i] if i == new[0] else [i])
    ]:
        raise Mistake(
            "X's first id comes once more behind the others; is an `else` "
            "missing?"
        )
    if found == new + token_ids[1:]:
        raise Mistake("only the first X was expanded; a prompt may have more.")
    repeated = [
        n for i in token_ids for n in [i] * (len(new) if i == new[0] else 1)
    ]
    if found == repeated:
        raise Mistake(
            "one id stands there several times; each vector has an id of "
            "its own."
        )
    if len(found) == len(token_ids):
        raise Mistake(
            "the list is as long as before; each X should take "
            f"{len(new)} places."
        )
    raise Mistake(f"{token_ids} should become {truth}, and yours is {found}.")
