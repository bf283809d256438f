"""Generating images: repeatable, and the same as with diffusers alone."""

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from tutorial_lib.errors import TutorialError, WordError
from tutorial_lib.generation import (
    generate,
    make_noise,
    make_sampling_scheduler,
    sampling,
)


def to_array(images):
    """Return images as one array of integers."""
    return np.stack([np.asarray(image) for image in images]).astype(int)


def differ(some, others):
    """Return the largest difference of two lists of images, 0 to 255."""
    return np.abs(to_array(some) - to_array(others)).max()


def test_an_image_depends_on_its_seed_and_number_alone(models):
    four = generate(models, "corgi", count=4, seed=5)
    assert len(four) == 4 and four[0].size == (32, 32)
    assert differ(four[:1], four[1:2]) > 20
    assert differ(four[:2], generate(models, "corgi", count=2, seed=5)) <= 1
    one_by_one = generate(models, "corgi", count=4, seed=5, batch_size=1)
    assert differ(four, one_by_one) <= 1
    among = generate(models, ["a mug", "corgi"], count=4, seed=5, batch_size=3)
    assert differ(four, among[4:]) <= 1
    assert differ(four, generate(models, "corgi", count=4, seed=6)) > 20


def test_seeds_share_no_noise(models):
    first, second = (make_noise(models, seed, range(50)) for seed in (0, 1))
    assert first.shape == (50, 4, 8, 8)
    assert len({float(noise[0, 0, 0]) for noise in [*first, *second]}) == 100


def test_the_prompt_the_guidance_and_the_steps_are_heard(models):
    usual = generate(models, "corgi")
    assert differ(usual, generate(models, "a blue mug")) > 0
    assert differ(usual, generate(models, "corgi", guidance_scale=15)) > 0
    assert differ(usual, generate(models, "corgi", num_inference_steps=9)) > 0


def test_generating_leaves_the_pipelines_scheduler_as_it_was(models):
    before = models.pipeline.scheduler
    generate(models, "corgi")
    assert models.pipeline.scheduler is before
    assert make_sampling_scheduler(before.config).config.beta_end == 0.012


def test_an_image_that_the_safety_checker_blackens_is_explained(
    models, monkeypatch, capsys
):
    settings = {"count": 2, "progress": False}
    generate(models, "corgi", **settings)
    assert "safety checker" not in capsys.readouterr().out
    monkeypatch.setattr(
        models.pipeline,
        "run_safety_checker",
        lambda image, *_: (image, [True, False]),
    )
    generate(models, "corgi", **settings)
    assert "judged 1 of 2 images indecent" in capsys.readouterr().out


# --- memory that is full


@pytest.fixture
def full_memory(monkeypatch):
    """Let only so many images fit at once; return the tries and what is said.

    The error is torch's own.
    """
    state = {"most": 8, "tries": [], "said": [], "steps": 0}
    generate_batch = sampling.generate_batch

    def draw(models, *, after_step, **given):
        state["tries"].append(len(given["latents"]))
        after_step()  # the memory fills up on the way
        if len(given["latents"]) > state["most"]:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return generate_batch(models, after_step=after_step, **given)

    monkeypatch.setattr(sampling, "generate_batch", draw)
    monkeypatch.setattr(sampling.tqdm, "write", state["said"].append)
    return state


def test_full_memory_leads_to_smaller_batches_and_the_same_images(
    models, full_memory
):
    given = {"count": 5, "seed": 1, "progress": False, "guidance_scale": 2}
    full_memory["most"] = 5
    expected = generate(models, "a photo of a corgi", **given)
    full_memory.update(most=2, tries=[])
    images = generate(models, "a photo of a corgi", **given)
    assert full_memory["tries"] == [5, 2, 2, 1]
    assert len(full_memory["said"]) == 1
    assert "5 images at once" in full_memory["said"][0]
    assert "(batch_size=2)" in full_memory["said"][0]
    assert not differ(images, expected)


def test_memory_that_is_too_small_for_one_image_is_an_error(
    models, full_memory
):
    full_memory["most"] = 0
    with pytest.raises(TutorialError, match="single image; close other"):
        generate(models, "a corgi", count=4, progress=False)
    assert full_memory["tries"] == [4, 2, 1]


def test_a_learned_word_changes_the_image(models, make_word):
    word, other = make_word("X"), make_word("X", seed=9)
    given = generate(models, "a photo of X", words=[word], guidance_scale=9)
    assert differ(
        given,
        generate(models, "a photo of X", words=[other], guidance_scale=9),
    )
    with pytest.warns(UserWarning, match="ordinary letter.*say words="):
        plain = generate(models, "a photo of X", guidance_scale=9)
    assert differ(given, plain)


def test_two_words_may_stand_in_one_prompt(models, make_word):
    x, y = make_word("X"), make_word("Y", num_vectors=2, seed=9)
    prompt = "a photo of Y wearing a T-shirt in the style of X"
    both = generate(models, prompt, words=[x, y], guidance_scale=9)
    again = generate(models, prompt, words=[y, x], guidance_scale=9)
    assert differ(both, again) == 0  # their order does not matter
    swapped = [x.rename("Y"), y.rename("X")]
    assert differ(
        both, generate(models, prompt, words=swapped, guidance_scale=9)
    )


def test_a_word_that_is_in_no_prompt_is_an_error(models, make_word):
    for prompt in ("a photo of x", "Xmas", "a photo", ["a", "b"]):
        with pytest.raises(WordError, match='"X" stands in none of the'):
            generate(models, prompt, words=[make_word("X")])
    generate(models, ["a photo", "an X"], words=[make_word("X")])


@pytest.mark.parametrize(
    ("name", "num_vectors"),
    [("X", 1), ("X", 3), ("my-shirt", 1), ("Köln", 2)],
)
def test_diffusers_reads_our_file_and_generates_the_same(
    models, make_word, tmp_path, name, num_vectors
):
    word = make_word(name, num_vectors=num_vectors)
    path = word.save(tmp_path / "word.safetensors")
    text = "A photo of {} with a corgi, {}"
    ours = generate(
        models,
        text.replace("{}", name),
        words=[word],
        count=2,
        seed=4,
        guidance_scale=9,
        progress=False,
    )
    pipe = StableDiffusionPipeline.from_pretrained(models.profile.pipeline)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = make_sampling_scheduler(pipe.scheduler.config)
    pipe.load_textual_inversion(path)
    theirs = pipe(
        [text.replace("{}", word.placeholder_token)] * 2,
        latents=make_noise(models, seed=4, numbers=[0, 1]),
        num_inference_steps=models.profile.num_inference_steps,
        guidance_scale=9,
    ).images
    assert differ(ours, theirs) <= 1
    without = pipe(
        ["A photo of x with a corgi, x"] * 2,
        latents=make_noise(models, seed=4, numbers=[0, 1]),
        num_inference_steps=models.profile.num_inference_steps,
        guidance_scale=9,
    ).images
    assert differ(ours, without) > 1
