"""Checks of the exercises of lesson 02: X's start, a text's end, X's ids."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)

END = 49407  # CLIP's end-of-text token; learned words come behind it


@tells_mistakes
def check_start_vector(
    start_vector: Callable[
        [Float[Tensor, "rows width"], list[int]], Float[Tensor, "1 width"]
    ],
) -> None:
    """Check a function that makes the vector X starts from.

    `start_vector(table, token_ids)` is to return the mean of the table's
    rows `token_ids` as a leaf that asks for a gradient. The table must stay
    as it is, whatever is done to the vector. Taught in
    notebooks/02_the_word_x.ipynb.
    """
    for token_ids in ([7, 2, 11], [4]):
        table = nn.Parameter(torch.randn(20, 6))
        before = table.detach().double()
        vector = expect_tensor(start_vector(table, token_ids), (1, 6))
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


def compare_start(
    vector: Float[Tensor, "1 width"], rows: Float[Tensor, "tokens width"]
) -> None:
    """Raise Mistake unless a vector is the mean of rows."""
    if is_close(vector[0], rows.mean(dim=0)):
        return
    mistakes = [
        (
            rows.sum(dim=0),
            "that is the sum of the rows, which is too long a vector; the "
            "mean is wanted.",
        ),
        (
            rows[0],
            "that is the row of the first token alone; the mean of all "
            "rows in `token_ids` is wanted.",
        ),
    ]
    name_mistake(vector[0], mistakes)
    raise Mistake("the vector is not the mean of the rows in `token_ids`.")


@tells_mistakes
def check_find_end_of_text(
    find_end_of_text: Callable[
        [Int[Tensor, "texts length"], int], Int[Tensor, " texts"]
    ],
) -> None:
    """Check a function that finds where each text ends.

    `find_end_of_text(token_ids, end)` is to return the place of the first
    `end` in each row. Texts may be padded with 0 or with `end`, and hold
    learned words, whose ids are larger than `end`. Taught in
    notebooks/02_the_word_x.ipynb.
    """
    truth = torch.randperm(10)[:4] + 4  # from 4 to 13
    for padding, end in ((0, END), (END, END), (0, END // 2)):
        token_ids = torch.full((4, 16), padding)
        for row, place in zip(token_ids, truth.tolist(), strict=True):
            row[:place] = torch.randint(1, end - 1, (place,))
            row[0] = end - 1  # start of text
            row[torch.randint(2, place - 1, ())] = end + 1  # X
            row[place] = end
        places = expect_tensor(find_end_of_text(token_ids, end), (4,))
        compare_places(places, truth, token_ids, end)


def compare_places(
    places: Int[Tensor, " texts"],
    truth: Int[Tensor, " texts"],
    token_ids: Int[Tensor, "texts length"],
    end: int,
) -> None:
    """Raise Mistake unless the places are those of the texts' ends."""
    if is_close(places, truth):
        return
    is_end, width = (token_ids == end).int(), token_ids.shape[1]
    mistakes = [
        (
            torch.ones(len(truth)),
            "that is how often the token stands there; the *place* is "
            "wanted: `argmax`.",
        ),
        (
            token_ids.argmax(dim=1),
            "that is the place of the largest id, and X has the largest; "
            "compare the ids with `end`.",
        ),
        (
            width - 1 - is_end.flip(1).argmax(dim=1),
            "that is the last end-of-text; some tokenizers pad with the "
            "same token, so the first one is wanted.",
        ),
        (
            token_ids.gather(1, truth[:, None])[:, 0],
            "those are ids; the places where they stand are wanted.",
        ),
    ]
    if end != END and is_close(places, (token_ids == END).int().argmax(dim=1)):
        raise Mistake(
            "the token that ends a text is another one this time; compare "
            "with `end`, and not with a fixed number."
        )
    name_mistake(places, mistakes)
    if is_close((places - truth).abs(), torch.ones(len(truth))):
        raise Mistake("you are one place off; places are counted from 0.")
    raise Mistake(
        f"the texts end at {truth.tolist()}, and your function says "
        f"{places.tolist()}."
    )


@tells_mistakes
def check_expand_word(
    expand_word: Callable[[list[int], int, int], list[int]],
) -> None:
    """Check a function that makes room for a word of several vectors.

    `expand_word(token_ids, first, num_vectors)` is to return a new list in
    which each `first` is followed by the word's other ids, first + 1 and so
    on. Taught in notebooks/02_the_word_x.ipynb.
    """
    first = END + 1
    for num_vectors in (3, 1):
        plain = torch.randint(1, END - 1, (5,)).tolist()
        token_ids = [first, *plain[:2], first, *plain[2:], first]
        word_ids = list(range(first, first + num_vectors))
        expanded = expand_word(token_ids, first, num_vectors)
        compare_ids(expanded, token_ids, word_ids)


def compare_ids(
    expanded: list[int], token_ids: list[int], word_ids: list[int]
) -> None:
    """Raise Mistake unless each word_ids[0] became all of word_ids."""
    first = word_ids[0]
    truth = replace_id(token_ids, first, word_ids)
    if expanded == truth:
        return
    if not isinstance(expanded, list):
        kind = type(expanded).__name__
        raise Mistake(f"a list is wanted, and your function returns {kind}.")
    if any(isinstance(entry, list | tuple | range) for entry in expanded):
        raise Mistake(
            "there is a list within the list; `extend` by the new ids, or "
            "`+=` them without brackets, so that each stands by itself."
        )
    if expanded == replace_id(token_ids, first, [*word_ids, first]):
        raise Mistake(
            "X's first id comes once more behind the others; is an `else` "
            "missing?"
        )
    if expanded == word_ids + token_ids[1:]:
        raise Mistake("only the first X was expanded; a prompt may have more.")
    if expanded == replace_id(token_ids, first, [first] * len(word_ids)):
        raise Mistake(
            "one id stands there several times; each vector has an id of "
            "its own."
        )
    if len(expanded) == len(token_ids):
        raise Mistake(
            "the list is as long as before; each X should take "
            f"{len(word_ids)} places."
        )
    raise Mistake(
        f"{token_ids} should become {truth}, and yours is {expanded}."
    )


def replace_id(token_ids: list[int], old: int, new: list[int]) -> list[int]:
    """Return ids with several new ones wherever an old one stands."""
    return [
        new_id
        for token_id in token_ids
        for new_id in (new if token_id == old else [token_id])
    ]
