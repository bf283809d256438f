"""The first cell of every lesson, as text."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def read_cell(lesson, name):
    """Return the cell of that name in a lesson, a Path."""
    notebook = json.loads(lesson.read_text(encoding="utf-8"))
    (cell,) = [cell for cell in notebook["cells"] if cell["id"] == name]
    return cell


def read_set_up(lesson, address=None):
    """Return a lesson's set-up cell, with another address if one is given."""
    source = "".join(read_cell(lesson, "set-up")["source"])
    if address is None:
        return source
    line = f'ADDRESS = "{address}"'
    source, count = re.subn('^ADDRESS = "[^"]*"', line, source, flags=re.M)
    assert count == 1
    return source


def list_added_packages():
    """Return the packages that the cell adds where they are missing."""
    (listed,) = re.findall(r"for name in \[(.*?)\]", read_set_up(LESSONS[0]))
    return re.findall('"(.*?)"', listed)
