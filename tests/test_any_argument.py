"""Whatever is thrown at public functions, a result or TutorialError is back.

Hypothesis makes up the arguments. A warning that a prompt is too long is
one of the results.
"""

import string
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tutorial_lib.arguments import (
    read_number,
    read_path,
    read_seeds,
    read_texts,
    read_whole_number,
)
from tutorial_lib.cli import read_seeds as read_range
from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation import bootstrap_interval
from tutorial_lib.generation import (
    embed_texts,
    encode_prompts,
    generate,
    make_noise,
)
from tutorial_lib.inversion import (
    TrainingConfig,
    fill_templates,
    learn_word,
)
from tutorial_lib.words import (
    FORMS,
    LearnedWord,
    check_word,
    find_words,
    initialize_word,
    read_words,
    split_prompt,
    tokenize_prompts,
)

quick = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
few = settings(quick, max_examples=12)

SIGNS = string.printable + "XX{}{}の写真äß猫ぽ의รู\u0301\u200b\x00\U0001f600"
texts = st.text(SIGNS, max_size=30) | st.text(max_size=10)
numbers = (
    st.integers()
    | st.integers(-3, 40)
    | st.floats()
    | st.sampled_from(
        [np.int64(3), np.float32(2), np.array(4), np.array([1, 2]),
         torch.tensor(5), torch.zeros(0), 2**32, 10**5000, True, 3j]
    )
)  # fmt: skip
scalars = st.none() | numbers | texts | st.binary(max_size=5)
anything = (
    scalars
    | st.lists(scalars, max_size=3)
    | st.dictionaries(texts, scalars, max_size=2)
    | st.tuples(texts)
    | st.sets(texts, max_size=2)
    | st.builds(object)
    | st.sampled_from([int, print, Path("X"), iter([]), np.array(["a"])])
)
vectors = st.sampled_from(
    [torch.ones(1, 32), torch.ones(2, 32), torch.ones(3, 5), np.ones(32)]
)


@pytest.fixture(autouse=True)
def quiet():
    """Hide warnings: they are among the right answers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def attempt(function, *args, **options):
    """Call a function; return its result, or None for a TutorialError."""
    try:
        return function(*args, **options)
    except TutorialError as error:
        message = str(error)
        assert message.endswith(".") and len(message) < 1000
        return None


@quick
@given(anything, anything)
def test_readers_of_arguments(value, other):
    for read in (read_whole_number, read_number, read_path, read_seeds):
        attempt(read, value, "name")
    attempt(read_texts, value, "prompts", "X")
    attempt(read_words, other)
    attempt(read_whole_number, value, "name", 1, 3)


@quick
@given(texts | anything, vectors | anything)
def test_words_and_their_files(tmp_path, name, rows):
    attempt(check_word, name)
    word = attempt(LearnedWord, name, rows)
    if word is not None:
        path = word.save(tmp_path / "word")
        back = LearnedWord.load(path)
        assert back.word == word.word
        assert torch.equal(back.vectors, word.vectors.float())
        attempt(word.rename, rows)


@quick
@given(anything, anything, texts)
def test_files_of_words(tmp_path, path, profile, name):
    attempt(LearnedWord.load, path, profile, name)
    good = LearnedWord("X", torch.ones(1, 32)).save(tmp_path / "X")
    attempt(LearnedWord.load, good, profile, name)
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(repr(name)[:200].encode("utf-8", "replace"))
    assert attempt(LearnedWord.load, bad) is None


@quick
@given(
    st.sampled_from([*FORMS, None]) | anything,
    st.sampled_from(["float16", torch.bfloat16]) | anything,
    st.sampled_from(["X.pt", "X", "Y.safetensors"]),
)
def test_forms_of_words(tmp_path, form, dtype, name):
    word = LearnedWord("X", torch.ones(1, 32))
    path = attempt(word.save, tmp_path / name, form, dtype)
    if path is not None:
        assert torch.equal(LearnedWord.load(path).vectors, word.vectors)


@quick
@given(
    st.sampled_from([b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\x80\x02", b""]),
    st.binary(max_size=200),
    st.sampled_from([".pt", ".bin", ".png", ".safetensors"]),
)
def test_any_bytes_are_no_word(tmp_path, start, content, suffix):
    path = tmp_path / f"any{suffix}"
    path.write_bytes(start + content)
    assert attempt(LearnedWord.load, path) is None


@quick
@given(texts | anything, st.lists(texts, min_size=1, max_size=3))
def test_prompts_with_words(models, prompts, names):
    words = [attempt(LearnedWord, name, torch.ones(1, 32)) for name in names]
    words = [word for word in words if word is not None]
    for tokenizer in (models.clip_tokenizer, models.pipeline.tokenizer):
        token_ids = attempt(tokenize_prompts, tokenizer, prompts, words)
        if token_ids is not None:
            assert token_ids.shape[1] in (24, 77)
    attempt(find_words, prompts, words)
    pieces = attempt(split_prompt, prompts, words)
    if pieces is not None:
        assert set(pieces[1::2]) <= {word.word for word in words}


@few
@given(texts | anything, anything, st.data())
def test_embedding_texts(models, prompts, words, data):
    words = data.draw(
        st.sampled_from([words, LearnedWord("X", torch.ones(1, 32))])
    )
    for embed in (embed_texts, encode_prompts):
        rows = attempt(embed, models, prompts, words)
        assert rows is None or torch.isfinite(rows).all()


@few
@given(
    prompts=texts | anything,
    words=st.just(()) | anything,
    count=st.integers(-1, 2) | anything,
    seed=st.just(2**28) | anything,
    guidance_scale=st.none() | numbers | anything,
    num_inference_steps=st.integers(-1, 3) | st.none() | texts,
    batch_size=st.integers(-1, 3) | anything,
)
def test_generating(models, count, **arguments):
    if isinstance(count, int) and count > 3:
        count = 3  # many images take their time
    images = attempt(
        generate, models, count=count, progress=False, **arguments
    )
    assert images is None or all(image.size == (32, 32) for image in images)


@quick
@given(
    numbers | anything,
    st.lists(numbers, max_size=3) | st.integers(-1, 9) | anything,
)
def test_noise(models, seed, places):
    noise = attempt(make_noise, models, seed, places)
    assert noise is None or torch.isfinite(noise).all()


FIELDS = {name: anything for name in TrainingConfig.__dataclass_fields__}


@settings(quick, max_examples=100)
@given(st.fixed_dictionaries({}, optional=FIELDS))
def test_settings_of_learning(options):
    attempt(TrainingConfig, **options)
    for name, value in options.items():
        attempt(TrainingConfig, **{name: value})


@quick
@given(texts | st.lists(texts, max_size=3) | anything, texts)
def test_templates(templates, name):
    filled = attempt(fill_templates, templates, name)
    for text in filled or []:
        word = LearnedWord(name, torch.ones(1, 32))
        assert len(split_prompt(text, [word])) > 1


@quick
@given(texts | anything, texts | anything, numbers | anything)
def test_initializers(models, name, initializer, num_vectors):
    attempt(initialize_word, models, name, "pattern", 1)
    attempt(initialize_word, models, "X", initializer, 1)
    attempt(initialize_word, models, "X", "pattern", num_vectors)


@few
@given(
    st.fixed_dictionaries(
        {"steps": st.integers(-1, 2)},
        optional={
            **{name: FIELDS[name] for name in FIELDS if name != "steps"},
            "callbacks": anything,
            "checkpoint": st.sampled_from(["", "\0", 3, "/", "/dev/null/x"]),
            "unknown": anything,
        },
    )
)
def test_learning(models, options):
    if isinstance(options.get("batch_size"), int):
        options["batch_size"] = min(options["batch_size"], 8)
    image = Image.new("RGB", (32, 32), "red")
    options = {"recipe": "similarity", "progress": False, **options}
    word = attempt(learn_word, models, [image], **options)
    assert word is None or torch.isfinite(word.vectors).all()


@quick
@given(texts, numbers | anything)
def test_seeds(text, seed):
    attempt(read_range, text)
    attempt(bootstrap_interval, [0, 1, 1], rounds=10, seed=seed)
