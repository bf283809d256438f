"""Widgets: each has a static form, and answers without a front end."""

import ipywidgets
import pytest

from tutorial_lib.generation import embed_images
from tutorial_lib.widgets import prompt_box

PROMPTS = ["a corgi", "a mug"]


@pytest.fixture
def shown(monkeypatch):
    """Return a list that holds whatever is displayed."""
    outputs = []
    monkeypatch.setattr("IPython.display.display", outputs.append)
    monkeypatch.setattr(prompt_box, "display", outputs.append)
    return outputs


@pytest.fixture
def box_and_bars(shown, models, images):
    """Return the prompt box and the place below it."""
    prompt_box.show_prompt_box(models, images[:2], PROMPTS)
    return shown[-1].children


def test_the_prompt_box_has_a_static_form(shown, box_and_bars):
    assert "a corgi: " in shown[0].data and "<img" in shown[0].data
    assert isinstance(shown[1], ipywidgets.VBox)
    assert box_and_bars[1].value == ""


def test_the_prompt_box_answers_and_an_empty_one_clears_it(box_and_bars):
    box, bars = box_and_bars
    box.value = ' "<b>" for $5 and $6 '
    assert 'alt="Bars of similarity. your prompt: ' in bars.value
    assert "“&quot;&lt;b&gt;&quot; for $5 and $6”" in bars.value
    box.value = " "
    assert bars.value == ""


def test_the_prompt_box_says_that_a_prompt_is_too_long(box_and_bars):
    box, bars = box_and_bars
    box.value = "very " * 100 + "long"
    assert "is too long" in bars.value


def test_a_bar_is_the_mean_over_all_pictures(models, images):
    vectors = embed_images(models, images)
    means = prompt_box.measure_means(models, vectors, PROMPTS)
    single = [
        prompt_box.measure_means(models, vector[None], PROMPTS)["a mug"]
        for vector in vectors
    ]
    assert means["a mug"] == pytest.approx(sum(single) / 4, abs=1e-5)
