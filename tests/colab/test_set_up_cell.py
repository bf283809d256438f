"""The set-up cell finds the library, and adds only what Colab lacks.

It runs in a Python that has nothing installed, with a stand-in for
`google.colab`, and with programs in the place of pip and git that write
down how they were called.
"""

import json
import os
import subprocess
import sys

import pytest
from set_up_cell import LESSONS, ROOT, list_added_packages, read_set_up

STAND_IN = ROOT / "tests" / "colab" / "stand_in"
ADDRESS = "https://github.com/some-owner/some-name"
WHEEL = "textual_inversion_tutorial-0.2.0-py3-none-any.whl"

CALLED = f"""#!{sys.executable}
import json, pathlib, sys
base = pathlib.Path({{base!r}})
with (base / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv) + "\\n")
if (base / "broken").exists():
    sys.exit(128)
"""
PIP = """
name = pathlib.Path(sys.argv[-1]).name.removesuffix("_torch")
name = "tutorial_lib" if name.endswith(".whl") else name
(base / "site" / name).mkdir()
(base / "site" / name / "__init__.py").touch()
"""
GIT = """
library = pathlib.Path(sys.argv[-1]).name + "/tutorial_lib"
pathlib.Path(library).mkdir(parents=True)
pathlib.Path(library, "__init__.py").touch()
"""
DRIVER = """
import json, sys
sys.path.insert(0, "")  # as in a notebook
sys.path += {paths!r}
if {is_colab}:
    import google.colab
sys.executable = {python!r}
for _ in range({times}):
    exec({cell!r}, {{}})
from importlib.util import find_spec
spec = find_spec("tutorial_lib")
print(json.dumps(spec and spec.origin))
"""


class Machine:
    """A machine as Colab hands it out, with nothing on it but Python."""

    def __init__(self, base):
        self.base = base
        self.content = base / "content"
        for folder in ("content", "site", "bin"):
            (base / folder).mkdir()
        called = CALLED.format(base=str(base))
        for name, more in (("python", PIP), ("git", GIT)):
            program = base / "bin" / name
            program.write_text(called + more, encoding="utf-8")
            program.chmod(0o755)

    def run(self, address="", is_colab=True, times=1):
        """Run the set-up cell; return where the library is found then."""
        driver = DRIVER.format(
            paths=[str(self.base / "site"), str(STAND_IN)],
            is_colab=is_colab,
            python=str(self.base / "bin" / "python"),
            cell=read_set_up(LESSONS[0], address),
            times=times,
        )
        self.result = subprocess.run(
            [sys.executable, "-I", "-S", "-c", driver],
            cwd=self.content,
            env={**os.environ, "PATH": str(self.base / "bin")},
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(self.result.stdout or "null")

    def list_calls(self):
        """Return how pip and git were called, as lists of words."""
        calls = self.base / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else []
        for words in map(json.loads, lines):
            name = os.path.basename(words[0])
            yield [name, *words[1:]]

    def put_library(self, folder):
        """Put the library into a folder."""
        (folder / "tutorial_lib").mkdir(parents=True)
        (folder / "tutorial_lib" / "__init__.py").touch()

    def list_installed(self):
        """Return what pip was told to install, each without what it needs."""
        calls = [call for call in self.list_calls() if call[0] == "python"]
        for call in calls:
            assert call[1:-1] == ["-m", "pip", "install", "-q", "--no-deps"]
        return [os.path.basename(call[-1]) for call in calls]


@pytest.fixture
def machine(tmp_path):
    """Return a machine without the library."""
    return Machine(tmp_path)


def test_the_cell_is_the_same_in_every_lesson():
    assert len({read_set_up(lesson) for lesson in LESSONS}) == 1


def test_anywhere_else_it_does_nothing(machine):
    assert machine.run(ADDRESS, is_colab=False) is None
    assert machine.result.returncode == 0
    assert list(machine.list_calls()) == []


def test_without_an_address_it_says_what_to_do(machine):
    machine.run(address="")
    said = machine.result.stderr.splitlines()[-1]
    assert machine.result.returncode == 1
    assert "Upload the library's wheel" in said and "git clone" in said
    assert list(machine.list_calls()) == []


def test_it_clones_the_address_and_no_history(machine):
    origin = machine.run(ADDRESS)
    clone, *_ = machine.list_calls()
    assert clone == ["git", "clone", "--depth", "1", ADDRESS]
    assert origin.endswith("/content/some-name/tutorial_lib/__init__.py")


def test_a_clone_beside_the_notebook_is_taken(machine):
    machine.put_library(machine.content / "my clone")
    origin = machine.run(ADDRESS)
    assert origin.endswith("/content/my clone/tutorial_lib/__init__.py")
    assert machine.list_installed() == list_added_packages()


def test_the_newest_wheel_beside_the_notebook_is_installed(machine):
    for name in (WHEEL, WHEEL.replace("0.2.0", "0.1.0")):
        (machine.content / name).touch()
    origin = machine.run(ADDRESS)
    assert origin.endswith("/site/tutorial_lib/__init__.py")
    assert machine.list_installed() == [WHEEL, *list_added_packages()]


def test_a_library_that_can_be_imported_is_taken_as_it_is(machine):
    machine.put_library(machine.base / "site")
    (machine.content / WHEEL).touch()
    machine.run(ADDRESS)
    assert machine.list_installed() == list_added_packages()


def test_what_is_there_is_not_installed_again(machine):
    machine.put_library(machine.base / "site")
    for name in ("open_clip", "jaxtyping"):
        (machine.base / "site" / name).mkdir()
        (machine.base / "site" / name / "__init__.py").touch()
    machine.run()
    assert machine.list_installed() == ["ftfy", "wadler_lindig"]


def test_a_second_run_does_nothing_more(machine):
    machine.run(ADDRESS, times=2)
    assert machine.result.returncode == 0
    assert len(list(machine.list_calls())) == 1 + len(list_added_packages())
    machine.run(ADDRESS)  # the kernel was restarted
    assert len(list(machine.list_calls())) == 1 + len(list_added_packages())


def test_a_clone_that_fails_stops_the_cell(machine):
    (machine.base / "broken").touch()
    machine.run(ADDRESS)
    assert machine.result.returncode == 1
    assert "non-zero exit status 128" in machine.result.stderr
    assert len(list(machine.list_calls())) == 1
