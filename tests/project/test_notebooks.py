"""The notebooks keep their form; `pytest --nbmake` runs what they say."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from tutorial_lib.figures import GRID_GAP
from tutorial_lib.notebooks import FOLDER, MAX_BYTES, fingerprint

LIBRARY = Path(__file__).resolve().parents[2] / "tutorial_lib"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]


@pytest.fixture(params=NOTEBOOKS, ids=NAMES)
def notebook(request):
    """Return each notebook in turn."""
    return nbformat.read(request.param, as_version=4)


@pytest.fixture(params=NOTEBOOKS, ids=NAMES)
def path(request):
    """Return each notebook's path in turn."""
    return request.param


def list_functions(source):
    """Return the functions and classes of a source as a dict by name."""
    kinds = ast.FunctionDef | ast.ClassDef
    nodes = ast.walk(ast.parse(source))
    return {node.name: node for node in nodes if isinstance(node, kinds)}


def list_library():
    """Return a dict name -> list of the library's functions and classes."""
    nodes = {}
    for path in LIBRARY.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for name, node in list_functions(source).items():
            nodes.setdefault(name, []).append(node)
    return nodes


def bare(node):
    """Return a function's code without docstrings and annotations."""
    node = ast.parse(ast.unparse(node)).body[0]
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            part.annotation = None
        if isinstance(part, ast.FunctionDef | ast.ClassDef):
            if ast.get_docstring(part):
                part.body = part.body[1:] or [ast.Pass()]
        if isinstance(part, ast.FunctionDef):
            part.returns = None
    return ast.unparse(node)


def list_code(notebook):
    """Return the code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


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


def test_pictures_are_shown_at_their_own_size_or_a_multiple(notebook):
    for cell in list_code(notebook):
        for side in map(int, re.findall(r"\bside=(\d+)", cell.source)):
            in_a_grid = (side + GRID_GAP) % (128 + GRID_GAP) == 0
            assert side % 128 == 0 or in_a_grid, cell.id


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
    asserted = [re.search(r"^ *assert ", source, re.M) for source in code]
    assert sum(map(bool, asserted)) >= 3


def test_a_lesson_imports_from_the_front_or_from_a_package(notebook):
    pattern = r"^\s*(?:from|import) +tutorial_lib\.([\w.]+)"
    for cell in notebook.cells:
        for module in re.findall(pattern, cell.source, re.MULTILINE):
            lesson = re.fullmatch(r"exercises\.lesson_\d\d", module)
            assert lesson or "." not in module, f"{cell.id}: {module}"


# --- outputs


def test_the_committed_outputs_come_from_the_code_in_the_cells(notebook):
    for cell in list_code(notebook):
        assert cell.metadata["ran"] == fingerprint(cell.source), (
            f"{cell.id} was changed after its run: make notebooks"
        )


def test_a_notebook_opens_at_once(path):
    assert path.stat().st_size <= MAX_BYTES


def test_no_output_is_an_error_or_a_progress_bar(notebook):
    for cell in list_code(notebook):
        for output in cell.outputs:
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", cell.id


def test_every_picture_that_was_drawn_has_an_alt_text(notebook):
    for cell in list_code(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            assert "image/png" not in data, f"{cell.id}: use show_figure"
            for image in re.findall("<img [^>]*>", data.get("text/html", "")):
                assert re.search(r'alt="[^"]{5,}"', image), cell.id


# --- what is taught


def test_a_function_that_is_taught_stands_the_same_in_the_library(notebook):
    library = list_library()
    for cell in list_code(notebook):
        if "taught" not in cell.metadata.get("tags", []):
            continue
        taught = list_functions(cell.source)
        assert taught, f"{cell.id} teaches no function"
        for name, node in taught.items():
            assert bare(node) in map(bare, library.get(name, [])), name


def test_what_the_library_calls_taught_here_occurs_here(path):
    text = path.read_text(encoding="utf-8")
    for name, nodes in list_library().items():
        for node in nodes:
            said = " ".join((ast.get_docstring(node) or "").split())
            if f"Taught in notebooks/{path.name}" in said:
                assert name in text, name


# --- exercises


def test_a_lesson_has_three_exercises_with_hint_and_solution(path):
    notebook = nbformat.read(path, as_version=4)
    cells = {cell.id: cell.source for cell in notebook.cells}
    numbers = [i for i in range(1, 10) if f"exercise-{i}-stub" in cells]
    assert len(numbers) in (3, 4) and numbers[0] == 1
    for i in numbers:
        assert "<summary>Hint</summary>" in cells[f"exercise-{i}"]
        assert "NotImplementedError" in cells[f"exercise-{i}-stub"]
        assert "```python" in cells[f"exercise-{i}-solution"]
        assert "<summary>Solution</summary>" in cells[f"exercise-{i}-solution"]


def test_an_exercise_states_its_difficulty_and_its_minutes(notebook):
    for cell in notebook.cells:
        if match := re.fullmatch(r"exercise-(\d)", cell.id):
            heading = rf"^\*\*{match[1]}\. [A-Z].+[.?]\*\* \*\(\w+, \d+ min"
            assert re.search(heading, cell.source, re.M), cell.id
            level = r"\*\((easy|medium|harder), (5|10|15|20) minutes\)\* "
            assert re.search(level, cell.source), cell.id


def test_before_the_main_experiments_the_reader_predicts(path):
    if not "01" <= path.stem[:2] <= "10":
        return
    cells = nbformat.read(path, as_version=4).cells
    form = (
        r"\*\*Predict:\*\* [^\n]+\?[^\n]*\n\n"
        r"<details><summary>Answer</summary>\n\n[^\n]+\n\n</details>$"
    )
    places = [i for i, cell in enumerate(cells) if "Predict" in cell.source]
    assert len(places) in (2, 3)
    for i in places:
        assert re.search(form, cells[i].source), cells[i].id
        assert cells[i + 1].cell_type == "code", cells[i].id
