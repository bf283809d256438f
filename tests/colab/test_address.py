"""The repository's address stands in many files and is the same in all."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from set_up_cell import LESSONS, ROOT, read_cell, read_set_up

from tutorial_lib import address
from tutorial_lib.errors import CommandError
from tutorial_lib.files import fingerprint

OURS = "https://github.com/some-owner/some.name"


@pytest.fixture
def copy(tmp_path):
    """Return a copy of the files that say the address."""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    return tmp_path


def read_files(root):
    """Return all files below a folder as path -> text."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path: path.read_text(encoding="utf-8") for path in files}


def test_all_files_say_the_address_that_pyproject_has(copy):
    before = read_files(copy)
    assert address.write_address(address.read_address(copy), copy) == []
    assert read_files(copy) == before


def test_every_file_gets_the_address_and_says_it_again(copy):
    changed = address.write_address(OURS, copy)
    assert len(changed) == len(LESSONS) + 2
    assert address.read_address(copy) == OURS
    readme = (copy / "README.md").read_text(encoding="utf-8")
    assert f"git clone --depth 1 {OURS}\n" in readme
    assert "some-owner/some.name/blob/main/notebooks/00_start" in readme
    for lesson in LESSONS:
        path = copy / "notebooks" / lesson.name
        assert f'ADDRESS = "{OURS}"' in read_set_up(path)
        title = "".join(read_cell(path, "title")["source"])
        (link,) = re.findall(r"\]\(([^()]*/github/[^()]*)\)", title)
        assert link == (
            "https://colab.research.google.com/github/some-owner/some.name/"
            f"blob/main/notebooks/{lesson.name}"
        )


def test_an_address_that_is_there_changes_nothing(copy):
    address.write_address(OURS, copy)
    before = read_files(copy)
    assert address.write_address(OURS, copy) == []
    assert read_files(copy) == before


def test_one_address_takes_the_place_of_another(copy):
    address.write_address(OURS, copy)
    as_ours = read_files(copy)
    address.write_address(address.HOST + "a/b", copy)
    assert not [t for t in read_files(copy).values() if "some-owner" in t]
    address.write_address(OURS, copy)
    assert read_files(copy) == as_ours


def test_an_address_can_be_taken_away_again(copy):
    address.write_address(None, copy)
    without = read_files(copy)
    assert address.read_address(copy) is None
    address.write_address(OURS, copy)
    address.write_address(None, copy)
    assert read_files(copy) == without


def test_nothing_else_in_a_notebook_changes(copy):
    address.write_address(OURS, copy)
    for lesson in LESSONS:
        before = json.loads(lesson.read_text(encoding="utf-8"))
        path = copy / "notebooks" / lesson.name
        after = json.loads(path.read_text(encoding="utf-8"))
        for notebook in (before, after):
            cells = [c for c in notebook["cells"] if "outputs" in c]
            assert cells[0]["id"] == "set-up" and not cells[0]["outputs"]
            ran = fingerprint("".join(cells[0]["source"]))
            assert cells[0]["metadata"].pop("ran") == ran
            cells[0]["source"] = notebook["cells"][0]["source"] = []
        assert before == after


def test_a_file_whose_place_for_the_address_is_gone_is_named(copy):
    path = copy / "notebooks" / LESSONS[3].name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ADDRESS = ", "OTHER = "), encoding="utf-8")
    before = read_files(copy)
    with pytest.raises(CommandError, match=f"{LESSONS[3].name} has 0 places"):
        address.write_address(OURS, copy)
    assert read_files(copy) == before


@pytest.mark.parametrize(
    "text", ["o/n", " o/n ", "https://github.com/o/n", "github.com/o/n.git/"]
)
def test_a_repository_is_read_as_people_write_it(text):
    assert address.read_repository(text) == "o/n"


@pytest.mark.parametrize("text", ["", "name", "a/b/c", "https://x.org/a/b"])
def test_what_is_no_repository_is_refused_with_an_example(text):
    with pytest.raises(CommandError, match="REPO=owner/name"):
        address.read_repository(text)


def test_the_command_needs_python_alone(copy):
    shutil.copytree(ROOT / "tutorial_lib", copy / "tutorial_lib")
    command = [sys.executable, "-S", "-m", "tutorial_lib.address"]
    for words, code in ((["a/b"], 0), (["a/b"], 0), ([], 2)):
        result = subprocess.run(
            [*command, *words],
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == code, result.stderr
        assert "Traceback" not in result.stderr
    assert address.read_address(copy) == address.HOST + "a/b"


def test_the_hosting_site_writes_its_own_address():
    workflow = ROOT / ".github" / "workflows" / "address.yml"
    text = workflow.read_text(encoding="utf-8")
    assert 'make address REPO="$GITHUB_REPOSITORY"' in text
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "-m tutorial_lib.address $(REPO)" in makefile
