"""A learned word's vectors in a text encoder."""

import pytest
import torch

from tutorial_lib.errors import WordError
from tutorial_lib.words import (
    PlaceholderEmbedding,
    get_embedding,
    tokenize_prompts,
    use_words,
)


def encoders_of(models):
    return [models.clip, models.pipeline.text_encoder]


def test_the_words_are_known_within_the_block_and_no_longer(make_word, models):
    for encoder in encoders_of(models):
        table = get_embedding(encoder)
        before = {k: v.clone() for k, v in encoder.state_dict().items()}
        with (
            pytest.raises(ZeroDivisionError),
            use_words(encoder, [make_word("X")]),
        ):
            assert isinstance(get_embedding(encoder), PlaceholderEmbedding)
            raise ZeroDivisionError
        assert get_embedding(encoder) is table
        after = encoder.state_dict()
        assert before.keys() == after.keys()
        assert all(torch.equal(before[key], after[key]) for key in before)


def test_ids_below_the_vocabularys_size_look_up_the_table(make_word):
    table = torch.nn.Embedding(10, 4)
    words = [make_word("X", 2, width=4), make_word("Y", 1, width=4, seed=8)]
    embedding = PlaceholderEmbedding(table, [word.vectors for word in words])
    embedded = embedding(torch.tensor([[9, 10, 11], [12, 0, 3]]))
    assert torch.equal(embedded[0, 0], table.weight[9])
    assert torch.equal(embedded[0, 1:], words[0].vectors)
    assert torch.equal(embedded[1, 0], words[1].vectors[0])
    assert torch.equal(embedded[1, 1:], table.weight[[0, 3]])
    assert "vectors" not in "".join(embedding.state_dict())


def test_the_gradient_reaches_the_vectors_and_nothing_else(make_word, models):
    for encoder, tokenizer in zip(
        encoders_of(models),
        [models.clip_tokenizer, models.pipeline.tokenizer],
        strict=True,
    ):
        word = make_word("X", num_vectors=2)
        word.vectors.requires_grad_(True)
        token_ids = tokenize_prompts(tokenizer, ["A photo of X"], words=[word])
        with use_words(encoder, [word]):
            if encoder is models.clip:
                out = encoder.encode_text(token_ids)
            else:
                out = encoder(token_ids)[0]
        out.square().sum().backward()
        assert word.vectors.grad.abs().min() > 0
        assert all(p.grad is None for p in encoder.parameters())


@torch.no_grad()
def test_a_word_with_an_ordinary_words_row_means_the_same(make_word, models):
    ordinary = models.clip_tokenizer.encode("corgi")
    word = make_word("X")
    word.vectors = models.clip.token_embedding.weight[ordinary].clone()
    prompts = ["a photo of X, blue", "a photo of corgi, blue"]
    token_ids = tokenize_prompts(models.clip_tokenizer, prompts, words=[word])
    with use_words(models.clip, [word]):
        given, expected = models.clip.encode_text(token_ids)
    assert (given - expected).abs().max() < 1e-5
    token_ids = tokenize_prompts(
        models.pipeline.tokenizer, prompts, words=[word]
    )
    with use_words(models.pipeline.text_encoder, [word]):
        out = models.pipeline.text_encoder(token_ids)
    for given, expected in (out.last_hidden_state, out.pooler_output):
        assert (given - expected).abs().max() < 1e-5


@torch.no_grad()
def test_the_pooled_vector_is_read_at_the_end_not_at_the_word(
    make_word, models
):
    """open_clip's default, the largest id, would read it at X."""
    assert models.clip.text_pool_type == "eos"
    word = make_word("X")
    prompts = ["X is red", "X is a blue mug"]
    token_ids = tokenize_prompts(models.clip_tokenizer, prompts, words=[word])
    with use_words(models.clip, [word]):
        red, blue = models.clip.encode_text(token_ids)
    assert (red - blue).abs().max() > 1e-3  # what follows X is heard


def test_a_word_of_another_width_is_refused(make_word, models):
    for encoder in encoders_of(models):
        with pytest.raises(WordError, match="768 entries.*reads 32"):
            with use_words(encoder, [make_word("X", width=768)]):
                pass
        assert not isinstance(get_embedding(encoder), PlaceholderEmbedding)
