"""The question to the reader: whole without a kernel, and without scripts."""

import html
import json
import re

import pytest
from PIL import Image

from tutorial_lib.errors import ArgumentError, ImageError
from tutorial_lib.widgets import guess
from tutorial_lib.widgets.guess import make_guess, show_guess

COSINES = [0.9, 0.7, 0.8]


def paint(num):
    """Make a few small pictures."""
    return [Image.new("RGB", (16, 16), (60 * i, 90, 200)) for i in range(num)]


def ask(cosines=COSINES, seed=0, **texts):
    """Return the page of a question with three candidates."""
    texts = {"alt": 'two "blues"', **texts}
    return make_guess(paint(2), paint(3), cosines, seed=seed, **texts)


def read_settings(page):
    """Return what the script is told."""
    [settings] = re.findall('data-guess="([^"]*)"', page)
    return json.loads(html.unescape(settings))


def test_without_scripts_both_strips_are_there_and_a_folded_answer():
    page = ask(caption="<i>")
    assert page.count("<img") == 2 and "<script" not in page
    assert "<button" not in page and "<i>" not in page
    assert 'alt="two &quot;blues&quot;"' in page
    assert 'alt="candidates a, b, c"' in page
    assert "<details><summary>Answer</summary>The true one is " in page


def test_the_true_candidate_is_shuffled_to_any_place_and_never_lost():
    places = set()
    for seed in range(12):
        page = ask(seed=seed)
        answer = read_settings(page)["answer"]
        assert (
            f"The true one is {answer}. The judge agrees: {answer} 0.90"
            in (html.unescape(page))
        )
        places.add(answer)
    assert places == {"a", "b", "c"}
    assert ask(seed=3) == ask(seed=3)


def test_the_answer_s_letter_is_that_of_the_true_picture(monkeypatch):
    shown = []
    strip = guess.film_strip
    monkeypatch.setattr(
        guess, "film_strip", lambda *args: shown.append(args) or strip(*args)
    )
    for seed in range(5):
        answer = read_settings(ask(seed=seed))["answer"]
        images, letters = shown[-1]
        place = letters.index(answer)
        assert images[place].getpixel((0, 0)) == (0, 90, 200)


def test_a_judge_who_errs_is_told():
    page = ask(cosines=[0.5, 0.7, 0.6])
    answer = read_settings(page)["answer"]
    assert re.search(rf"true one is {answer}. The judge finds \w nearer", page)


def test_the_script_needs_no_kernel():
    page = ask()
    assert html.escape(guess.SCRIPT.strip()) in page
    for word in ("Jupyter", "kernel", "require", "import", "fetch", "http"):
        assert word not in guess.SCRIPT


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ImageError, match="3 candidates and 2 cosines"):
        make_guess(paint(2), paint(3), [0.1, 0.2], alt="blues")
    with pytest.raises(ImageError, match="from 2 to 26"):
        make_guess(paint(2), paint(1), [0.1], alt="blues")
    with pytest.raises(ImageError, match="no images"):
        make_guess([], paint(2), [0.1, 0.2], alt="nothing")
    with pytest.raises(ArgumentError, match="seed"):
        ask(seed=-1)


def test_a_shown_question_is_one_html_output(monkeypatch):
    shown = []
    monkeypatch.setattr(guess, "display", shown.append)
    show_guess(paint(2), paint(3), COSINES, alt='two "blues"')
    assert [output.data for output in shown] == [ask()]
