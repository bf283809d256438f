"""Scores: what the judges make of images."""

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.errors import JudgeError
from tutorial_lib.evaluation.gallery import Gallery
from tutorial_lib.evaluation.judge_networks import (
    AttributeJudge,
    EmbeddingJudge,
)
from tutorial_lib.evaluation.judges import (
    Reading,
    embed_with_judge,
    read_images,
)
from tutorial_lib.images import Images, as_images

Cosines = Float[Tensor, "images concepts"]


def identity(
    judge: EmbeddingJudge, images: Images, gallery: Gallery
) -> list[bool]:
    """Say for each image whether its nearest concept of 100 is the true one.

    Identity is top-1 retrieval in a gallery of 100: the true concept, 24
    lookalikes (the same plain description fits them) and 75 distractors
    (random unseen concepts). The nearest has the highest cosine between its
    reference and the image's embedding. The mean of the list is the identity
    score; blind guessing gives 0.01. Taught in notebooks/06_t_shirt.ipynb.
    """
    return [rank == 1 for rank in rank_truth(judge, images, gallery)]


def rank_truth(
    judge: EmbeddingJudge, images: Images, gallery: Gallery
) -> list[int]:
    """Return the rank of the true concept for each image, 1 to 100.

    Rank 1 is what `identity` asks for; blind guessing gives 50 on average. It
    is a finer measure than `identity` where images are nearly right.
    Taught in notebooks/00_start_here.ipynb.
    """
    return rank_first(measure_cosines(judge, images, gallery))


def measure_cosines(
    judge: EmbeddingJudge, images: Images, gallery: Gallery
) -> Cosines:
    """Return the cosine of each image with each concept of the gallery.

    The first column is that with the true concept.
    """
    images = as_images(images, allow_empty=True)
    if not images:
        return torch.zeros(0, len(gallery.references))
    return embed_with_judge(judge, images) @ gallery.references.T


def rank_first(cosines: Cosines) -> list[int]:
    """Return the rank of the first column in each row, 1 for the highest."""
    return (1 + (cosines[:, 1:] > cosines[:, :1]).sum(1)).tolist()


def prompt_score(
    judge: AttributeJudge,
    images: Images,
    asked: dict[str, str],
) -> list[bool]:
    """Say for each image whether it shows the object and style asked for.

    `asked` maps attributes to the labels that the prompt names, for example
    ``{"object": "portrait", "style": "photo"}``; the judge must read all of
    them. The mean of the list is the prompt score. Raises JudgeError for a
    label that the judge does not know. Taught in notebooks/07_corgi.ipynb.
    """
    return score_readings(judge, read_images(judge, images), asked)


def score_readings(
    judge: AttributeJudge, readings: list[Reading], asked: dict[str, str]
) -> list[bool]:
    """Say of each reading whether it has the labels asked for.

    Raises JudgeError for a label that the judge does not know.
    """
    for name, label in asked.items():
        if label not in judge.labels.get(name, ()):
            raise JudgeError(
                f"The judge knows no {name} {label!r}; it knows "
                f"{', '.join(judge.labels.get(name, judge.labels))}."
            )
    return [
        all(reading.labels[name] == label for name, label in asked.items())
        for reading in readings
    ]
