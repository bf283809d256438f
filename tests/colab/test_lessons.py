"""The lessons run with the versions that Colab has of everything.

`make test-colab` sets up their environment, .venv-colab, and runs this. A
lesson is opened there as in Colab: alone, in an empty folder.
"""

import json
import re
import shutil
import subprocess

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from packaging.utils import canonicalize_name
from set_up_cell import LESSONS, ROOT, list_added_packages, read_set_up

from tutorial_lib.notebooks import CELL_TIMEOUT

PYTHON = ROOT / ".venv-colab" / "bin" / "python"
STAND_IN = ROOT / "tests" / "colab" / "stand_in"
REQUIREMENTS = ROOT / "tests" / "colab" / "requirements.txt"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON.exists(), reason="`make test-colab` makes .venv-colab"
    ),
]


def call(*command, folder=ROOT):
    """Run a program; return what it prints, or fail with what it says."""
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def list_installed():
    """Return Colab's packages as a dict name -> version."""
    lines = call(PYTHON, "-m", "pip", "list", "--format=json")
    packages = json.loads(lines)
    return {canonicalize_name(p["name"]): p["version"] for p in packages}


@pytest.fixture
def fresh_colab():
    """Take away what an earlier run added to Colab's packages."""
    added = list_added_packages()
    call(PYTHON, "-m", "pip", "uninstall", "--yes", "--quiet", *added)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Publish the project as it is here; return its address."""
    folder = tmp_path_factory.mktemp("published")
    git = ["git", "-c", "user.name=test", "-c", "user.email=test"]
    names = call(
        "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"
    )
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    call(*git, "init", "--quiet", folder=folder)
    call(*git, "add", "--all", "--force", folder=folder)
    call(*git, "commit", "--quiet", "--message", "As it is", folder=folder)
    return folder.as_uri()


@pytest.fixture(scope="module")
def run(address, tmp_path_factory):
    """Return a function that runs a lesson's cells in Colab's /content."""
    content = tmp_path_factory.mktemp("content")
    kernels = tmp_path_factory.mktemp("kernels")
    spec = {
        "argv": [
            str(PYTHON), "-m", "colab_kernel_launcher", "-f",
            "{connection_file}",
        ],
        "display_name": "Colab",
        "language": "python",
        "env": {
            "PYTHONPATH": str(STAND_IN),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        },
    }  # fmt: skip
    (kernels / "colab").mkdir()
    (kernels / "colab" / "kernel.json").write_text(json.dumps(spec))

    def run_lesson(lesson, last=None):
        """Run a lesson's cells, those up to `last` if it is given."""
        notebook = nbformat.read(lesson, as_version=4)
        names = [cell.id for cell in notebook.cells]
        if last is not None:
            notebook.cells = notebook.cells[: names.index(last) + 1]
        for cell in notebook.cells:
            if cell.id == "set-up":
                cell.source = read_set_up(lesson, address)
        specs = KernelSpecManager(kernel_dirs=[str(kernels)])
        client = NotebookClient(
            notebook,
            km=AsyncKernelManager(
                kernel_name="colab", kernel_spec_manager=specs
            ),
            timeout=CELL_TIMEOUT,
            resources={"metadata": {"path": str(content)}},
        )
        client.execute()
        return [c for c in notebook.cells if c.cell_type == "code"], content

    return run_lesson


def test_the_environment_has_the_versions_of_colab():
    installed = list_installed()
    text = REQUIREMENTS.read_text(encoding="utf-8")
    for name, version in re.findall("^([^#=]+)==(.+)$", text, re.MULTILINE):
        assert installed[canonicalize_name(name)] == version, name


@pytest.mark.parametrize("lesson", [LESSONS[0], LESSONS[1], LESSONS[-1]])
def test_the_set_up_cell_changes_nothing_that_was_there(
    fresh_colab, run, lesson
):
    before = list_installed()
    added = {canonicalize_name(name) for name in list_added_packages()}
    assert not added & set(before)
    (cell,), content = run(lesson, last="set-up")
    after = list_installed()
    assert {name: after.get(name) for name in before} == before
    assert set(after) - set(before) == added
    (clone,) = content.glob("*/.git")
    git = ("git", "rev-list", "--count", "--all")
    assert call(*git, folder=clone.parent) == "1\n"
    assert not cell.outputs


def test_pip_changes_nothing_that_was_there_either(fresh_colab):
    words = ("install", "--dry-run", "--quiet", "--report", "-", ".")
    report = json.loads(call(PYTHON, "-m", "pip", *words))
    names = {
        canonicalize_name(part["metadata"]["name"])
        for part in report["install"]
    }
    added = {canonicalize_name(name) for name in list_added_packages()}
    assert names == added | {"textual-inversion-tutorial"}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_passes_in_colab(run, lesson):
    cells, _ = run(lesson)
    for cell in cells:
        for output in cell.outputs:
            assert output.get("name") != "stderr", (cell.id, output.text)
