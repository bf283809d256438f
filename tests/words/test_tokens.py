"""A learned word in a prompt: where it counts, and its token ids."""

import pytest
import torch

from tutorial_lib.errors import WordError
from tutorial_lib.words import find_words, split_prompt, tokenize_prompts

V = 49408  # tokens in CLIP's vocabulary
COUNTS = {  # prompt -> how often X stands in it
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


@pytest.mark.parametrize("prompt", COUNTS)
def test_a_word_counts_only_where_it_stands_alone(
    make_word, tokenizers, prompt
):
    word = make_word("X")
    assert len(split_prompt(prompt, [word])[1::2]) == COUNTS[prompt]
    assert bool(find_words(prompt, [word])) == (COUNTS[prompt] > 0)
    for tokenizer in tokenizers:
        token_ids = tokenize_prompts(tokenizer, [prompt], words=[word])
        assert (token_ids == V).sum() == COUNTS[prompt]
        assert token_ids.max() < V + 1


def test_a_prompt_without_the_word_is_read_as_ever(make_word, tokenizers):
    prompts = ["Xmas, x and a corgie's X-ray", "", "köln 日本 &amp;"]
    theirs, ours = tokenizers
    expected = theirs(prompts)
    assert torch.equal(
        tokenize_prompts(theirs, prompts, words=[make_word("X")]), expected
    )
    token_ids = tokenize_prompts(ours, prompts[:2], words=[make_word("X")])
    expected = ours(prompts[:2], padding="max_length", return_tensors="pt")
    assert torch.equal(token_ids, expected.input_ids)


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
        assert torch.equal(token_ids[0], token_ids[1])
        assert (token_ids == V).sum() == 2


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
        token_ids = tokenize_prompts(
            tokenizer, ["Y in X and X-2"], words=words
        )[0]
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
    theirs, ours = (
        tokenize_prompts(tokenizer, ["cat"])[0, 3:] for tokenizer in tokenizers
    )
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
