"""Files for every program: out and back, and as the others write them.

What other programs write is built here as their own code builds it; the
repository and path of that code stand beside each.
"""

import json
from dataclasses import fields

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from tutorial_lib.errors import TutorialError, WordError
from tutorial_lib.settings import DATA, PROFILES
from tutorial_lib.words import FORMS, LearnedWord

ONE_ENCODER = [name for name in FORMS if len(FORMS[name].keys) == 1]
DTYPES = {
    "float32": (torch.float32, 0.0),
    "float16": (torch.float16, 2**-11),  # half a step, relative
    "bfloat16": (torch.bfloat16, 2**-8),
}


def make_rows(num_vectors=2, width=768, seed=0):
    """Return random vectors of the size that learned ones have."""
    generator = torch.Generator().manual_seed(seed)
    return 0.05 * torch.randn(num_vectors, width, generator=generator)


@pytest.fixture
def word():
    """Return a word of which everything is known."""
    return LearnedWord(
        word="Köln",
        vectors=make_rows(),
        base_model="sd15",
        recipe="both",
        steps=120,
        initializer="red stars",
        num_images=20,
    )


def read_tensors(path):
    """Return the tensors of a safetensors file by name."""
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}


# --- out and back


@pytest.mark.parametrize("form", ONE_ENCODER)
def test_a_word_comes_back_bit_for_bit_from_each_form(form, word, tmp_path):
    path = word.save(tmp_path / "my-word", form)
    assert path == tmp_path / f"my-word{FORMS[form].suffix}"
    back = LearnedWord.load(path)
    assert torch.equal(back.vectors, word.vectors)
    assert (back.word, back.steps) == (word.word, word.steps)
    assert back.base_model == word.base_model and back.vectors_2 is None
    if form != "a1111":  # webui has no place for the rest
        for field in fields(LearnedWord):
            if field.name not in ("vectors", "history"):
                assert getattr(back, field.name) == getattr(word, field.name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", FORMS)
def test_a_coarser_number_format_rounds_and_no_more(
    form, dtype, word, tmp_path
):
    if form == "sdxl":
        word.vectors_2 = make_rows(2, 1280, seed=1)
    path = word.save(tmp_path / "X", form, dtype)
    back = LearnedWord.load(path)
    kept, step = DTYPES[dtype]
    for ours, theirs in zip(word.tensors, back.tensors, strict=True):
        assert theirs.dtype == torch.float32
        assert torch.equal(theirs, ours.to(kept).float())
        is_normal = ours.abs() > 2**-14
        apart = ((theirs - ours) / ours)[is_normal].abs()
        assert apart.max() <= step
    assert kept == torch.float32 or path.stat().st_size < 2 * sum(
        2 * rows.numel() for rows in word.tensors
    )


def test_a_number_format_is_named_or_given_as_torch_has_it(word, tmp_path):
    for dtype in ("float16", torch.float16, "torch.float16"):
        path = word.save(tmp_path / "X", dtype=dtype)
        (rows,) = read_tensors(path).values()
        assert rows.dtype == torch.float16
    for dtype in ("half", torch.int64, None, 16):
        with pytest.raises(TutorialError, match='"float32", "float16"'):
            word.save(tmp_path / "Y", dtype=dtype)
    assert not (tmp_path / "Y.safetensors").exists()


def test_numbers_that_a_format_cannot_hold_are_not_saved(tmp_path):
    word = LearnedWord("X", torch.full((1, 4), 1e5))
    with pytest.raises(WordError, match="too large for torch.float16; save"):
        word.save(tmp_path / "X", dtype="float16")
    assert not list(tmp_path.iterdir())
    word.save(tmp_path / "X", dtype="bfloat16")


# --- what is written


def test_the_default_file_is_what_it_was(word, tmp_path):
    content = word.save(tmp_path / "X").read_bytes()
    size = int.from_bytes(content[:8], "little")
    assert json.loads(content[8 : 8 + size]) == {
        "__metadata__": word.describe(),
        "<köln>": {
            "dtype": "F32",
            "shape": [2, 768],
            "data_offsets": [0, 2 * 768 * 4],
        },
    }
    assert content[8 + size :] == word.vectors.numpy().tobytes()
    assert list(word.describe()) == [
        "word",
        "base_model",
        "embedding_width",
        "recipe",
        "steps",
        "initializer",
        "num_images",
        "library_version",
    ]


def test_a_shipped_file_is_saved_as_it_is(tmp_path):
    path = DATA / "words" / "tshirt.safetensors"
    word = LearnedWord.load(path)
    (rows,) = read_tensors(path).values()
    saved = read_tensors(word.save(tmp_path / "X"))
    assert list(saved) == ["<x>"] and torch.equal(saved["<x>"], rows)


def test_webui_gets_a_plain_dict_as_its_own_code_saves_it(word, tmp_path):
    path = word.save(tmp_path / "X", "a1111")
    content = torch.load(path, weights_only=True)
    rows = content["string_to_param"].pop("*")
    assert torch.equal(rows, word.vectors) and not rows.requires_grad
    assert content == {
        "string_to_token": {"*": 265},
        "string_to_param": {},
        "name": "Köln",
        "step": 120,
        "sd_checkpoint": None,
        "sd_checkpoint_name": "sd15",
    }


def test_a_word_of_which_little_is_known_is_saved_for_webui(tmp_path):
    word = LearnedWord("X", make_rows(1), steps=None)
    path = word.save(tmp_path / "X", "a1111")
    assert torch.load(path, weights_only=True)["step"] is None
    assert LearnedWord.load(path).steps == 0


@pytest.mark.parametrize(
    "form, keys",
    [
        ("diffusers", ["<x>"]),
        ("kohya", ["emb_params"]),
        ("onetrainer", ["emp_params"]),
    ],
)
def test_the_tensor_is_called_as_the_program_looks_for_it(
    form, keys, make_word, tmp_path
):
    path = make_word("X").save(tmp_path / "X", form)
    assert list(read_tensors(path)) == keys


def test_a_saved_tensor_takes_no_more_than_its_own_numbers(tmp_path):
    rows = make_rows(50, 768)[7:8].requires_grad_(True)
    path = LearnedWord("X", rows).save(tmp_path / "X", "a1111")
    assert path.stat().st_size < 6000


@pytest.mark.parametrize(
    "form, name, call",
    [
        ("a1111", "X.safetensors", "X.pt"),
        ("a1111", "X.bin", "X.pt"),
        ("kohya", "X.pt", "X.safetensors"),
    ],
)
def test_a_name_that_does_not_fit_the_form_is_refused(
    form, name, call, make_word, tmp_path
):
    with pytest.raises(WordError, match=rf"call it '.*/{call}'\.$"):
        make_word().save(tmp_path / name, form)
    assert not list(tmp_path.iterdir())


def test_a_pt_without_a_form_is_told_of_webui_s(make_word, tmp_path):
    with pytest.raises(WordError, match='say form="a1111" for webui'):
        make_word().save(tmp_path / "X.pt")
    assert make_word().save(tmp_path / "X.pt", form="a1111").exists()


@pytest.mark.parametrize("form", ["webui", "", 3, "A1111"])
def test_an_unknown_form_is_answered_with_those_there_are(
    form, make_word, tmp_path
):
    with pytest.raises(TutorialError, match='"diffusers", "a1111", "kohya"'):
        make_word().save(tmp_path / "X", form)


# --- what others write


def write_rinongal(path, rows):
    """rinongal/textual_inversion, ldm/modules/embedding_manager.py, save."""
    parameters = nn.ParameterDict({"*": nn.Parameter(rows)})
    tokens = {"*": torch.tensor(265)}
    torch.save(
        {"string_to_token": tokens, "string_to_param": parameters}, path
    )


def write_webui(path, rows, name="cat-toy"):
    """AUTOMATIC1111/stable-diffusion-webui,
    modules/textual_inversion/textual_inversion.py, Embedding.save.
    """
    embedding = {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": rows.clone().requires_grad_(True)},
        "name": name,
        "step": 4999,
        "sd_checkpoint": "cc6cb27103",
        "sd_checkpoint_name": "v1-5-pruned-emaonly",
    }
    torch.save(embedding, path)


def write_kohya(path, rows):
    """kohya-ss/sd-scripts, train_textual_inversion.py, save_weights."""
    state_dict = {"emb_params": rows}
    if path.suffix == ".safetensors":
        metadata = {"modelspec.architecture": "stable-diffusion-v1"}
        save_file(state_dict, path, metadata)
    else:  # its default
        torch.save(state_dict, path)


def write_onetrainer(path, rows):
    """Nerogar/OneTrainer, modules/modelSaver/mixin/EmbeddingSaverMixin.py and
    modules/modelSaver/stableDiffusion/StableDiffusionEmbeddingSaver.py.
    """
    save_file({"emp_params": rows}, path)


def write_diffusers(path, rows):
    """huggingface/diffusers, examples/textual_inversion/
    textual_inversion.py, save_progress, in both its formats.
    """
    content = {"<cat-toy>": rows.detach().cpu()}
    if path.suffix == ".safetensors":
        save_file(content, path, metadata={"format": "pt"})
    else:
        torch.save(content, path)


def write_concepts_library(path, rows):
    """The learned_embeds.bin of sd-concepts-library: a single bare row."""
    torch.save({"<cat-toy>": rows[0]}, path)


OTHERS = {
    "cat-toy.pt": (write_webui, "cat-toy"),
    "embeddings_gs-6099.pt": (write_rinongal, "embeddings_gs-6099"),
    "toy.safetensors": (write_kohya, "toy"),
    "toy2.pt": (write_kohya, "toy2"),
    "toy3.safetensors": (write_onetrainer, "toy3"),
    "learned_embeds.safetensors": (write_diffusers, "cat-toy"),
    "learned_embeds.bin": (write_diffusers, "cat-toy"),
    "old/learned_embeds.bin": (write_concepts_library, "cat-toy"),
}


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", OTHERS)
def test_what_another_program_wrote_is_read(name, dtype, tmp_path):
    write, called = OTHERS[name]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    rows = make_rows().to(DTYPES[dtype][0])
    write(path, rows)
    word = LearnedWord.load(path, PROFILES["sd15"])
    expected = rows[:1] if write is write_concepts_library else rows
    assert word.word == called
    assert torch.equal(word.vectors, expected.float())
    assert not word.vectors.requires_grad
    assert LearnedWord.load(path, word="Y").word == "Y"


def test_what_webui_knows_of_a_word_is_kept(tmp_path):
    write_webui(tmp_path / "a.pt", make_rows())
    word = LearnedWord.load(tmp_path / "a.pt")
    assert (word.word, word.steps) == ("cat-toy", 4999)
    assert word.base_model == "v1-5-pruned-emaonly"


@pytest.mark.parametrize("name", [None, "", 3])
def test_a_file_of_webui_s_without_a_name_is_called_by_its_own(name, tmp_path):
    write_webui(tmp_path / "my-style.pt", make_rows(), name)
    assert LearnedWord.load(tmp_path / "my-style.pt").word == "my-style"


@pytest.mark.parametrize("name", ["two words", "\ud800", "*"])
def test_a_name_of_webui_s_that_no_prompt_holds_is_answered(name, tmp_path):
    path = tmp_path / "style.pt"
    write_webui(path, make_rows(), name)
    with pytest.raises(WordError, match="style.pt' calls its word.*give it a"):
        LearnedWord.load(path)
    assert LearnedWord.load(path, word="X").word == "X"


def test_the_suffix_does_not_decide_what_a_file_is(tmp_path):
    write_webui(tmp_path / "renamed.safetensors", make_rows())
    assert LearnedWord.load(tmp_path / "renamed").word == "cat-toy"
    save_file({"<x>": make_rows()}, tmp_path / "renamed.bin")
    assert LearnedWord.load(tmp_path / "renamed.bin").word == "x"


def test_a_word_of_another_width_is_refused_whatever_its_form(tmp_path):
    write_webui(tmp_path / "sd2.pt", make_rows(1, 1024))
    with pytest.raises(WordError, match="1024 entries, and .sd15. reads 768"):
        LearnedWord.load(tmp_path / "sd2.pt", "sd15")
