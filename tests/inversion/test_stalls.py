"""Learning that learns nothing is an error, at its first steps."""

import pytest
import torch
from mini_models import learn

from tutorial_lib.errors import WordError
from tutorial_lib.inversion import SimilarityLoss, fill_templates

UNREAD = [
    "a {}-style shirt",
    "photo of {}s",
    "pre{}",
    "{}2",
    "{}{}",
    "_{}_",
    "a {} and {}s",  # one of its gaps is the word
    "X and {}s",  # an X that is written out fills no gap
    "{}\u0301",  # the accent makes another letter, if there is one
]


@pytest.mark.parametrize("recipe", ["similarity", "denoising", "both"])
@pytest.mark.parametrize("template", UNREAD[:3])
def test_a_template_in_which_the_word_is_not_read_is_refused(
    models, images, recipe, template
):
    for templates in ([template], ["a photo of {}", template], template):
        with pytest.raises(WordError, match="does not stand alone") as caught:
            learn(models, images, recipe=recipe, templates=templates)
        assert template in str(caught.value)
        assert "put a space beside {}" in str(caught.value)


@pytest.mark.parametrize("template", UNREAD)
def test_each_gap_must_become_the_word(template):
    name = "Xa" if "\u0301" in template else "X"
    with pytest.raises(WordError, match="does not stand alone"):
        fill_templates([template], name)


@pytest.mark.parametrize(
    "template",
    ["{}の写真", "photo of {}.", "({})", "{}'s mug", "{} {}", "X wears {}"],
)
def test_a_gap_beside_marks_or_a_script_without_spaces_is_fine(template):
    assert fill_templates(template, "X") == [template.replace("{}", "X")]


def test_a_japanese_template_learns(models, images):
    word = learn(models, images, recipe="similarity", templates=["{}の写真"])
    start = word.history[0]["vectors"]
    assert (word.vectors - start).norm() > 0.05


@pytest.mark.parametrize("recipe", ["similarity", "denoising"])
def test_a_word_without_a_gradient_is_an_error(
    models, images, recipe, monkeypatch
):
    heard = []
    monkeypatch.setattr(
        "tutorial_lib.words.placeholder_embedding.PlaceholderEmbedding."
        "forward",
        lambda self, token_ids: (
            self.table(token_ids.clamp(max=self.table.num_embeddings - 1))
            + 0 * self.vectors[0].sum()
        ),
    )
    with pytest.raises(WordError, match="does not change the word: .* is 0"):
        learn(models, images, recipe=recipe, steps=50, callbacks=heard.append)
    assert len(heard) <= 4  # not after all the steps


@pytest.mark.parametrize("steps", [1, 2, 50])
def test_a_step_too_small_to_move_the_word_is_an_error(models, images, steps):
    with pytest.raises(WordError, match=r"lr=1e-12 leave it.* a higher lr"):
        learn(models, images, recipe="denoising", steps=steps, lr=1e-12)


def test_a_gradient_that_always_overflows_is_an_error(
    models, images, monkeypatch
):
    original = SimilarityLoss.compute

    def overflow(loss, generator):
        value = original(loss, generator)
        value.register_hook(lambda gradient: gradient * float("inf"))
        return value

    monkeypatch.setattr(SimilarityLoss, "compute", overflow)
    with pytest.raises(WordError, match="not finite.* autocast=False"):
        learn(models, images, recipe="similarity")


def test_a_gradient_that_overflows_once_is_forgiven(
    models, images, monkeypatch
):
    original, calls = SimilarityLoss.compute, []

    def overflow(loss, generator):
        calls.append(1)
        value = original(loss, generator)
        if len(calls) == 1:
            value.register_hook(lambda gradient: gradient * float("inf"))
        return value

    monkeypatch.setattr(SimilarityLoss, "compute", overflow)
    assert learn(models, images, recipe="similarity", steps=3).steps == 3


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_learning_without_gradients_says_so(models, images, context):
    with context(), pytest.raises(WordError, match="call this outside of"):
        learn(models, images, recipe="similarity")


def test_no_steps_ask_for_no_movement(models, images):
    assert learn(models, images, recipe="similarity", steps=0).steps == 0


def test_a_word_that_ends_as_it_began_is_warned_of(models, images):
    settings = {"recipe": "similarity", "patience": 30}
    best = learn(models, images, steps=60, **settings)
    settings["initializer"] = best
    with pytest.warns(UserWarning, match='gained nothing: "X" is as it began'):
        word = learn(models, images, steps=20, lr=1e6, **settings)
    assert word.steps == 20 and word.vectors.equal(best.vectors)


def test_a_word_that_gained_is_not_warned_of(models, images, recwarn):
    learn(models, images, recipe="both", steps=10)
    learn(models, images, recipe="similarity", steps=0)
    assert not [w for w in recwarn if "gained nothing" in str(w.message)]
