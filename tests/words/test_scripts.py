"""A word beside letters: of scripts with spaces, and of those without."""

import pytest
import torch

from tutorial_lib.words import split_prompt, tokenize_prompts

V = 49408  # tokens in CLIP's vocabulary


@pytest.mark.parametrize(
    "prompt",
    [
        "Xの写真",  # Japanese: a photo of X
        "XのTシャツを着たコーギー",
        "写真はXです",
        "Xカメラ",
        "穿着X的柯基",  # Chinese
        "「X」",
        "X의 사진",  # Korean: its particles follow without a space
        "รูปถ่ายของX",  # Thai
        "ຮູບຂອງX",  # Lao
        "រូបថតរបស់X",  # Khmer
        "Xの",
    ],
)
def test_x_stands_alone_beside_a_script_without_spaces(
    models, make_word, prompt
):
    word = make_word("X")
    assert split_prompt(prompt, [word])[1::2] == ["X"]
    for tokenizer in (models.clip_tokenizer, models.pipeline.tokenizer):
        token_ids = tokenize_prompts(
            tokenizer, prompt, words=word, context_length=77
        )
        assert (token_ids == V).sum() == 1


@pytest.mark.parametrize(
    "prompt",
    [
        "Xmas",
        "x",
        "X-ray",
        "xの写真",
        "XXの写真",
        "X2の写真",
        "TXの写真",
        "Xäの",
        "Хの写真",  # a Cyrillic letter that looks like it
        "Xр",  # Russian and Greek have spaces
        "λX",
        "Xक",  # and so has Hindi
        "X٣",  # an Arabic digit
        "X๒",  # a Thai digit
        "X_の",
    ],
)
def test_letters_of_the_same_word_do_not_make_an_x(make_word, prompt):
    assert split_prompt(prompt, [make_word("X")]) == [prompt]


@pytest.mark.parametrize(
    ("name", "prompt", "count"),
    [
        ("猫", "猫の写真", 1),  # Han beside Hiragana
        ("猫", "子猫の写真", 0),  # a kitten is another word
        ("トトロ", "トトロの絵", 1),
        ("トトロ", "トトロズの絵", 0),
        ("ぽち", "ぽちの写真", 0),  # there a space is needed
        ("ぽち", "ぽち の写真", 1),
        ("猫X", "その猫Xの写真", 1),
        ("猫X", "子猫Xの写真", 0),
        ("my-shirt", "my-shirtの写真", 1),
        ("my-shirt", "my-shirtsの写真", 0),
    ],
)
def test_a_word_of_such_a_script_ends_where_another_script_begins(
    make_word, name, prompt, count
):
    assert len(split_prompt(prompt, [make_word(name)])) // 2 == count


def test_two_words_beside_each_other_are_told_apart(make_word):
    words = [make_word("X"), make_word("X-2"), make_word("猫")]
    assert split_prompt("X-2と猫とX", words)[1::2] == ["X-2", "猫", "X"]


def test_learning_and_generating_read_the_same_word(models, make_word):
    """What is read as a word has the word's own place, between the others."""
    word = make_word("X")
    word.vectors = torch.randn(1, word.width)
    spaced, close = tokenize_prompts(
        models.pipeline.tokenizer, ["X の写真", "Xの写真"], words=word
    )
    assert torch.equal(spaced, close)
