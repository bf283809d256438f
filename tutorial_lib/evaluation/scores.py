"""Scores: what judges say of images.

Identity is top-1 retrieval: of the 100 concepts in a gallery, is the true
one the nearest to the image?
"""

from PIL import Image

from tutorial_lib.errors import JudgeError
from tutorial_lib.evaluation.gallery import Gallery
from tutorial_lib.evaluation.judge_networks import (
    AttributeJudge,
    EmbeddingJudge,
)
from tutorial_lib.evaluation.judges import (
    embed_with_judge,
    read_attributes,
)


def identity(
    judge: EmbeddingJudge, images: list[Image.Image], gallery: Gallery
) -> list[bool]:
    """Say for each picture whether the true concept is the nearest of 100.

    Nearest by the cosine between the picture's embedding and each
    reference of the line-up: the true concept, 24 lookalikes (the same
    plain description fits them) and 75 random unseen concepts. The mean
    of the list is the identity score; blind guessing gives 0.01.
    Taught in notebooks/06_t_shirt.ipynb.
    """
    return [place == 1 for place in rank_truth(judge, images, gallery)]


def rank_truth(
    judge: EmbeddingJudge, images: list[Image.Image], gallery: Gallery
) -> list[int]:
    """Say for each picture in which place the true concept comes, 1 to 100.

    1 is what `identity` asks for; blind guessing gives 50 on average. A
    finer measure than `identity` where pictures are nearly right.
    Taught in notebooks/00_start_here.ipynb.
    """
    if not images:
        return []
    cosines = embed_with_judge(judge, images) @ gallery.references.T
    return (1 + (cosines[:, 1:] > cosines[:, :1]).sum(1)).tolist()


def prompt_score(
    judge: AttributeJudge,
    images: list[Image.Image],
    asked: dict[str, str],
) -> list[bool]:
    """Say for each picture whether it shows the object and style asked for.

    `asked` maps attributes to the labels that the prompt names, for
    example ``{"object": "person", "style": "photo"}``; all must be seen.
    The mean of the list is the prompt score.
    Taught in notebooks/07_corgi.ipynb.
    """
    for name, label in asked.items():
        if label not in judge.labels.get(name, ()):
            raise JudgeError(
                f"The judge knows no {name} {label!r}; it knows "
                f"{', '.join(judge.labels.get(name, judge.labels))}."
            )
    return [
        all(seen[name] == label for name, label in asked.items())
        for seen in read_attributes(judge, images)
    ]
