"""The report: a page that needs nothing beside it, numbers, images."""

import json
import re

import pytest
import torch
from PIL import Image

from tutorial_lib.evaluation import ROWS, Deviation, Evaluation, JudgedImages
from tutorial_lib.images import Concept
from tutorial_lib.kinds import KINDS
from tutorial_lib.report import (
    Story,
    files,
    format_evaluation,
    write_report,
)
from tutorial_lib.report.page import build_page
from tutorial_lib.words import History, LearnedWord

OFF = {
    "pattern": Deviation(
        {"motif": 1.0}, {"period": -2.06, "angle": 1.3, "color": 2.4}
    ),
    "person": Deviation(
        {"hair": 1.0, "eye_color": 0.0}, {"hair": 2.0, "eye": 3.1, "face": 6}
    ),
}

COSINES = {"x": 0.72, "description": 0.4}


def paint(num):
    """Make a few small images."""
    return [Image.new("RGB", (16, 16), (30 * i, 90, 200)) for i in range(num)]


def make_entry(step, recipe, **measures):
    """Make an entry of a word's history."""
    empty = {"evaluation": None, "similarity": None, "vectors": None}
    return {"step": step, "recipe": recipe, **empty, **measures}


def make_history():
    """Make the history of a word that was learned by both recipes."""
    similarities = [
        make_entry(i, "similarity", similarity=i / 10, evaluation=1 - i / 10)
        for i in range(5)
    ]
    errors = [
        make_entry(i, "denoising", similarity=0.5, evaluation=1 / i)
        for i in range(5, 9)
    ]
    return History(similarities + errors)


def make_story(name, kind):
    """Make the story of a concept all of whose images are right."""
    evaluation = Evaluation(kind, [7], "both", 12.3)
    for row in ROWS:
        for prompt in KINDS[kind].prompts:
            evaluation.judged.append(
                JudgedImages(
                    row,
                    prompt,
                    "7",
                    [True] * 6,
                    [True] * 6,
                    paint(6),
                    [COSINES.get(row, 0.8)] * 6,
                    [OFF[kind]] * 6 if prompt.shows_identity else [],
                )
            )
    word = LearnedWord(
        word="X",
        vectors=torch.zeros(1, 4),
        initializer="<thing>",
        history=make_history(),
    )
    return Story(
        name=name,
        concept=Concept(name=name, images=paint(4), kind=kind),
        word=word,
        description='red "stars" & dots',
        evaluation=evaluation,
        film=(paint(3), ["step 0", "step 10", "step 20"]),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write a report; return its folder."""
    folder = tmp_path_factory.mktemp("out")
    stories = [make_story("tshirt", "pattern"), make_story("face", "person")]
    write_report(stories, seconds=61.5, folder=folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    """Return the text of the page."""
    return (folder / "index.html").read_text(encoding="utf-8")


def test_the_page_needs_nothing_beside_it(page):
    for link in re.findall(r'(?:src|srcset|href)="([^"]*)"', page):
        assert link.startswith("data:image/png;base64,")
    assert "url(" not in page and "<script" not in page
    assert "<link" not in page and "b.x {" in page  # its style is inside


def test_every_image_of_the_page_has_an_alt_text(page):
    images = re.findall(r"<img [^>]*>", page)
    assert len(images) > 40
    assert all(re.search(r'alt="[^"]+"', image) for image in images)


def test_each_example_is_a_heading_over_at_least_four_images(page):
    for kind in KINDS.values():
        for prompt in kind.prompts:
            heading = prompt.text.format('<b class="x">X</b>')
            after = page.split(f"<h3>“{heading}”</h3>")[1]
            assert after.split("</div>")[0].count("<img") >= 4


def test_what_a_reader_named_cannot_break_the_page(page):
    assert "&lt;thing&gt;" in page and "<thing>" not in page
    assert "red &#34;stars&#34; &amp; dots" in page
    assert 'red "stars"' not in page


def test_no_image_waits_to_be_scrolled_to_for_a_print_shows_all(page):
    assert 'loading="lazy"' not in page


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_table_in_the_terminal_names_each_prompt_whole(kind):
    lines = format_evaluation(make_story("a", kind).evaluation).splitlines()
    for prompt in KINDS[kind].prompts:
        start = lines[0].index(prompt.text.format("X"))
        for line in lines[1 : 1 + len(ROWS)]:
            assert line[start - 1] == " " and line[start:].startswith("100 %")


@pytest.mark.parametrize(
    "kind, said",
    [
        (
            "pattern",
            "right motif 100 %; period off by 2.1 %, angle by 1.3 degrees, "
            "colour by 2.4",
        ),
        (
            "person",
            "right hair 100 %, eye colour 0 %; face off by 6.0 % of its "
            "range, hair by 2.0, eyes by 3.1",
        ),
    ],
)
def test_page_and_terminal_say_how_far_off_x_is(page, kind, said):
    text = format_evaluation(make_story("a", kind).evaluation)
    assert max(map(len, text.split("\n\n")[1].splitlines())) <= 88
    for shown in (text, re.sub("</?b>", "", page)):
        shown = " ".join(shown.split())
        assert f"X, learned: {said}" in shown
        assert f"plain description: {said}" in shown
        assert "CIEDE2000" in shown
    words = " ".join(text.split())
    assert f"{said}; share of the drawn cosine 0.90 (0.90 to 0.90)" in words
    assert "share of the drawn cosine 0.50 (0.50 to 0.50)" in words
    assert "X as a share of drawn 100 %" in words


def test_an_evaluation_without_deviations_still_makes_page_and_table():
    story = make_story("tshirt", "pattern")
    for judged in story.evaluation.judged:
        judged.deviations = []
    assert "How far off" not in build_page([story], seconds=3)
    assert "CIEDE2000" not in format_evaluation(story.evaluation)


def test_the_page_suits_a_dark_theme_and_a_phone(page):
    assert "prefers-color-scheme: dark" in page
    assert 'name="viewport"' in page and "max-width: 760px" in page


def test_the_results_hold_both_concepts_and_the_whole_time(folder):
    results = json.loads((folder / "results.json").read_text())
    assert results["seconds"] == 61.5
    assert list(results["concepts"]) == ["tshirt", "face"]
    for summary in results["concepts"].values():
        assert summary["identity"]["x"]["value"] == 1
        assert set(summary["prompt"]) == set(ROWS)


def test_the_images_are_in_the_folder_and_nothing_half_made(folder):
    names = {path.name for path in folder.iterdir()}
    parts = ("given", "prompt_1", "prompt_2", "film", "rows", "curves")
    for name in ("tshirt", "face"):
        for part in parts:
            assert f"{name}_{part}.png" in names
    assert "gallery.png" in names
    assert not [name for name in names if name.startswith(".")]


@pytest.mark.parametrize(
    "failing", ["build_page", "make_images", "write_json"]
)
def test_a_report_that_fails_leaves_the_old_one_whole(
    folder, page, monkeypatch, failing
):
    def fail(*arguments):
        raise RuntimeError("the power went")

    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(files, failing, fail)
    with pytest.raises(RuntimeError):
        write_report([make_story("tshirt", "pattern")], 1, folder)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after == before
    assert (folder / "index.html").read_text(encoding="utf-8") == page
    results = json.loads((folder / "results.json").read_text())
    assert "face" in results["concepts"]


def test_curves_are_taken_from_the_recipe_they_belong_to():
    curves = make_story("tshirt", "pattern").curves
    assert [steps for steps, _ in curves.values()] == [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8],
    ]


def test_a_loaded_word_without_history_still_makes_a_page():
    story = make_story("face", "person")
    story.word.history, story.film = History(), ([], [])
    page = build_page([story], seconds=3)
    assert "A photo of" in page
    assert "While learning" not in page and "row film" not in page
