"""The README says what is so."""

import json
import re
from pathlib import Path

import pytest

from tutorial_lib.evaluation import (
    BASELINES,
    ROWS,
    format_share,
    format_tables,
    load_evaluations,
)
from tutorial_lib.figures import ROW_LABELS
from tutorial_lib.settings import DATA
from tutorial_lib.words import FORMS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def load_evaluation(kind):
    """Return the stored evaluation of a kind of concept."""
    return load_evaluations(DATA / "evaluation")[kind]


@pytest.mark.parametrize("kind", ["pattern", "person"])
@pytest.mark.parametrize("measure", ["identity", "prompt"])
def test_the_readme_s_numbers_are_those_of_the_stored_evaluation(
    kind, measure
):
    stored = load_evaluation(kind)
    for row in ROWS:
        label, shown = ROW_LABELS[row], format_share(stored[measure][row])
        assert any(
            line.startswith(f"| {label} |") and shown in line
            for line in README.splitlines()
        ), f"{kind}, {measure}: {label} should be {shown}"


@pytest.mark.parametrize("kind", ["pattern", "person"])
def test_the_readme_says_how_far_x_is_ahead(kind):
    stored = load_evaluation(kind)
    for row in BASELINES:
        lead = {k: round(100 * v) for k, v in stored["lead"][row].items()}
        shown = f"{lead['value']} points ({lead['low']} to {lead['high']})"
        assert f"| X minus {ROW_LABELS[row]} | {shown} | |" in README


@pytest.mark.parametrize("kind", ["pattern", "person"])
def test_the_readme_s_seconds_are_those_of_the_stored_evaluation(kind):
    stored = load_evaluation(kind)
    seconds = round(stored["seconds_per_word"])
    assert f"{seconds} s" in README and f"for a {kind}" in README


def test_the_card_of_the_tiny_models_shows_what_was_measured():
    folder = DATA / "tiny"
    text = (folder / "README.md").read_text(encoding="utf-8")
    measured = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    evaluations = load_evaluations(DATA / "evaluation")
    assert format_tables(measured, evaluations) in text


def test_what_is_said_of_two_names_is_what_was_measured():
    measured = (DATA / "tiny" / "card.json").read_text(encoding="utf-8")
    shares = json.loads(measured)["two_names_found"]["generated"]
    shown = {k: f"{round(100 * v['value'])} %" for k, v in shares.items()}
    text = " ".join(README.split())
    assert f"both come out right on {shown['both']} of pictures" in text
    lesson = ROOT / "notebooks" / "09_anime_illustration.ipynb"
    lesson = lesson.read_text(encoding="utf-8")
    assert f"the right person on {shown['person']} of photos" in lesson
    assert f"the right pattern on {shown['pattern']}, and both" in lesson
    assert f"and both on {shown['both']}." in lesson


def test_lessons_06_and_08_say_what_the_stored_evaluation_says():
    shares = {kind: load_evaluation(kind) for kind in ("pattern", "person")}
    pattern, person = (
        {row: round(100 * share["value"]) for row, share in rows.items()}
        for rows in (shares[kind]["identity"] for kind in shares)
    )
    marks = {
        row: round(100 * shares["person"]["off"][row]["mark right"]["value"])
        for row in ("x", "drawn")
    }
    told = {
        "06_t_shirt": f"first on {pattern['named']} % of such pictures, "
        f"X on {pattern['x']} %",
        "08_face_photo": f"is right on {marks['x']} % of X's pictures, "
        f"against {marks['drawn']} % of drawn ones",
    }
    for name, text in told.items():
        path = ROOT / "notebooks" / f"{name}.ipynb"
        assert text in path.read_text(encoding="utf-8"), name
    lesson = ROOT / "notebooks" / "08_face_photo.ipynb"
    assert f"on {person['x']} % of pictures for forty people" in (
        lesson.read_text(encoding="utf-8")
    )


def test_the_readme_lists_each_form_of_a_word_s_file():
    text = README.split("### Files for every program")[1].split("\n## ")[0]
    for name, form in FORMS.items():
        assert f"`{name}`" in text, name
        programs = form.programs.split(", ")
        assert name == "sdxl" or all(name in text for name in programs)


def test_every_file_that_the_readme_points_to_is_there():
    links = re.findall(r'(?:\]\(|src=")([^)"#:]+)[)"]', README)
    assert len(links) > 10
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


def test_make_lab_opens_a_lesson_and_serves_the_covers_beside_it():
    # A lesson shows ../data/covers: JupyterLab must be rooted above it.
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    command = re.search(r"/jupyter lab (.*) \$\(ARGS\)", makefile)[1]
    opened = command.removeprefix("--LabApp.default_url=/lab/tree/")
    assert opened != command and (ROOT / opened).is_file()
