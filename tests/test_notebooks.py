"""The notebooks keep their form; `pytest --nbmake` runs what they say."""

import re
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]


@pytest.fixture(params=NOTEBOOKS, ids=NAMES)
def notebook(request):
    """Return each notebook in turn."""
    return nbformat.read(request.param, as_version=4)


def join_markdown(notebook):
    """Return all prose of a notebook as one text."""
    cells = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    return "\n\n".join(cells)


def test_there_is_a_first_notebook():
    assert "00_start_here" in NAMES


def test_a_notebook_is_valid_and_its_cells_have_names(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    names = [cell.id for cell in notebook.cells]
    assert len(set(names)) == len(names)
    assert not [name for name in names if re.fullmatch("[0-9a-f]{8}", name)]
    assert "widgets" not in notebook.metadata


def test_a_code_cell_is_short(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            assert len(lines) <= 25, cell.id
            assert max(map(len, lines)) <= 79, cell.id


def test_a_sentence_stands_before_every_code_cell(notebook):
    pairs = zip(notebook.cells, notebook.cells[1:], strict=False)
    for before, cell in pairs:
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", cell.id


def test_a_notebook_opens_and_closes_as_all_of_them_do(notebook):
    opening, prose = notebook.cells[0].source, join_markdown(notebook)
    for part in ("# ", "colab-badge.svg", "<img ", "**In this lesson", "CPU"):
        assert part in opening, part
    for part in ("## What we saw", "## What can go wrong", "**Next:**"):
        assert part in prose, part


def test_every_picture_in_the_prose_exists_and_has_an_alt_text(notebook):
    prose = join_markdown(notebook)
    for image in re.findall(r"<img [^>]*>", prose):
        assert re.search(r'alt="[^"]{10,}"', image), image
        source = re.search(r'src="([^"]+)"', image)[1]
        assert (FOLDER / source).is_file(), source


def test_results_are_asserted_in_the_cells(notebook):
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    assert sum("\nassert " in source for source in code) >= 3
