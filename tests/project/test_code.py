"""The code keeps its rules: layers, types, style, docstrings, sizes."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = sorted((ROOT / "tutorial_lib").rglob("*.py"))
DOCUMENTED = LIBRARY + sorted((ROOT / "benchmarks").rglob("*.py"))
FILES = DOCUMENTED + sorted((ROOT / "tests").rglob("*.py"))


def relative_name(path):
    """Return a file's path inside the repository, for test names."""
    return str(path.relative_to(ROOT))


def parse(path):
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def assert_runs(*arguments):
    """Run a Python program in the repository; fail with what it says."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


# --- tools: their rules are in pyproject.toml


def test_modules_import_lower_layers_only():
    code = "from importlinter.cli import lint_imports; import sys; "
    assert_runs("-c", code + "sys.exit(lint_imports(no_cache=True))")


def test_mypy_finds_no_wrong_type():
    assert_runs("-m", "mypy")


def test_ruff_finds_nothing():
    assert_runs("-m", "ruff", "check", "--no-cache", ".")


def test_the_code_is_formatted_by_ruff():
    assert_runs("-m", "ruff", "format", "--check", "--no-cache", ".")


# --- names


@pytest.mark.parametrize("path", LIBRARY, ids=relative_name)
def test_a_variable_says_what_it_holds(path):
    names = {
        node.arg if isinstance(node, ast.arg) else node.id
        for node in ast.walk(parse(path))
        if isinstance(node, ast.arg)
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    }
    assert not names & {"found", "each"}


@pytest.mark.parametrize("path", DOCUMENTED, ids=relative_name)
def test_modules_and_layers_are_called_so(path):
    old = r"\b(a|the|this|that|each|every|no|other|own) (room|floor)\b|"
    old += r"\b(rooms|floors|line-ups?|lineups?|strangers)\b"
    nodes = ast.FunctionDef | ast.ClassDef | ast.Module
    for node in ast.walk(parse(path)):
        if isinstance(node, nodes):
            text = ast.get_docstring(node) or ""
            assert not re.search(old, text), text


def test_there_is_no_drawer_for_leftovers():
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert not drawers & {path.stem for path in LIBRARY}
    assert not drawers & {path.parent.name for path in LIBRARY}


# --- docstrings and sizes


def is_exempt(node):
    """Whether a function or class is private or only one of its overloads."""
    decorators = map(ast.unparse, node.decorator_list)
    return node.name.startswith("_") or "overload" in decorators


@pytest.mark.parametrize("path", DOCUMENTED, ids=relative_name)
def test_a_public_function_or_class_has_a_docstring(path):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    todo = [parse(path)]
    while todo:  # what stands in a module or a class, not in a function
        for node in todo.pop().body:
            if isinstance(node, kinds) and not is_exempt(node):
                assert ast.get_docstring(node), node.name
            if isinstance(node, ast.ClassDef):
                todo.append(node)


@pytest.mark.parametrize("path", DOCUMENTED, ids=relative_name)
def test_a_function_fits_on_a_screen(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno <= 45, node.name


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_a_file_has_at_most_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
