"""A word in a prompt, and its vectors in a text encoder."""

import open_clip
import pytest
import torch

from tutorial_lib.errors import WordError
from tutorial_lib.words.initializer import initialize_word
from tutorial_lib.words.placeholder_embedding import (
    PlaceholderEmbedding,
    get_embedding,
    use_words,
)
from tutorial_lib.words.tokens import (
    find_words,
    split_prompt,
    tokenize_prompts,
)

V = 49408  # tokens in CLIP's vocabulary
FOUND = {
    "X": 1,
    "A T-shirt in the style of X": 1,
    "X, X and (X).": 3,
    "X's shirt": 1,
    'the "X"': 1,
    "X/Y": 1,
    "x": 0,
    "Xmas": 0,
    "X-ray": 0,
    "T-X": 0,
    "MaX": 0,
    "X1": 0,
    "X_2": 0,
    "äX": 0,
    "": 0,
}


@pytest.fixture
def tokenizers(models):
    """Return open_clip's tokenizer and transformers', of one length."""
    return [models.clip_tokenizer, models.pipeline.tokenizer]


@pytest.mark.parametrize("prompt", FOUND)
def test_a_word_counts_only_where_it_stands_alone(
    make_word, tokenizers, prompt
):
    word = make_word("X")
    assert len(split_prompt(prompt, [word])[1::2]) == FOUND[prompt]
    assert bool(find_words(prompt, [word])) == (FOUND[prompt] > 0)
    for tokenizer in tokenizers:
        token_ids = tokenize_prompts(tokenizer, [prompt], words=[word])
        assert (token_ids == V).sum() == FOUND[prompt]
        assert token_ids.max() < V + 1


def test_a_prompt_without_the_word_is_read_as_ever(make_word, tokenizers):
    prompts = ["Xmas, x and a corgie's X-ray", "", "köln 日本 &amp;"]
    theirs, ours = tokenizers
    expected = theirs(prompts)
    assert torch.equal(
        tokenize_prompts(theirs, prompts, words=[make_word("X")]), expected
    )
    found = tokenize_prompts(ours, prompts[:2], words=[make_word("X")])
    expected = ours(prompts[:2], padding="max_length", return_tensors="pt")
    assert torch.equal(found, expected.input_ids)


def test_all_other_tokens_stay_where_they_are(make_word, tokenizers):
    prompt = "An anime illustration of {}, wearing {}'s hat."
    for tokenizer in tokenizers:
        plain = tokenize_prompts(tokenizer, [prompt.replace("{}", "x")])
        given = tokenize_prompts(
            tokenizer, [prompt.replace("{}", "X")], words=[make_word("X")]
        )
        replaced = torch.where(plain == 343, V, plain)  # 343 is "x"
        assert torch.equal(given, replaced)
        assert (given == V).sum() == 2


def test_letters_and_their_accents_may_be_typed_apart(make_word, tokenizers):
    for tokenizer in tokenizers:
        token_ids = tokenize_prompts(
            tokenizer, ["in Ko\u0308ln", "in Köln"], words=[make_word("Köln")]
        )
        assert (
            torch.equal(token_ids[0], token_ids[1])
            and (token_ids == V).sum() == 2
        )


@pytest.mark.parametrize("name", ["Y", "my-shirt", "Köln", "猫X", "<toy>"])
def test_other_names_work_as_well_as_x(make_word, tokenizers, name):
    for tokenizer in tokenizers:
        token_ids = tokenize_prompts(
            tokenizer, [f"Corgi with {name}."], words=[make_word(name)]
        )
        plain = tokenize_prompts(tokenizer, ["Corgi with x."])
        assert torch.equal(token_ids, torch.where(plain == 343, V, plain))


def test_several_words_and_several_vectors_have_ids_of_their_own(
    make_word, tokenizers
):
    words = [make_word("X", num_vectors=2), make_word("Y"), make_word("X-2")]
    for tokenizer in tokenizers:
        token_ids = tokenize_prompts(tokenizer, ["Y in X and X-2"], words=words)[0]
        assert token_ids[token_ids >= V].tolist() == [V + 2, V, V + 1, V + 3]


def test_a_long_prompt_keeps_its_end_and_says_so(make_word, tokenizers):
    for tokenizer in tokenizers:
        with pytest.warns(UserWarning, match="too long; its last 9 tokens"):
            token_ids = tokenize_prompts(
                tokenizer, ["X " + "cat " * 30], words=[make_word("X")]
            )
        assert token_ids.shape == (1, 24)
        assert token_ids[0, 1] == V and token_ids[0, -1] == 49407
        with pytest.raises(WordError, match='"X" falls off.*shorten it'):
            tokenize_prompts(
                tokenizer, ["cat " * 30 + "X"], words=[make_word("X")]
            )


def test_padding_is_each_tokenizers_own(tokenizers):
    theirs, ours = (tokenize_prompts(t, ["cat"])[0, 3:] for t in tokenizers)
    assert set(theirs.tolist()) == {0}
    assert set(ours.tolist()) == {49407}


def test_the_tokenizers_are_not_changed(make_word, tokenizers):
    for tokenizer in tokenizers:
        tokenize_prompts(tokenizer, ["an X"], words=[make_word("X")])
    assert tokenizers[0].vocab_size == V
    assert len(tokenizers[1]) == V


def test_two_words_of_one_token_are_refused(make_word, tokenizers):
    with pytest.raises(WordError, match=r'"Ab" and "AB".*rename\("Y"\)'):
        tokenize_prompts(
            tokenizers[0], ["AB"], words=[make_word("Ab"), make_word("AB")]
        )


@pytest.mark.parametrize(
    ("name", "remedy"), [("cat", '"Cat"'), ("x", '"X"'), ("7", '"X7"')]
)
def test_a_word_that_would_hide_an_ordinary_one_is_refused(
    make_word, tokenizers, name, remedy
):
    for tokenizer in tokenizers:
        with pytest.raises(WordError, match=f"would hide it; .*{remedy}"):
            tokenize_prompts(tokenizer, [name], words=[make_word(name)])


# --- the embedding


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
    found = embedding(torch.tensor([[9, 10, 11], [12, 0, 3]]))
    assert torch.equal(found[0, 0], table.weight[9])
    assert torch.equal(found[0, 1:], words[0].vectors)
    assert torch.equal(found[1, 0], words[1].vectors[0])
    assert torch.equal(found[1, 1:], table.weight[[0, 3]])
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
    token_ids = tokenize_prompts(models.pipeline.tokenizer, prompts, words=[word])
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


# --- the start


def test_a_word_starts_as_the_mean_of_its_initializers_rows(models):
    table = models.clip.token_embedding.weight
    tokens = open_clip.SimpleTokenizer().encode("red stars")
    one = initialize_word(models, "X", "red stars", num_vectors=1)
    assert torch.allclose(one.vectors, table[tokens].mean(0))
    three = initialize_word(models, "X", "red stars", num_vectors=3)
    assert torch.equal(three.vectors, table[[*tokens, tokens[0]]])
    assert three.vectors.requires_grad and three.vectors.is_leaf
    again = initialize_word(models, "Y", three, num_vectors=3)
    assert torch.equal(again.vectors, three.vectors)
    assert again.initializer == "red stars"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initializer": "  "}, "initializer is empty; name an ordinary"),
        ({"num_vectors": 0}, "cannot have 0 vectors; choose between"),
        ({"num_vectors": 76}, "cannot have 76 vectors"),
        ({"word": "shirt"}, 'hide it; write it with a capital \\("Shirt"'),
    ],
)
def test_a_start_that_is_none_is_refused(models, settings, message):
    with pytest.raises(WordError, match=message):
        initialize_word(
            models,
            **{
                "word": "X",
                "initializer": "pattern",
                "num_vectors": 1,
                **settings,
            },
        )
