"""A lesson goes on when its reader changes what it invites to change.

The cells run in a kernel, as in JupyterLab, and another library's warnings
on the page count as a fault. The quick tests take few steps; `pytest -m slow
tests` runs all lessons so, and some of them whole.
"""

import ast
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tutorial_lib import world
from tutorial_lib.notebooks import CELL_TIMEOUT, FOLDER

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.stem for path in FOLDER.glob("[0-9]*.ipynb"))
OWN = "11_your_own_x"
OWN_PROMPT = 'get_kind(concept.kind).prompts[0].text.format(SETTINGS["word"])'

FIRST = """
from pathlib import Path
from tutorial_lib import settings
settings.OUT = Path({out!r})
WHOLE = globals().get("WHOLE", settings.PROFILES["tiny"])
settings.PROFILES["tiny"] = WHOLE  # an earlier run had few steps

def press_stop(entry):
    if entry["step"] == 3:
        raise KeyboardInterrupt
"""
FEW_STEPS = """
from dataclasses import replace
settings.PROFILES["tiny"] = replace(
    settings.PROFILES["tiny"], similarity_steps=10, denoising_steps=4,
    num_inference_steps=2,
)
"""


@pytest.fixture(scope="module")
def kernel():
    """Return a client whose kernel several runs of a lesson share."""
    client = NotebookClient(
        new_notebook(),
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
    )
    with client.setup_kernel(env={**os.environ, "PYTHONPATH": str(ROOT)}):
        yield client


@pytest.fixture
def run(kernel, tmp_path):
    """Return a function that runs all cells of a lesson, some changed."""

    def run_lesson(name, changes=None, quick=True, claims=True):
        notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        cells = [c for c in notebook.cells if c.cell_type == "code"]
        change_cells(cells, changes or {})
        first = FIRST.format(out=str(tmp_path)) + FEW_STEPS * quick
        return run_cells(kernel, [new_code_cell(first), *cells], claims)

    return run_lesson


def repeat_cells(notebook, last, again):
    """Return the code up to a cell, each cell twice, then some once more."""
    cells = {c.id: c for c in notebook.cells if c.cell_type == "code"}
    names = list(cells)
    names = [n for n in names[: names.index(last) + 1] for _ in range(2)]
    return [new_code_cell(cells[n].source, id=n) for n in [*names, *again]]


def change_cells(cells, changes):
    """Replace text in the cells; each old text stands in one or more."""
    for old, new in changes.items():
        assert any(old in cell.source for cell in cells), old
        for cell in cells:
            cell.source = cell.source.replace(old, new)


def run_cells(kernel, cells, claims):
    """Run cells one by one; return what each printed, by the cell's name."""
    kernel.nb.cells = cells
    for i, cell in enumerate(cells):
        if not claims:
            cell.source = ast.unparse(DropAsserts().visit(parse(cell)))
        kernel.execute_cell(cell, i)
        for output in cell.outputs:
            assert output.get("name") != "stderr", (cell.id, output.text)
    return {
        cell.id: "".join(output.get("text", "") for output in cell.outputs)
        for cell in cells
    }


def parse(cell):
    """Return the syntax tree of a cell."""
    return ast.parse(cell.source)


class DropAsserts(ast.NodeTransformer):
    """Drops what a lesson claims: in few steps it need not be true."""

    def visit_Assert(self, node):
        """Put `pass` in its place."""
        return ast.copy_location(ast.Pass(), node)


def keep_images(folder, count, kind="pattern", seed=5):
    """Write images of a concept into a folder."""
    folder.mkdir(exist_ok=True)
    images = world.render_concept(
        world.new_concept(kind, seed), count, seed=seed, size=96
    )
    for i, image in enumerate(images):
        image.save(folder / f"{kind} {seed} {i}.png")


# --- lesson 11: the reader's own pictures


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_few_pictures_of_ones_own_are_taken_with_a_remark(
    run, tmp_path, count
):
    keep_images(tmp_path / "my pictures", count)
    printed = run(OWN)
    assert f"{count} of {count} files used" in printed["report"]
    assert "That is few; three to twenty" in printed["report"]
    assert "mean difference" in printed["compare"]


@pytest.mark.slow
def test_the_lesson_takes_a_folder_another_kind_prompt_and_seed(run, tmp_path):
    keep_images(tmp_path / "a face", 3, kind="person")
    printed = run(
        OWN,
        {
            'KIND = "pattern"': 'KIND = "person"',
            'FOLDER = ""': f"FOLDER = {str(tmp_path / 'a face')!r}",
            OWN_PROMPT: '"Xmas: an anime illustration of X, and of X\'s hat!"',
            "seed = 0": "seed = 7",
        },
    )
    assert "3 of 3 files used" in printed["report"]
    assert "'recipe': 'both'" in printed["save"]


@pytest.mark.slow
def test_the_lesson_takes_another_unseen_concept_and_recipe(run):
    printed = run(
        OWN,
        {
            'KIND = "pattern"': 'KIND = "person"',
            "SEED = 4711": "SEED = 12",
            '"recipe": "both"': '"recipe": "similarity"',
            '"word": "X"': '"word": "Xi"',
            '"num_vectors": 1': '"num_vectors": 2',
        },
    )
    assert "not read from files" in printed["report"]
    assert "'word': 'Xi'" in printed["save"]


@pytest.mark.slow
def test_the_lesson_goes_on_when_pictures_and_settings_change(run, tmp_path):
    folder = tmp_path / "my pictures"
    keep_images(folder, 3)
    run(OWN)
    keep_images(folder, 1, seed=6)
    printed = run(OWN, {'"num_vectors": 1': '"num_vectors": 2'})
    assert "4 of 4 files used" in printed["report"]
    assert len(list(tmp_path.glob("*.checkpoint"))) == 2


@pytest.mark.slow
def test_the_lesson_goes_on_when_learning_is_stopped(run, tmp_path):
    printed = run(OWN, {"callbacks=[panel]": "callbacks=[panel, press_stop]"})
    assert "Stopped" in printed["learn"]
    assert "'steps': '3'" in printed["save"]


# --- the other lessons: stopped, with another word, without learning

STOPS = {  # what is changed so that Stop is pressed while a word is learned
    "00_start_here": {
        'recipe="similarity")': 'recipe="similarity", callbacks=press_stop)'
    },
    "03_learn_x_by_similarity": {
        "callbacks=[LivePanel(steps=steps)]": (
            "callbacks=[LivePanel(steps=steps), press_stop]"
        ),
        "learned = learn_word(models, shirts,": (
            "learned = learn_word(models, shirts, "
            'callbacks=lambda e: press_stop({"step": e["step"] - 9}),'
        ),
    },
    "05_textual_inversion": {
        "callbacks=[panel]": "callbacks=[panel, press_stop]",
        'recipe="similarity")': 'recipe="similarity", callbacks=press_stop)',
        'recipe="both")': 'recipe="both", callbacks=press_stop)',
    },
    "06_t_shirt": {
        "checkpoint=kept,": "checkpoint=kept, callbacks=press_stop,"
    },
    "08_face_photo": {
        "checkpoint=kept,": "checkpoint=kept, callbacks=press_stop,",
        'kind="person")': 'kind="person", callbacks=press_stop)',
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STOPS)
def test_a_lesson_goes_on_when_learning_is_stopped(name, run):
    few = name[:2] in ("05", "06", "08")  # those claim nothing when stopped
    printed = run(name, STOPS[name], quick=few)
    stops = sum(text.count("Stopped") for text in printed.values())
    assert stops >= len(STOPS[name])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, last, again",
    [
        ("02_the_word_x", "several", ["pool", "gradient", "step"]),
        ("03_learn_x_by_similarity", "neighbours", ["gradient", "step"]),
        ("04_how_stable_diffusion_draws", "same", ["believes", "errors"]),
        ("05_textual_inversion", "step", ["guess", "backward", "step"]),
    ],
)
def test_a_cell_may_be_run_again_at_once_and_later(
    name, last, again, kernel, tmp_path
):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    first = new_code_cell(FIRST.format(out=str(tmp_path)))
    cells = [first, *repeat_cells(notebook, last, again)]
    run_cells(kernel, cells, claims=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["06_t_shirt", "08_face_photo"])
def test_a_lesson_goes_on_with_the_word_of_the_repository(name, run, tmp_path):
    changes = {"LEARN = True": "LEARN = False", "seed=0": "seed=5"}
    printed = run(name, changes, quick=False)
    assert "'recipe': 'both'" in printed["learn"]
    assert not list(tmp_path.glob("*.checkpoint"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["06_t_shirt", "08_face_photo"])
def test_a_lesson_goes_on_when_its_settings_change(name, run, tmp_path):
    for settings in ('{"num_vectors": 2}', '{"recipe": "similarity"}'):
        printed = run(name, {"SETTINGS = {}": f"SETTINGS = {settings}"})
        assert "'word': 'X'" in printed["learn"]
    assert len(list(tmp_path.glob("*.checkpoint"))) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS)
def test_no_library_warns_on_a_lessons_page(name, run):
    run(name, claims=False)
