"""The house keeps its rules: floors, docstrings, sizes, packages."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "tutorial_lib"
ROOMS = sorted(LIBRARY.rglob("*.py"))
BENCHMARKS = sorted((ROOT / "benchmarks").rglob("*.py"))
FILES = ROOMS + BENCHMARKS + sorted((ROOT / "tests").rglob("*.py"))

# A room imports only from rooms of its own floor or below, never in a
# circle. A folder's rooms share its floor unless they are named themselves.
FLOORS = {
    "settings": 0, "pictures": 0, "prompts": 0, "timesteps": 0, "world": 0,
    "models": 1, "words": 1, "placeholder": 1, "tiny.assemble": 1,
    "similarity": 2, "drawing": 2, "latents": 2,
    "recipes": 3, "checkpoints": 3, "learning": 3,
    "judge_networks": 3, "judging": 3,
    "tiny": 4, "figures": 4, "page_style": 4, "evaluation": 4, "unseen": 4,
    "sweeps": 4, "report": 4,
    "exercises": 4, "publish": 4, "widgets": 4, "similarity_figures": 4,
    "embedding_figures": 4, "diffusion_figures": 4,
    "learning_figures": 4, "diagrams": 4,
    "__main__": 5, "__init__": 5,
}  # fmt: skip

# Colab's image of August 2026: what must do without an upgrade.
COLAB = {
    "numpy": "2.1.3", "pillow": "11.3.0", "matplotlib": "3.10.0",
    "torch": "2.11.0", "transformers": "5.15.0", "diffusers": "0.39.0",
    "accelerate": "1.14.0", "ipywidgets": "7.7.1", "ipykernel": "6.17.1",
}  # fmt: skip


def relative_name(path):
    """Return a file's path inside the repository, for test names."""
    return str(path.relative_to(ROOT))


def name_room(path):
    """Return a room's name: "pictures", "world.patterns", "__main__"."""
    parts = list(path.relative_to(LIBRARY).with_suffix("").parts)
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


ROOM_NAMES = {name_room(path) for path in ROOMS}


def find_floor(room):
    """Return the floor of a room, or of the folder that it stands in."""
    for name in (room, room.split(".")[0]):
        if name in FLOORS:
            return FLOORS[name]
    pytest.fail(f"say in tests/test_house.py on which floor {room} stands")


def list_imports(path):
    """Return the dotted names that a file imports, wherever it does so."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def list_imported_rooms(path):
    """Return the rooms of the library that a file imports."""
    rooms = set()
    for name in list_imports(path):
        parts = name.split(".")
        if parts[0] != "tutorial_lib" or parts[1:] == ["__version__"]:
            continue
        inner = [".".join(parts[1:end]) for end in range(len(parts), 1, -1)]
        known = (room for room in inner if room in ROOM_NAMES)
        rooms.add(next(known, "__init__"))
    return rooms


def read_requirements():
    """Return a dict package -> Requirement of everything in pyproject."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    lines = project["dependencies"] + [
        line
        for extra in project["optional-dependencies"].values()
        for line in extra
    ]
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r for r in requirements}


def read_environment():
    """Return (requirement, comment) for each dependency of conda's file."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    below = text.split("\ndependencies:\n")[1]
    lines = re.findall(r"^ +- ([^#\n]*?)(?: +# (.*))?$", below, re.MULTILINE)
    return [line for line in lines if line[0] != "pip:"]


# --- packages


def test_pyproject_and_environment_name_the_same_packages():
    conda_calls_it = {"torch": "pytorch"}
    expected = {
        conda_calls_it.get(name, name) + str(requirement.specifier)
        for name, requirement in read_requirements().items()
    }
    only_in_conda = {"python>=3.11", "pip", "-e ."}
    assert {line for line, _ in read_environment()} == (
        expected | only_in_conda
    )


def test_every_line_of_the_environment_says_why_it_is_there():
    for line, reason in read_environment():
        assert len(reason.split()) >= 3, line


def test_versions_have_lower_bounds_only():
    for name, requirement in read_requirements().items():
        assert [s.operator for s in requirement.specifier] == [">="], name


@pytest.mark.parametrize("name", COLAB)
def test_the_lower_bound_admits_what_colab_has(name):
    requirement = read_requirements()[name]
    assert requirement.specifier.contains(COLAB[name])


def test_every_package_that_the_library_imports_is_asked_for():
    called = {"PIL": "pillow", "open_clip": "open-clip-torch"}
    imported = {n.split(".")[0] for p in ROOMS for n in list_imports(p)}
    own = set(sys.stdlib_module_names) | {"tutorial_lib"}
    needed = {canonicalize_name(called.get(n, n)) for n in imported - own}
    # IPython comes with ipykernel, huggingface_hub with diffusers.
    needed -= {"ipython", "huggingface-hub"}
    assert needed <= set(read_requirements())


# --- floors


@pytest.mark.parametrize("path", ROOMS, ids=relative_name)
def test_a_room_imports_only_downward(path):
    room = name_room(path)
    for other in list_imported_rooms(path):
        assert find_floor(other) <= find_floor(room), f"{room} uses {other}"


def test_no_rooms_import_each_other_in_a_circle():
    graph = {name_room(p): list_imported_rooms(p) for p in ROOMS}
    TopologicalSorter(graph).prepare()  # raises CycleError, and names them


def test_the_drawn_world_needs_pillow_and_numpy_alone():
    for path in ROOMS:
        if name_room(path).split(".")[0] != "world":
            continue
        outside = {name.split(".")[0] for name in list_imports(path)}
        outside -= set(sys.stdlib_module_names)
        assert outside <= {"PIL", "numpy", "tutorial_lib"}, path
        inside = {r.split(".")[0] for r in list_imported_rooms(path)}
        assert inside <= {"world"}, path


def test_no_room_below_the_top_knows_of_notebooks_or_figures():
    for path in ROOMS:
        if find_floor(name_room(path)) < 4:
            outside = {name.split(".")[0] for name in list_imports(path)}
            assert not outside & {"IPython", "ipywidgets", "matplotlib"}, path


# --- style


@pytest.mark.parametrize("path", ROOMS + BENCHMARKS, ids=relative_name)
def test_a_public_function_or_class_has_a_docstring(path):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    todo = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:  # what stands in a module or a class, not in a function
        for node in todo.pop().body:
            if isinstance(node, kinds) and not node.name.startswith("_"):
                assert ast.get_docstring(node), node.name
            if isinstance(node, ast.ClassDef):
                todo.append(node)


@pytest.mark.parametrize("path", ROOMS + BENCHMARKS, ids=relative_name)
def test_a_function_fits_on_a_screen(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno <= 45, node.name


@pytest.mark.parametrize("path", FILES, ids=relative_name)
def test_a_file_has_at_most_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_there_is_no_drawer_for_leftovers():
    drawers = {"utils", "util", "helpers", "common", "misc"}
    assert not drawers & {path.stem for path in ROOMS}


def test_ruff_finds_nothing():
    result = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


# --- commands


def test_ci_runs_the_readmes_test_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = ROOT / ".ci" / "run"
    last = script.read_text(encoding="utf-8").strip().splitlines()[-1]
    assert last == "exec make test"
    assert re.search("^make test", readme, re.MULTILINE)
    assert script.stat().st_mode & 0o111
