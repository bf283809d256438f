"""What a reader may hand to `generate`: taken, or refused by its name."""

import numpy as np
import pytest
import torch

from tutorial_lib.errors import TutorialError
from tutorial_lib.generation import (
    embed_texts,
    encode_prompts,
    generate,
    generate_over_steps,
    make_noise,
)

NAN = float("nan")


def are_equal(some, others):
    """Return whether two lists of images are the same to the bit."""
    pairs = zip(some, others, strict=True)
    return all(one.tobytes() == other.tobytes() for one, other in pairs)


# --- taken


def test_one_word_needs_no_list(models, make_word):
    word, prompt = make_word("X"), "a photo of X"
    usual = generate(models, prompt, words=[word])
    assert are_equal(generate(models, prompt, words=word), usual)
    assert are_equal(generate(models, [prompt], words=(word,)), usual)
    assert are_equal(
        generate(models, np.array([prompt]), words=iter([word])), usual
    )
    for embed in (embed_texts, encode_prompts):
        assert torch.equal(
            embed(models, prompt, words=word),
            embed(models, prompt, words=[word]),
        )


def test_no_word_may_be_none(models):
    usual = generate(models, "a corgi")
    assert are_equal(generate(models, "a corgi", words=None), usual)


def test_numpys_numbers_are_numbers(models):
    usual = generate(models, "a corgi", count=2, seed=5, guidance_scale=2)
    theirs = generate(
        models,
        "a corgi",
        count=np.int64(2),
        seed=np.int64(5),
        guidance_scale=np.float64(2.0),
        num_inference_steps=np.int32(3),
        batch_size=torch.tensor(8),
    )
    assert are_equal(usual, theirs)
    assert torch.equal(
        make_noise(models, np.int64(3), np.arange(2)),
        make_noise(models, 3, [0, 1]),
    )
    assert torch.equal(make_noise(models, 3, 0), make_noise(models, 3, [0]))


def test_a_prompt_of_a_script_without_spaces_holds_the_word(models, make_word):
    word = make_word("X")
    images = generate(models, "Xの写真", words=word, guidance_scale=9)
    spaced = generate(models, "X の写真", words=word, guidance_scale=9)
    assert are_equal(images, spaced)


# --- refused

REFUSED = [
    ("words", {"X": 1}),
    ("words", "X"),
    ("words", ["X"]),
    ("words", [None]),
    ("words", 3),
    ("prompts", None),
    ("prompts", []),
    ("prompts", b"a photo"),
    ("prompts", ["a photo", None]),
    ("prompts", {"a": 1}),
    ("prompts", 3),
    ("prompts", "\ud800"),
    ("seed", -1),
    ("seed", 0.5),
    ("seed", 2**32),
    ("seed", "0"),
    ("seed", None),
    ("seed", 10**5000),
    ("count", 0),
    ("count", -1),
    ("count", 2.5),
    ("count", 10_001),
    ("num_inference_steps", 1001),
    ("num_inference_steps", 0),
    ("num_inference_steps", -1),
    ("num_inference_steps", 2.5),
    ("num_inference_steps", "20"),
    ("guidance_scale", NAN),
    ("guidance_scale", float("inf")),
    ("guidance_scale", "7"),
    ("guidance_scale", -1),
    ("guidance_scale", 10**400),
    ("batch_size", 0),
    ("models", "tiny"),
    ("models", None),
]


@pytest.mark.parametrize(
    ("name", "value"), REFUSED, ids=[name for name, _ in REFUSED]
)
def test_what_is_no_such_thing_is_refused_by_its_name(models, name, value):
    given = {"models": models, "prompts": "a photo", name: value}
    with pytest.raises(
        TutorialError, match=f"`{name}.*; (give|say) "
    ) as error:
        generate(**given)
    assert len(str(error.value)) < 250
    assert str(error.value).count(". ") == 0  # one sentence


def test_a_dict_of_words_is_told_how_to_become_a_list(models, make_word):
    words = {"X": make_word("X")}
    with pytest.raises(TutorialError, match=r"words=list\(words.values\(\)\)"):
        generate(models, "a photo of X", words=words)


def test_other_doors_name_the_argument_too(models, make_word):
    with pytest.raises(TutorialError, match="`frames` cannot be 0"):
        generate_over_steps(models, make_word(), "X", frames=0)
    with pytest.raises(TutorialError, match="`models` cannot be None"):
        embed_texts(None, "a photo")
    with pytest.raises(TutorialError, match="`numbers` cannot be -1"):
        make_noise(models, 0, [-1])
    with pytest.raises(TutorialError, match="`numbers` cannot be None"):
        make_noise(models, 0, None)


# --- seeds


def test_the_noise_of_ordinary_seeds_is_what_it_always_was(models):
    for seed, number in [(0, 0), (7, 3), (201, 11), (429_495, 9_999)]:
        generator = torch.Generator("cpu").manual_seed(seed * 10_000 + number)
        expected = torch.randn((4, 8, 8), generator=generator)
        [noise] = make_noise(models, seed, [number])
        assert torch.equal(noise, expected)


def test_distant_seeds_give_different_images(models):
    seeds = [0, 1, 429_495, 429_496, 2**28, 2**29, 2**31, 2**32 - 1]
    noise = [make_noise(models, seed, range(3)) for seed in seeds]
    values = {row[0, 0, 0].item() for rows in noise for row in rows}
    assert len(values) == 3 * len(seeds)
    for rows in noise:
        assert rows.dtype == torch.float32 and 0.8 < rows.std() < 1.2
    assert not are_equal(
        generate(models, "corgi", seed=0),
        generate(models, "corgi", seed=2**28),
    )
