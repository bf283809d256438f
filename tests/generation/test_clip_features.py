"""CLIP's vectors of images and texts, and their similarity."""

import pytest
import torch

from tutorial_lib.generation import (
    embed_images,
    embed_texts,
    measure_similarity,
)


def test_vectors_have_length_one_and_similarities_are_cosines(
    models, images, make_word
):
    words = [make_word("X")]
    texts = ["a photo of X", "a photo of x", "corgi"]
    of_texts = embed_texts(models, texts, words=words)
    of_images = embed_images(models, images)
    assert of_texts.norm(dim=1) == pytest.approx([1.0] * 3, abs=1e-5)
    assert of_images.norm(dim=1) == pytest.approx([1.0] * 4, abs=1e-5)
    similarity = measure_similarity(models, images, texts, words=words)
    assert similarity.shape == (3, 4)
    assert torch.allclose(similarity, of_texts @ of_images.T)
    assert (similarity[0] - similarity[1]).abs().max() > 1e-3  # X is not x


def test_one_text_may_be_given_as_it_is(models, images):
    assert measure_similarity(models, images[:2], "a mug").shape == (1, 2)
