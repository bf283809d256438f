"""A word for models with two text encoders, such as SDXL."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tutorial_lib.errors import WordError
from tutorial_lib.words import FORMS, LearnedWord, initialize_word, use_words

ONE_ENCODER = [name for name in FORMS if len(FORMS[name].keys) == 1]


def make_rows(num_vectors=2, width=768, seed=0):
    """Return random vectors of the size that learned ones have."""
    generator = torch.Generator().manual_seed(seed)
    return 0.05 * torch.randn(num_vectors, width, generator=generator)


@pytest.fixture
def sdxl_word():
    """Return a word for two text encoders."""
    return LearnedWord("X", make_rows(), vectors_2=make_rows(2, 1280, seed=1))


def read_tensors(path):
    """Return the tensors of a safetensors file by name."""
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


def write_kohya_sdxl(path, rows, rows_2):
    """kohya-ss/sd-scripts, sdxl_train_textual_inversion.py, save_weights."""
    state_dict = {"clip_l": rows, "clip_g": rows_2}
    if path.suffix == ".safetensors":
        save_file(state_dict, path, {"modelspec.architecture": "sdxl"})
    else:
        torch.save(state_dict, path)


@pytest.mark.parametrize("name", ["toy.safetensors", "toy.pt"])
def test_a_word_for_two_encoders_is_kept_whole(name, tmp_path):
    rows, rows_2 = make_rows().half(), make_rows(2, 1280).half()
    write_kohya_sdxl(tmp_path / name, rows, rows_2)
    word = LearnedWord.load(tmp_path / name)
    path = word.rename("mug").save(tmp_path / "new")
    tensors = read_tensors(path)
    assert set(tensors) == {"clip_l", "clip_g"}
    assert torch.equal(tensors["clip_l"], rows.float())
    assert torch.equal(tensors["clip_g"], rows_2.float())
    assert (word.word, LearnedWord.load(path).word) == ("toy", "mug")


def test_a_word_for_two_encoders_comes_back_bit_for_bit(sdxl_word, tmp_path):
    sdxl_word.recipe, sdxl_word.steps = "both", 7
    back = LearnedWord.load(sdxl_word.save(tmp_path / "X", "sdxl"))
    assert torch.equal(back.vectors, sdxl_word.vectors)
    assert torch.equal(back.vectors_2, sdxl_word.vectors_2)
    assert back.describe() == sdxl_word.describe()


@pytest.mark.parametrize("form", ONE_ENCODER)
def test_half_a_word_is_never_saved(form, sdxl_word, tmp_path):
    with pytest.raises(WordError, match='two text.*; say form="sdxl"'):
        sdxl_word.save(tmp_path / "X", form)
    assert not list(tmp_path.iterdir())


def test_a_word_for_one_encoder_is_no_sdxl_word(make_word, tmp_path):
    with pytest.raises(WordError, match='one text.*; say form="diffusers"'):
        make_word().save(tmp_path / "X", "sdxl")


@pytest.mark.parametrize("profile", ["tiny", "sd15"])
def test_models_with_one_encoder_say_so(profile, sdxl_word, tmp_path):
    path = sdxl_word.save(tmp_path / "X")
    with pytest.raises(WordError, match=f'and "{profile}" has one; learn'):
        LearnedWord.load(path, profile)


def test_a_word_for_two_encoders_is_used_nowhere_by_half(models):
    rows, rows_2 = make_rows(1, 32), make_rows(1, 48)
    word = LearnedWord("X", rows, vectors_2=rows_2)
    encoder = models.pipeline.text_encoder
    with pytest.raises(WordError, match="two text encoders, as SDXL"):
        with use_words(encoder, word):
            pass
    with pytest.raises(WordError, match="two text encoders, as SDXL"):
        initialize_word(models, "Y", word, 1)


def test_both_encoders_read_as_many_vectors(tmp_path):
    with pytest.raises(WordError, match="2 vectors for the first.* 1 for"):
        LearnedWord("X", make_rows(2), vectors_2=make_rows(1, 1280))
    path = tmp_path / "uneven.safetensors"
    write_kohya_sdxl(path, make_rows(2), make_rows(3, 1280))
    with pytest.raises(WordError, match="uneven.* 2 vectors for .* 3 for"):
        LearnedWord.load(path)
