"""A wheel carries the data, and needs no clone."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from set_up_cell import LESSONS, ROOT

MEGABYTE = 1_000_000
WHERE = """
import json
from tutorial_lib import notebooks, settings
print(json.dumps([str(settings.find_data()), str(settings.OUT)]))
"""


def run_python(*words, folder, path=None):
    """Run Python in a folder, outside of the clone; return what it did."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TUTORIAL")}
    env["PYTHONPATH"] = str(path or "")
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def installed(tmp_path):
    """Return a folder with the library as a wheel lays it out."""
    inside = tmp_path / "site" / "tutorial_lib"
    shutil.copytree(ROOT / "tutorial_lib", inside)
    (inside / "data").symlink_to(ROOT / "data")
    (tmp_path / "work").mkdir()
    return tmp_path / "site"


def test_the_data_is_found_inside_and_results_go_to_the_working_folder(
    installed, tmp_path
):
    result = run_python("-c", WHERE, folder=tmp_path / "work", path=installed)
    data, out = json.loads(result.stdout)
    assert data == str(installed / "tutorial_lib" / "data")
    assert out == str(tmp_path / "work" / "out")


def test_the_command_for_notebooks_says_where_they_are(installed, tmp_path):
    words = ("-m", "tutorial_lib", "notebooks", "00")
    result = run_python(*words, folder=tmp_path / "work", path=installed)
    assert result.returncode == 2
    assert "the notebooks are in a clone" in result.stderr


def test_an_editable_install_leaves_the_data_in_the_clone(tmp_path):
    # What setup.py does then, without the minutes that pip takes.
    code = (
        "import runpy, setuptools; setuptools.setup = lambda **_: None\n"
        "build = runpy.run_path('setup.py')['BuildWithData']\n"
        "from setuptools import Distribution\n"
        "for is_editable in (True, False):\n"
        "    command = build(Distribution({'packages': []}))\n"
        "    command.ensure_finalized()\n"
        "    command.editable_mode = is_editable\n"
        f"    command.build_lib = {str(tmp_path)!r}\n"
        "    command.run()\n"
        f"    import os; print(os.listdir({str(tmp_path)!r}))\n"
    )
    result = run_python("-c", code, folder=ROOT)
    assert result.stdout == "[]\n['tutorial_lib']\n", result.stderr
    listed = os.listdir(tmp_path / "tutorial_lib" / "data")
    assert set(listed) == set(os.listdir(ROOT / "data"))


@pytest.mark.slow
def test_a_wheel_is_installed_outside_the_clone_and_runs_lesson_00(tmp_path):
    copy, site, work = (tmp_path / name for name in ("copy", "site", "work"))
    copy.mkdir()
    work.mkdir()
    for name in ("tutorial_lib", "data"):
        shutil.copytree(ROOT / name, copy / name)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    words = (*pip, "wheel", "--no-deps", "--wheel-dir", str(work), str(copy))
    result = run_python(*words, folder=work)
    assert result.returncode == 0, result.stderr
    (wheel,) = work.glob("*.whl")
    assert wheel.stat().st_size < 100 * MEGABYTE
    check_files(wheel)
    words = (*pip, "install", "--no-deps", "--target", str(site), str(wheel))
    assert run_python(*words, folder=work).returncode == 0
    shutil.rmtree(copy)
    notebook = json.loads(LESSONS[0].read_text(encoding="utf-8"))
    cells = [c["source"] for c in notebook["cells"] if "outputs" in c]
    code = "\n".join("".join(source) for source in cells)
    code += "\nimport tutorial_lib; print(tutorial_lib.__file__)"
    result = run_python("-c", code, folder=work, path=site)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1].startswith(str(site))


def check_files(wheel):
    """Check that a wheel holds the library's files and data, and no more."""
    prefix = "tutorial_lib/"
    with zipfile.ZipFile(wheel) as archive:
        packed = {n for n in archive.namelist() if n.startswith(prefix)}
    expected = set()
    for folder, under in (("tutorial_lib", ""), ("data", prefix)):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                expected.add(under + path.relative_to(ROOT).as_posix())
    assert packed == expected
