"""Checks of the exercises of lesson 03: the loop, the best text, the end."""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)
from tutorial_lib.exercises.tiny_models import (
    compare_with_library,
    load_tiny_models,
)
from tutorial_lib.exercises.training_loops import (
    Vectors,
    list_loop_mistakes,
    run_loop,
)
from tutorial_lib.generation import embed_images, embed_token_ids
from tutorial_lib.images import load_concept
from tutorial_lib.inversion import learn_word
from tutorial_lib.words import initialize_word, tokenize_prompts

Learn = Callable[
    [
        Vectors,
        Callable[[Vectors], Float[Tensor, "texts width"]],
        Float[Tensor, "num width"],
        int,
        float,
    ],
    Vectors,
]
COMPARED_STEPS = (1, 3, 10)  # of the library's run, whose X is kept there
LOOP_TOLERANCE = 1e-6

PATIENCE, MIN_GAIN = 4, 0.02  # of all progress, as in early stopping
CLIMBS = (  # similarities, and whether they have settled
    ([0.1, 0.8, 0.81, 0.811, 0.811, 0.811, 0.811], True),
    ([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85], False),
    ([0.1, 0.8, 0.8, 0.8], False),
    ([0.5, 0.5, 0.5, 0.5], False),
    ([0.1, 0.4, 0.8, 0.79, 0.78, 0.79, 0.795], True),
    ([0.1, 0.4, 0.8, 0.7, 0.9, 0.6, 0.5], False),
    ([0.10, 0.11, 0.12, 0.13, 0.135, 0.14, 0.145], False),
    ([0.1, 0.5, 0.8, 0.806, 0.812, 0.818, 0.819], False),
    ([0.1, 0.5, 0.8, 0.81, 0.815, 0.818, 0.82, 0.82], True),
    ([0.70, 0.75, 0.78, 0.79, 0.79, 0.79, 0.80, 0.80], False),
    ([0.1, 0.5, 0.9, 0.9, 0.9, 0.912, 0.7, 0.5, 0.5], True),
    ([0.1, 0.8, 0.7, 0.75, 0.8, 0.8, 0.8], True),
    ([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], True),
    ([0.1, 0.5, 0.7, 0.8, 0.82, 0.82, 0.82, 0.82], False),
    ([0.3, 0.8, 0.8, 0.8, 0.8, 0.8101], True),
)


def make_image_embeds(num: int, width: int) -> Float[Tensor, "num width"]:
    """Make embeddings of images, of length one and in double precision."""
    rows = torch.randn(num, width, dtype=torch.float64) + 1
    return functional.normalize(rows, dim=1)


@tells_mistakes
def check_find_best_vector(
    find_best_vector: Callable[
        [Float[Tensor, "num width"]], Float[Tensor, " width"]
    ],
) -> None:
    """Check a function that finds the vector most similar to all pictures.

    Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """
    for num, width in ((6, 4), (20, 8)):
        images = make_image_embeds(num, width)
        vector = find_best_vector(images.clone())
        if isinstance(vector, Tensor) and tuple(vector.shape) == (num,):
            raise Mistake(
                "average over the pictures (dim 0); you average over the "
                "numbers of each."
            )
        vector = expect_tensor(vector, (width,)).double()
        truth = functional.normalize(images.mean(0), dim=0)
        if is_close(vector, truth):
            continue
        if is_close(functional.normalize(vector, dim=0), truth):
            raise Mistake(
                "the direction is right, but a text's vector has length "
                f"one, and yours {vector.norm():.2f}."
            )
        if functional.cosine_similarity(images, vector[None]).max() > 0.9999:
            raise Mistake(
                "that is the direction of one of the pictures; a vector "
                "between all of them is more similar on average."
            )
        mean, best = (images @ vector).mean(), (images @ truth).mean()
        raise Mistake(
            f"the mean cosine of your vector is {mean:.3f}, and {best:.3f} "
            "is possible."
        )


@tells_mistakes
def check_learn(learn: Learn) -> str:
    """Check a function that learns X by similarity.

    `learn(vectors, embed_text, image_vectors, steps, lr)` is to return X's
    vectors after so many steps of Adam towards more similarity. At last it
    learns with the tiny CLIP, and X is compared with the library's, after
    several numbers of steps. Taught in
    notebooks/03_learn_x_by_similarity.ipynb.
    """
    matrix = torch.randn(6, 5, dtype=torch.float64)
    images = make_image_embeds(7, 5)

    def embed_text(vectors: Vectors) -> Float[Tensor, "num_vectors width"]:
        """Make some vectors of length one from X's."""
        return functional.normalize(torch.tanh(vectors @ matrix), dim=1)

    def lose(vectors: Vectors) -> Float[Tensor, ""]:
        """Return one minus the mean similarity."""
        return 1 - (embed_text(vectors) @ images.T).mean()

    for steps, lr in ((4, 0.05), (2, 0.3)):
        vectors = torch.randn(2, 6, dtype=torch.float64)
        try:
            learned = learn(vectors, embed_text, images.clone(), steps, lr)
        except RuntimeError as error:
            raise explain_failed_backward(error) from None
        learned = expect_tensor(learned, (2, 6))
        given = (vectors, [lose] * steps, [lr] * steps)
        if not is_close(learned.detach(), run_loop(*given), LOOP_TOLERANCE):
            name_mistake(learned.detach(), list_loop_mistakes(*given))
            raise Mistake("the vectors are not those of Adam's steps.")
        if learned.requires_grad:
            raise Mistake("X still asks for a gradient; return `x.detach()`.")
    return compare_with_trainer(learn)


def explain_failed_backward(error: RuntimeError) -> Exception:
    """Return the Mistake behind an error of torch's, or the error itself."""
    if "second time" in str(error):
        return Mistake(
            "the text is embedded once, before the loop; X moves, so embed "
            "it anew in each step."
        )
    if "does not require grad" in str(error):
        return Mistake(
            "nothing asks for a gradient; make X with "
            "`vectors.clone().requires_grad_(True)`."
        )
    return error


def compare_with_trainer(learn: Learn) -> str:
    """Let `learn` and the library learn with the tiny CLIP; compare X."""
    models, shirts = load_tiny_models(), load_concept("tshirt")
    template, lr = "An illustration of {}", models.profile.similarity_lr
    library = learn_word(
        models,
        shirts,
        recipe="similarity",
        templates=[template],
        steps=max(COMPARED_STEPS),
        progress=False,
    )
    start = initialize_word(models, "X", "pattern", num_vectors=1)
    token_ids = tokenize_prompts(
        models.clip_tokenizer, [template.format("X")], words=[start]
    )

    def embed_text(vectors: Vectors) -> Float[Tensor, "1 width"]:
        """Let CLIP read the sentence with X."""
        word = replace(start, vectors=vectors)
        return embed_token_ids(models, token_ids, words=[word])

    images, largest = embed_images(models, shirts.images), 0.0
    for steps in COMPARED_STEPS:
        begun = start.vectors.detach().clone()
        learned = learn(begun, embed_text, images, steps, lr)
        theirs = library.history[steps]["vectors"]
        what = f"with the tiny CLIP your X after {steps} steps"
        difference = compare_with_library(learned, theirs, what)
        largest = max(largest, difference)
    said = ", ".join(map(str, COMPARED_STEPS[:-1]))
    return (
        f"After {said} and {COMPARED_STEPS[-1]} steps your X is the "
        f"library's: largest difference {largest:.1g}."
    )


@tells_mistakes
def check_shorten_vectors(
    shorten_vectors: Callable[
        [Float[Tensor, "num width"], float], Float[Tensor, "num width"]
    ],
) -> None:
    """Check a function that shortens the vectors that are too long.

    Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """
    for limit in (2.0, 0.7):
        lengths = limit * torch.tensor([0.2, 0.9, 1.5, 4.0]).double()
        vectors = make_image_embeds(4, 6) * lengths[:, None]
        shortened = expect_tensor(shorten_vectors(vectors, limit), (4, 6))
        shortened = shortened.double()
        factors = (limit / vectors.norm(dim=1, keepdim=True)).clamp(max=1)
        if is_close(shortened, vectors * factors):
            continue
        name_wrong_lengths(shortened, vectors, limit)
        raise Mistake(
            f"the longest vector should come out with norm {limit:.2f}, "
            f"and has {shortened.norm(dim=1)[-1]:.2f}, or its direction has "
            "changed."
        )


def name_wrong_lengths(
    shortened: Float[Tensor, "num width"],
    vectors: Float[Tensor, "num width"],
    limit: float,
) -> None:
    """Raise Mistake if wrong lengths come of a typical mistake."""
    norms = vectors.norm(dim=1, keepdim=True)
    mistakes = [
        (
            vectors * limit / norms,
            "you lengthen the short ones too; let a vector be that is within "
            "the limit.",
        ),
        (
            vectors * (limit / vectors.norm()).clamp(max=1),
            "you took the norm of all vectors together; each row has its own "
            "(`dim=1`).",
        ),
        (
            vectors * (limit / vectors.norm(dim=0)).clamp(max=1),
            "you took the norms of the columns; each row has its own "
            "(`dim=1`).",
        ),
        (
            vectors.clamp(-limit, limit),
            "you limit each number; it is the length of the vector that is "
            "limited, and its direction stays.",
        ),
        (
            vectors / torch.where(norms > limit, norms, 1),
            "you give long vectors the length 1, and not `limit`.",
        ),
        (
            vectors / norms,
            "you give all vectors the length 1; those that are longer than "
            "`limit` get that length, the others stay.",
        ),
        (
            vectors * (limit / norms).clamp(min=1),
            "a row's factor is never *more* than 1: `clamp(max=1)`.",
        ),
    ]
    name_mistake(shortened, mistakes)


@tells_mistakes
def check_has_settled(has_settled: Callable[[list[float]], bool]) -> None:
    """Check a function that says whether the similarity no longer grows.

    Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """
    climbs, truth = zip(*CLIMBS, strict=True)
    answers = [bool(has_settled(list(climb))) for climb in climbs]
    for rule, sentence in WRONG_RULES:
        if answers == [len(s) > PATIENCE and rule(s) for s in climbs]:
            raise Mistake(sentence)
    for climb, answer, settled in zip(climbs, answers, truth, strict=True):
        if answer != settled and len(climb) <= PATIENCE:
            raise Mistake(
                "with four measures or fewer it is too early to say so."
            )
        if answer != settled:
            raise Mistake(f"for {climb} the answer is {settled}.")


def find_gain(similarities: list[float]) -> float:
    """Return by how much the last few similarities raised the best."""
    return max(similarities) - max(similarities[:-PATIENCE])


def find_limit(similarities: list[float]) -> float:
    """Return the smallest gain that counts."""
    return MIN_GAIN * (max(similarities) - similarities[0])


# What may be said of more than four similarities, each with its mistake.
WRONG_RULES: list[tuple[Callable[[list[float]], bool], str]] = [
    (
        lambda s: find_gain(s) <= MIN_GAIN,
        "2 % of all progress so far, not a gain of 0.02.",
    ),
    (
        lambda s: find_gain(s) <= MIN_GAIN * max(s),
        "2 % of all progress so far (the best minus the first), not of the "
        "best.",
    ),
    (
        lambda s: find_gain(s) <= MIN_GAIN * (s[-1] - s[0]),
        "all progress goes up to the best, and not to the last one.",
    ),
    (
        lambda s: find_gain(s) <= find_limit(s[:-PATIENCE]),
        "all progress goes up to the best of all, the last four among them.",
    ),
    (
        lambda s: find_gain(s) < find_limit(s),
        "`<=`, and not `<`: a gain of 0 is no more than 2 % of 0.",
    ),
    (
        lambda s: s[-1] - s[-PATIENCE - 1] <= find_limit(s),
        "compare the best values; the last one may have dipped.",
    ),
    (
        lambda s: s[-1] - max(s[:-PATIENCE]) <= find_limit(s),
        "the last one may have dipped; take the best of all instead.",
    ),
    (
        lambda s: max(s) - s[-PATIENCE - 1] <= find_limit(s),
        "compare with the best of all before the last four, and not with the "
        "one just before them.",
    ),
    (
        lambda s: max(s) - max(s[:-3]) <= find_limit(s),
        "`[:-3]` leaves out the last three; leave out the last four.",
    ),
    (
        lambda s: max(s) - max(s[:PATIENCE]) <= find_limit(s),
        "`[:4]` are the first four; `[:-4]` are those before the last four.",
    ),
]
