"""A learned word: its name, its file, and files that are no words."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tutorial_lib.errors import TutorialError, WordError
from tutorial_lib.inversion import learn_word
from tutorial_lib.settings import DATA, PROFILES
from tutorial_lib.words import LearnedWord
from tutorial_lib.words.tokens import check_not_ordinary

GOOD_NAMES = {
    "X": "<x>",
    "Y": "<y>",
    "my-shirt": "<my-shirt>",
    "Köln": "<köln>",
    "Ko\u0308ln": "<köln>",  # o and two dots, as some keyboards send it
    " X ": "<x>",
    "<toy>": "<toy>",
    "猫X": "<猫x>",
    "A.2": "<a.2>",
}
BAD_NAMES = ["", "   ", "my shirt", "a\tb", "*", "<>", "__", "...", None, 3]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_word_has_a_lower_case_token(make_word, name):
    word = make_word(name)
    assert word.placeholder_token == GOOD_NAMES[name]
    assert word.placeholder_token == word.placeholder_token.lower()


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_word_made_of_nothing_or_of_several_is_refused(make_word, name):
    with pytest.raises(WordError, match=r"such as \"[\w-]+\"\.$|not (None|3)"):
        make_word(name)


def test_a_saved_word_comes_back_with_all_that_is_known_of_it(tmp_path):
    word = LearnedWord(
        word="Köln",
        vectors=torch.randn(3, 192),
        base_model="tiny",
        recipe="both",
        steps=120,
        initializer="red stars",
        num_images=20,
    )
    path = word.save(tmp_path / "new folder" / "köln.safetensors")
    back = LearnedWord.load(path, profile=PROFILES["tiny"])
    assert torch.equal(back.vectors, word.vectors)
    for field in fields(LearnedWord):
        if field.name not in ("vectors", "history"):
            assert getattr(back, field.name) == getattr(word, field.name)


def test_the_file_has_one_float32_tensor_named_after_the_token(
    make_word, tmp_path
):
    word = make_word("X", num_vectors=2)
    word.vectors = word.vectors.double().t().contiguous().t()
    path = word.save(tmp_path / "word")
    assert path.name == "word.safetensors"
    with safe_open(path, framework="pt") as file:
        assert list(file.keys()) == ["<x>"]
        assert file.get_tensor("<x>").dtype == torch.float32
        assert file.get_tensor("<x>").shape == (2, word.width)
        assert file.metadata()["embedding_width"] == str(word.width)
    assert list(tmp_path.iterdir()) == [path]  # nothing is left over


def test_a_word_saved_again_replaces_the_older_one(make_word, tmp_path):
    path = make_word(seed=1).save(tmp_path / "x.safetensors")
    word = make_word(seed=2)
    word.save(path)
    assert torch.equal(LearnedWord.load(path).vectors, word.vectors)


def test_a_word_that_cannot_be_saved_leaves_the_old_file(
    make_word, tmp_path, monkeypatch
):
    path = make_word(seed=1).save(tmp_path / "x.safetensors")
    before = path.read_bytes()

    def break_off(target, content):
        with open(target, "wb") as file:
            file.write(content[:7])
        raise OSError("the disk is full")

    monkeypatch.setattr("pathlib.Path.write_bytes", break_off)
    with pytest.raises(OSError, match="full"):
        make_word(seed=2).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_number_of_images_is_written_under_its_present_name(
    make_word, tmp_path
):
    word = make_word()
    word.num_images = 6
    path = word.save(tmp_path / "x.safetensors")
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["num_images"] == "6"
        assert "num_pictures" not in file.metadata()
    assert LearnedWord.load(path).num_images == 6


def test_the_number_of_images_is_read_under_its_former_name(tmp_path):
    path = tmp_path / "old.safetensors"
    metadata = {"word": "X", "num_pictures": "20"}
    save_file({"<x>": torch.ones(1, 192)}, path, metadata=metadata)
    assert LearnedWord.load(path).num_images == 20


@pytest.mark.parametrize("name, count", [("tshirt", 20), ("face", 6)])
def test_the_shipped_words_are_read(name, count):
    path = DATA / "words" / f"{name}.safetensors"
    word = LearnedWord.load(path, profile=PROFILES["tiny"])
    assert (word.word, word.num_images) == ("X", count)


def test_a_word_of_another_models_width_is_refused(make_word, tmp_path):
    path = make_word(width=768).save(tmp_path / "x.safetensors")
    with pytest.raises(WordError, match="768 entries.* reads 192; load that"):
        LearnedWord.load(path, profile=PROFILES["tiny"])
    assert LearnedWord.load(path, profile=PROFILES["sd15"]).width == 768


def test_a_word_of_another_program_is_read(tmp_path):
    path = tmp_path / "cat-toy.safetensors"
    save_file({"<cat-toy>": torch.ones(768).half()}, path)
    word = LearnedWord.load(path)
    assert (word.word, word.placeholder_token) == ("cat-toy", "<cat-toy>")
    assert word.vectors.shape == (1, 768)
    assert word.vectors.dtype == torch.float32


def test_a_nameless_word_of_another_program_can_be_given_a_name(tmp_path):
    path = tmp_path / "old.safetensors"
    save_file({"*": torch.ones(1, 768)}, path)
    with pytest.raises(WordError, match="give it a name"):
        LearnedWord.load(path)
    assert LearnedWord.load(path, word="X").word == "X"


def write_truncated(path):
    save_file({"<x>": torch.ones(1, 192)}, path)
    path.write_bytes(path.read_bytes()[:-100])


FOREIGN = {
    "is cut short or no": write_truncated,
    "or no safetensors": lambda path: path.write_text("hello, world"),
    r"or no safetensors file \(": lambda path: path.write_bytes(b""),
    "holds 2 tensors": lambda path: save_file(
        {"<x>": torch.ones(1, 768), "<y>": torch.ones(1, 768)}, path
    ),
    "holds 0 tensors": lambda path: save_file({}, path),
    "5 x 4 x 3": lambda path: save_file({"w": torch.ones(5, 4, 3)}, path),
    "1000 x 192": lambda path: save_file({"w": torch.ones(1000, 192)}, path),
    "torch.int64": lambda path: save_file(
        {"w": torch.ones(1, 192, dtype=torch.int64)}, path
    ),
    "not finite": lambda path: save_file(
        {"w": torch.full((1, 192), float("nan"))}, path
    ),
}


@pytest.mark.parametrize("reason", FOREIGN)
def test_a_foreign_or_broken_file_is_refused_by_name(tmp_path, reason):
    path = tmp_path / "foreign.safetensors"
    FOREIGN[reason](path)
    with pytest.raises(WordError, match=reason) as caught:
        LearnedWord.load(path)
    assert "foreign.safetensors" in str(caught.value)
    assert caught.value.__cause__ is None  # no traceback from the depths


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(WordError, match="no learned word at .*x.safetensors"):
        LearnedWord.load(tmp_path / "x.safetensors")


def test_a_word_is_loaded_by_the_name_it_was_saved_by(
    make_word, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    word = make_word("X")
    for name in ("X", "my.word", "X.safetensors", "Y.SAFETENSORS", "~/X"):
        path = word.save(name)
        assert path.suffix.lower() == ".safetensors"
        assert path.name.lower().count(".safetensors") == 1
        assert torch.equal(LearnedWord.load(name).vectors, word.vectors)
    (tmp_path / "X.safetensors").rename(tmp_path / "Z.safetensors")
    (tmp_path / "Z").mkdir()  # a folder of the same name is in no one's way
    assert LearnedWord.load("Z").word == "X"
    with pytest.raises(WordError, match="'home' is a folder; name a word's"):
        LearnedWord.load("home")
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".PT", ".ckpt"])
def test_a_word_is_not_saved_as_a_pickle(make_word, tmp_path, suffix):
    with pytest.raises(WordError, match=r"call it '.*/X\.safetensors'\.$"):
        make_word().save(tmp_path / f"X{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "token", ["*", "<>", "two words", "<|endoftext|>", "a\tb"]
)
def test_a_file_whose_word_no_prompt_could_hold_is_named(tmp_path, token):
    path = tmp_path / "style.safetensors"
    save_file({token: torch.ones(1, 768)}, path)
    with pytest.raises(WordError, match="give it a name, as in") as caught:
        LearnedWord.load(path)
    assert f"LearnedWord.load('{path}', word=\"X\")" in str(caught.value)
    assert LearnedWord.load(path, word="X").word == "X"
    with pytest.raises(WordError, match="The new word is empty"):
        LearnedWord.load(path, word="")


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_a_word_of_eight_bits_is_refused_in_one_sentence(tmp_path, dtype):
    path = tmp_path / "small.safetensors"
    save_file({"<x>": torch.ones(1, 768).to(dtype)}, path)
    with pytest.raises(WordError, match="small.* too coarse for a word; look"):
        LearnedWord.load(path)


@pytest.mark.parametrize(
    "name",
    ["|endoftext|", "<|endoftext|>", "|StartOfText|", "end_of_text"],
)
def test_a_special_token_is_no_word(models, images, make_word, name):
    with pytest.raises(WordError, match="the models use already; give it a"):
        make_word(name)
    with pytest.raises(WordError, match="the models use already"):
        learn_word(models, images, word=name)
    with pytest.raises(WordError, match="the models use already"):
        make_word("X").rename(name)


def test_any_other_token_of_the_vocabulary_is_no_word(models):
    """Diffusers would refuse the file of such a word."""
    vocabulary = models.pipeline.tokenizer.get_vocab()
    assert "<-</w>" in vocabulary and "<x>" not in vocabulary
    for tokenizer in (models.clip_tokenizer, models.pipeline.tokenizer):
        with pytest.raises(WordError, match="<-</w>, which the models use"):
            check_not_ordinary(tokenizer, "-</w")
        check_not_ordinary(tokenizer, "X")


@pytest.mark.parametrize(
    "vectors",
    [None, "a", 3, [], [[]], torch.zeros(2, 2, 2), torch.ones(1, 3).long(),
     np.zeros((0, 3)), torch.zeros(2, 0), ["a"],
     [None], torch.full((1, 3), float("inf")),
     torch.ones(1, 3).to(torch.float8_e5m2)],
    ids=repr,
)  # fmt: skip
def test_vectors_are_a_table_of_fractions(vectors):
    with pytest.raises(WordError, match='of "X" must be a table of finite'):
        LearnedWord("X", vectors)


def test_vectors_may_be_an_array_or_a_single_row():
    for vectors in (np.ones((1, 4)), np.ones(4), [1, 1, 1, 1], torch.ones(4)):
        word = LearnedWord("X", vectors)
        assert torch.equal(word.vectors, torch.ones(1, 4))


def test_a_profile_may_be_named(make_word, tmp_path):
    path = make_word(width=192).save(tmp_path / "X")
    assert LearnedWord.load(path, "tiny").width == 192
    with pytest.raises(WordError, match="reads 768"):
        LearnedWord.load(path, "sd15")
    with pytest.raises(TutorialError, match='no models called "huge"'):
        LearnedWord.load(path, "huge")
    with pytest.raises(TutorialError, match="`profile` cannot be 3; give"):
        LearnedWord.load(path, 3)
    for name in (None, 3, "", b"X", "a\0b"):
        with pytest.raises(TutorialError, match="`path` cannot be"):
            LearnedWord.load(name)
        with pytest.raises(TutorialError, match="`path` cannot be"):
            make_word().save(name)
    with pytest.raises(WordError, match="no learned word at"):
        LearnedWord.load("a" * 5000)


def test_a_count_of_many_digits_in_a_file_is_none(tmp_path):
    path = tmp_path / "x.safetensors"
    metadata = {"steps": "9" * 5000, "num_images": "-3"}
    save_file({"<x>": torch.ones(1, 192)}, path, metadata=metadata)
    word = LearnedWord.load(path)
    assert (word.steps, word.num_images) == (0, 0)


def test_a_renamed_word_has_the_same_vectors(make_word):
    word = make_word("X")
    other = word.rename("Y")
    assert (other.word, other.placeholder_token) == ("Y", "<y>")
    assert torch.equal(word.vectors, other.vectors)
