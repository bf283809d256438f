"""CLIP turns images and texts into vectors, and their cosine compares them."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from tutorial_lib.images import Images, as_images
from tutorial_lib.models import Models, check_models
from tutorial_lib.words import (
    Words,
    select_encoder,
    tokenize_prompts,
    use_words,
)

BATCH_SIZE = 32


@torch.no_grad()
def embed_images(
    models: Models, images: Images
) -> Float[Tensor, "num_images width"]:
    """Turn images into CLIP's vectors.

    They are float32 and of length one, on the models' device. `images` is
    what `as_images` takes: a list of images, a Concept, a path or the like.
    Source: the article's opening, CLIP. Taught in
    notebooks/01_clip_similarity.ipynb.
    """
    images = as_images(images)
    models.clip.visual.to(models.device)  # learning may keep it off the GPU
    batches = []
    for i in range(0, len(images), BATCH_SIZE):
        batch = images[i : i + BATCH_SIZE]
        pixels = torch.stack([models.preprocess(image) for image in batch])
        features = models.clip.encode_image(pixels.to(models.device))
        batches.append(functional.normalize(features.float(), dim=-1))
    return torch.cat(batches)


@torch.no_grad()
def embed_texts(
    models: Models,
    texts: str | Sequence[str],
    words: Words = (),
) -> Float[Tensor, "num_texts width"]:
    """Turn texts, which may hold learned words, into CLIP's vectors.

    They are float32 and of length one, on the models' device. Source: step 1
    of the article. Taught in notebooks/01_clip_similarity.ipynb.
    """
    check_models(models)
    token_ids = tokenize_prompts(
        models.clip_tokenizer,
        texts,
        words=words,
        context_length=models.clip.context_length,
    )
    return embed_token_ids(models, token_ids, words=words)


def embed_token_ids(
    models: Models,
    token_ids: Int[Tensor, "num_texts tokens"],
    words: Words = (),
) -> Float[Tensor, "num_texts width"]:
    """Turn token ids into CLIP's vectors, with a gradient to the words.

    The token ids come from `tokenize_prompts` with the same words. The
    vectors are float32 and of length one.
    """
    # Of two text encoders, CLIP's is the first.
    words = select_encoder(models.profile, words, 0)
    with use_words(models.clip, words):
        features = models.clip.encode_text(token_ids.to(models.device))
    return functional.normalize(features.float(), dim=-1)


def measure_similarity(
    models: Models,
    images: Images,
    texts: str | Sequence[str],
    words: Words = (),
) -> Float[Tensor, "num_texts num_images"]:
    """Measure the cosine similarity of each text with each image.

    The table is on the CPU, its entries are from -1 to 1. Source: step 2 of
    the article. Taught in notebooks/01_clip_similarity.ipynb.
    """
    texts = [texts] if isinstance(texts, str) else texts
    of_texts = embed_texts(models, texts, words=words)
    of_images = embed_images(models, images)
    return (of_texts @ of_images.T).cpu()


def find_nearest_rows(
    rows: Float[Tensor, "num_rows width"],
    row: Float[Tensor, "1 width"],
    count: int,
) -> torch.return_types.topk:
    """Find the rows of a table whose direction is nearest to a row's.

    Returns the cosines and the rows' numbers (`values` and `indices`), the
    nearest first. Taught in notebooks/02_the_word_x.ipynb.
    """
    cosines = functional.cosine_similarity(row, rows)  # (num_rows,)
    return cosines.topk(count)
