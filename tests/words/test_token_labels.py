"""What the tokens of a prompt are called, place by place."""

import pytest

from tutorial_lib.words import label_tokens, tokenize_prompts


def list_tokens(labels):
    """Return the tokens of labels, and their words."""
    return [x.token for x in labels], [x.word for x in labels]


def test_each_token_has_a_label_from_start_to_end(models, make_word):
    tokenizer = models.pipeline.tokenizer
    words = [make_word("X", num_vectors=2), make_word("Y")]
    prompt = "Y with a corgie, in X"
    tokens, owners = list_tokens(label_tokens(tokenizer, prompt, words))
    assert tokens[:5] == ["<start>", "Y", "with", "a", "cor"]
    assert tokens[5:] == ["gie", ",", "in", "X 1", "X 2", "<end>"]
    assert owners[4:6] == ["corgie", "corgie"]
    assert owners[8:10] == ["X", "X"]


def test_the_labels_stand_where_the_token_ids_do(models, make_word):
    tokenizer = models.pipeline.tokenizer
    x, y = make_word("X", num_vectors=3), make_word("Y")
    labels = label_tokens(tokenizer, "X and a Corgie, Y X", [x, y])
    [token_ids] = tokenize_prompts(
        tokenizer, "X and a Corgie, Y X", words=[x, y]
    ).tolist()
    size = len(tokenizer)
    for label, token_id in zip(labels, token_ids, strict=False):
        if token_id >= size:
            expected = ["X 1", "X 2", "X 3", "Y"][token_id - size]
            assert label.token == expected
        elif label.token not in ("<start>", "<end>"):
            assert label.token == tokenizer.decode([token_id]).strip()
    assert token_ids[len(labels) - 1] == tokenizer.eos_token_id


@pytest.mark.filterwarnings("ignore:The prompt")
def test_what_is_not_read_has_no_label(models):
    tokenizer = models.pipeline.tokenizer
    length = tokenizer.model_max_length
    labels = label_tokens(tokenizer, "corgi " * 2 * length)
    assert len(labels) == length
    assert labels[-1].token == "<end>" and labels[-2].word == "corgi"


def test_a_word_in_japanese_keeps_its_letters_together(models, make_word):
    labels = label_tokens(models.pipeline.tokenizer, "Xの写真", [make_word()])
    assert {label.word for label in labels[2:-1]} == {"の写真"}
    assert labels[1].word == "X"


def test_an_empty_prompt_is_start_and_end(models):
    tokens, _ = list_tokens(label_tokens(models.pipeline.tokenizer, ""))
    assert tokens == ["<start>", "<end>"]
