"""CLIP: pictures and texts become vectors, and their cosine is compared."""

import torch
from torch.nn import functional

from tutorial_lib.words import tokenize_prompts, use_words

BATCH_SIZE = 32


@torch.no_grad()
def embed_images(models, images):
    """Turn pictures into CLIP's vectors.

    `pictures` is a list of PIL pictures. Returns (num_pictures, d)
    float32 of length one, on the models' device. Source: the article's
    opening, CLIP. Taught in notebooks/01_clip_similarity.ipynb.
    """
    found = []
    for i in range(0, len(images), BATCH_SIZE):
        batch = images[i : i + BATCH_SIZE]
        pixels = torch.stack([models.preprocess(p) for p in batch])
        features = models.clip.encode_image(pixels.to(models.device))
        found.append(functional.normalize(features.float(), dim=-1))
    return torch.cat(found)


@torch.no_grad()
def embed_texts(models, texts, words=()):
    """Turn texts, which may hold learned words, into CLIP's vectors.

    Returns (num_texts, d) float32 of length one, on the models' device.
    Source: step 1 of the article. Taught in
    notebooks/01_clip_similarity.ipynb.
    """
    token_ids = tokenize_prompts(
        models.clip_tokenizer,
        texts,
        words=words,
        context_length=models.clip.context_length,
    )
    return embed_token_ids(models, token_ids, words=words)


def embed_token_ids(models, token_ids, words=()):
    """Turn token ids into CLIP's vectors, with a gradient to the words.

    `ids` (num_texts, tokens) come from `encode_prompts` with the same
    words. Returns (num_texts, d) float32 of length one.
    """
    with use_words(models.clip, words):
        features = models.clip.encode_text(token_ids.to(models.device))
    return functional.normalize(features.float(), dim=-1)


def measure_similarity(models, images, texts, words=()):
    """Measure the cosine similarity of each text with each picture.

    Returns (num_texts, num_pictures) float32 on the CPU, from -1 to 1.
    Source: step 2 of the article. Taught in
    notebooks/01_clip_similarity.ipynb.
    """
    texts = [texts] if isinstance(texts, str) else texts
    of_texts = embed_texts(models, texts, words=words)
    of_images = embed_images(models, images)
    return (of_texts @ of_images.T).cpu()


def find_nearest_rows(rows, row, count):
    """Find the rows of a table whose direction is nearest to a row's.

    `rows` is (num_rows, width), such as a table of embeddings, `row` is
    (1, width). Returns the cosines and the rows' numbers (`values` and
    `indices`), both (count,), the nearest first. Taught in
    notebooks/02_the_word_x.ipynb.
    """
    cosines = functional.cosine_similarity(row, rows)  # (num_rows,)
    return cosines.topk(count)
