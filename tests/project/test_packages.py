"""Packages: what is installed, why, and what runs the tests."""

import ast
import re
import sys
import tomllib
from importlib import import_module, metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from set_up_cell import list_added_packages

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = sorted((ROOT / "tutorial_lib").rglob("*.py"))


def read_colab():
    """Return a dict package -> version of what Colab's machines have."""
    path = ROOT / "tests" / "colab" / "requirements.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def read_project():
    """Return the project table of pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]


def read_requirements():
    """Return a dict package -> Requirement of everything in pyproject."""
    project = read_project()
    lines = project["dependencies"] + [
        line
        for extra in project["optional-dependencies"].values()
        for line in extra
    ]
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r for r in requirements}


IN_COLAB = sorted(set(read_requirements()) & set(read_colab()))


def read_environment():
    """Return (requirement, comment) for each dependency of conda's file."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    below = text.split("\ndependencies:\n")[1]
    lines = re.findall(r"^ +- ([^#\n]*?)(?: +# (.*))?$", below, re.MULTILINE)
    return [line for line in lines if line[0] != "pip:"]


def list_imported_packages(path):
    """Return the top-level packages that a file imports, wherever it does."""
    packages = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: import by the full name"
            packages.add(node.module.split(".")[0])
    return packages - set(sys.stdlib_module_names) - {"tutorial_lib"}


# --- requirements


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


@pytest.mark.parametrize("name", IN_COLAB)
def test_the_lower_bound_admits_what_colab_has(name):
    requirement = read_requirements()[name]
    assert requirement.specifier.contains(read_colab()[name])


def test_what_colab_lacks_is_what_the_set_up_cell_adds():
    lines = read_project()["dependencies"]
    needed = {canonicalize_name(Requirement(line).name) for line in lines}
    added = set(map(canonicalize_name, list_added_packages()))
    for name in added:
        requires = map(Requirement, metadata.requires(name) or [])
        needed |= {
            canonicalize_name(r.name)
            for r in requires
            if not r.marker or r.marker.evaluate({"extra": ""})
        }
    assert needed - set(read_colab()) == added


def test_every_package_that_the_library_imports_is_asked_for():
    called = {"PIL": "pillow", "open_clip": "open-clip-torch"}
    imported = set().union(*map(list_imported_packages, LIBRARY))
    needed = {canonicalize_name(called.get(n, n)) for n in imported}
    # IPython comes with ipykernel, huggingface_hub with diffusers.
    needed -= {"ipython", "huggingface-hub"}
    assert needed <= set(read_requirements())


def test_the_drawn_world_needs_pillow_and_numpy_alone():
    for path in (ROOT / "tutorial_lib" / "world").rglob("*.py"):
        assert list_imported_packages(path) <= {"PIL", "numpy"}, path


# --- commands


def test_the_installed_command_is_there():
    ((name, target),) = read_project()["scripts"].items()
    module, function = target.split(":")
    assert name == "textual-inversion"
    assert callable(getattr(import_module(module), function))


def test_ci_runs_the_readmes_test_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = ROOT / ".ci" / "run"
    last = script.read_text(encoding="utf-8").strip().splitlines()[-1]
    assert last == "exec make test"
    assert re.search("^make test", readme, re.MULTILINE)
    assert script.stat().st_mode & 0o111


@pytest.mark.parametrize("name", ["test", "slow"])
def test_each_workflow_runs_that_command_too(name):
    workflow = ROOT / ".github" / "workflows" / f"{name}.yml"
    text = workflow.read_text(encoding="utf-8")
    assert re.findall("- run: (.*)", text)[0].startswith("make test PYTHON=")
