"""Checks of the exercises of lesson 02: X's row, its start, ends and ids."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tutorial_lib.exercises.checking import (
    Mistake,
    Mistakes,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)
from tutorial_lib.exercises.tiny_models import (
    compare_with_library,
    load_tiny_models,
    make_random_vectors,
)
from tutorial_lib.generation import embed_token_ids
from tutorial_lib.words import LearnedWord, get_embedding, tokenize_prompts

END = 49407  # CLIP's end-of-text token; learned words come behind it
PROMPTS = ("A photo of X", "X on red", "a corgi with x")  # the last without X
LookUp = Callable[
    [
        Int[Tensor, "texts length"],
        Float[Tensor, "rows width"],
        Float[Tensor, "num_vectors width"],
    ],
    Float[Tensor, "texts length width"],
]


@tells_mistakes
def check_look_up(look_up: LookUp) -> str:
    """Check a function that looks up token ids, X's among them.

    `look_up(token_ids, table, vectors)` is to return the embeddings of the
    ids, those beyond the table's last row from `vectors`. At last it takes
    the table's place in the tiny CLIP, and the texts' vectors are compared
    with the library's. Taught in notebooks/02_the_word_x.ipynb.
    """
    table = torch.randn(20, 6, dtype=torch.float64)
    for num_vectors in (1, 3):
        vectors = torch.randn(num_vectors, 6, dtype=torch.float64)
        vectors.requires_grad_(True)
        token_ids = torch.randint(1, 19, (2, 7))
        token_ids[:, 2:3], token_ids[:, 5] = 19, 0  # the last row, the first
        token_ids[1, 3 : 3 + num_vectors] = torch.arange(num_vectors) + 20
        try:
            looked_up = look_up(token_ids, table, vectors)
        except IndexError:
            raise Mistake(
                "X's ids lie beyond the table's last row, so the table alone "
                "cannot answer; put `vectors` behind it."
            ) from None
        looked_up = expect_tensor(looked_up, (2, 7, 6))
        compare_embeddings(looked_up, token_ids, table, vectors)
    return compare_in_clip(look_up)


def compare_embeddings(
    looked_up: Float[Tensor, "texts length width"],
    token_ids: Int[Tensor, "texts length"],
    table: Float[Tensor, "rows width"],
    vectors: Float[Tensor, "num_vectors width"],
) -> None:
    """Raise Mistake unless the embeddings are right and X gets a gradient."""
    if not is_close(
        looked_up.detach(), torch.cat([table, vectors.detach()])[token_ids]
    ):
        mistakes = list_look_up_mistakes(token_ids, table, vectors.detach())
        name_mistake(looked_up.detach(), mistakes)
        raise Mistake(
            "the embeddings are not right: id 0 is the table's first row, and "
            f"id {len(table)} the first of `vectors`."
        )
    if not looked_up.requires_grad:
        raise Mistake(
            "the numbers are right, but no gradient leads back to `vectors`; "
            "use them as they are, without `detach()` or `.data`."
        )


def list_look_up_mistakes(
    token_ids: Int[Tensor, "texts length"],
    table: Float[Tensor, "rows width"],
    vectors: Float[Tensor, "num_vectors width"],
) -> Mistakes:
    """List wrong embeddings with the mistakes behind them."""
    size = len(table)
    known = table[token_ids.clamp(max=size - 1)]
    is_x = (token_ids >= size)[..., None]
    behind = (token_ids - size).clamp(min=0)
    return [
        (
            known,
            "X reads the table's last row, an ordinary word's; its ids begin "
            "behind that.",
        ),
        (
            torch.cat([vectors, table])[token_ids],
            "your new rows stand before the table, so every word has moved; "
            "they belong behind it.",
        ),
        (
            vectors[behind],
            "all ids read `vectors`; those below the table's length are "
            "ordinary words.",
        ),
        (
            torch.where(is_x, vectors[0], known),
            "all of X's ids read its first vector; each has one of its own.",
        ),
        (
            torch.where(is_x, vectors[-1], known),
            "all of X's ids read its last vector; each has one of its own.",
        ),
        (
            torch.where(is_x, vectors.mean(0), known),
            "X's vectors are averaged; each of its ids has one of its own.",
        ),
        (
            torch.where(is_x, known + vectors[behind], known),
            "you add X's vector to another row; it stands there alone.",
        ),
    ]


def compare_in_clip(look_up: LookUp) -> str:
    """Let the tiny CLIP look up with `look_up`; compare texts and gradient."""
    models = load_tiny_models()
    vectors = make_random_vectors(models.profile.embedding_width)
    vectors.requires_grad_(True)
    x = LearnedWord(word="X", vectors=vectors)
    token_ids = tokenize_prompts(
        models.clip_tokenizer,
        list(PROMPTS),
        words=[x],
        context_length=models.clip.context_length,
    )
    texts = embed_token_ids(models, token_ids, words=[x])
    [gradient] = torch.autograd.grad(texts.sum(), vectors)
    table = get_embedding(models.clip)
    looked_up = look_up(token_ids, table.weight, vectors)
    # CLIP's own table, asked for any word in X's place, hands out `looked_up`.
    hook = table.register_forward_hook(lambda *_: looked_up)
    try:
        ordinary = token_ids.where(token_ids <= END, 0)
        own_texts = embed_token_ids(models, ordinary)
    finally:
        hook.remove()
    [own_gradient] = torch.autograd.grad(own_texts.sum(), vectors)
    difference = compare_with_library(own_texts, texts, "CLIP's texts")
    compare_with_library(own_gradient, gradient, "X's gradient")
    return (
        "With your row the tiny CLIP makes of three texts what it makes with "
        f"the library's: largest difference {difference:.1g}."
    )


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
