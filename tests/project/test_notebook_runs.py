"""Running notebooks, and keeping what a reader should see."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

from tutorial_lib import notebooks
from tutorial_lib.errors import TutorialError

ROOT = Path(__file__).resolve().parents[2]


def write(folder, *sources):
    """Write a notebook of code cells and return its path."""
    cells = [new_code_cell(s, id=f"c{i}") for i, s in enumerate(sources)]
    path = folder / "01_try.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Let notebooks and covers lie in an empty folder."""
    monkeypatch.setattr(notebooks, "FOLDER", tmp_path)
    monkeypatch.setattr(notebooks, "COVERS", tmp_path)
    return tmp_path


def test_a_notebook_that_was_run_has_its_outputs_and_no_noise(folder):
    path = write(
        folder, "import sys; print(6 * 7); print('bar', file=sys.stderr)"
    )
    notebooks.run_notebooks(["01"])
    (cell,) = nbformat.read(path, as_version=4).cells
    assert [output.text for output in cell.outputs] == ["42\n"]
    assert cell.metadata["ran"] == notebooks.fingerprint(cell.source)


def test_the_cover_is_the_last_picture_of_the_cell_that_is_tagged(folder):
    path = write(
        folder,
        "from PIL import Image\nfrom tutorial_lib.figures import show_grid\n"
        "for side in (20, 40):\n"
        "    show_grid([Image.new('RGB', (8, 8), 'red')], side=side)",
    )
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].metadata["tags"] = ["cover"]
    nbformat.write(notebook, path)
    notebooks.run_notebooks(["01"])
    with Image.open(folder / "01_try.jpg") as cover:
        assert cover.size == (40, 40)


def test_a_run_that_fails_leaves_the_notebook_as_it_was(folder):
    path = write(folder, "1 / 0")
    before = path.read_bytes()
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        notebooks.run_notebooks([])
    assert path.read_bytes() == before


def test_a_notebook_that_grows_too_large_is_refused(folder, monkeypatch):
    path = write(folder, "print('x' * 2000)")
    before = path.read_bytes()
    monkeypatch.setattr(notebooks, "MAX_BYTES", 1000)
    with pytest.raises(TutorialError, match="show smaller pictures"):
        notebooks.run_notebooks([])
    assert path.read_bytes() == before


def test_a_number_without_a_notebook_is_named(folder):
    with pytest.raises(TutorialError, match="no notebook 99"):
        notebooks.run_notebooks(["99"])


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({notebooks.WIDGET: {}, "text/plain": "Slider()"}, None),
        ({notebooks.WIDGET: {}, "text/html": "<p>"}, {"text/html": "<p>"}),
        ({"text/plain": "42"}, {"text/plain": "42"}),
    ],
)
def test_a_widget_leaves_its_static_form_alone(data, kept):
    output = new_output("display_data", data=data)
    cleaned = notebooks.clean_output(output)
    assert (cleaned and cleaned.data) == kept


def test_make_test_and_make_notebooks_give_a_cell_the_same_time():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    seconds = re.findall(r"--nbmake-timeout=(\d+)", makefile)
    assert [int(text) for text in seconds] == [notebooks.CELL_TIMEOUT]
