"""Where this repository is published, written into all files that say it.

    python -m tutorial_lib.address owner/name

or `make address REPO=owner/name`. It needs Python alone, so that the site
which hosts the repository can do it in seconds. The address itself stands
in pyproject.toml.
"""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from tutorial_lib.errors import CommandError, TutorialError
from tutorial_lib.files import fingerprint, write_atomically
from tutorial_lib.settings import ROOT

HOST = "https://github.com/"  # Colab opens notebooks from there
COLAB = "https://colab.research.google.com/github/"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
BRANCH = "main"
REPOSITORY = re.compile(
    r"(?:(?:https://)?github\.com/)?([a-zA-Z0-9-]+/[\w.-]+?)(?:\.git)?/?",
    re.ASCII,
)
FIRST_LESSON = "00_start_here"

IN_PROJECT = re.compile(r'^(?:# )?Repository = "[^"]*"$', re.MULTILINE)
IN_BADGE = re.compile(rf"\]\({re.escape(COLAB)}[^)]*\)")
IN_SET_UP = re.compile(r'^ADDRESS = "[^"]*"', re.MULTILINE)
IN_README = re.compile("<!-- address -->.*<!-- /address -->", re.DOTALL)

README_WITHOUT = """\
Colab opens notebooks that are published on GitHub, and this copy does not
know where it is. `make address REPO=owner/name` writes that into the badge of
each lesson, into their set-up cells and into this page. Until then, `make
wheel` here, and upload the lesson and the wheel to Colab."""
README_WITH = """\
[![Open in Colab]({badge})]({lesson})

```bash
git clone --depth 1 {address}
```"""


def read_repository(text: str) -> str:
    """Return "owner/name" from that, or from an address on GitHub.

    Raises CommandError for anything else.
    """
    match = REPOSITORY.fullmatch(text.strip())
    if not match:
        raise CommandError(
            f"'{text}' is no repository on GitHub, from where Colab opens "
            "notebooks; write its owner and name, as in "
            "`make address REPO=owner/name`."
        )
    return match[1]


def read_address(root: Path = ROOT) -> str | None:
    """Return the address in pyproject.toml, or None if there is none yet."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    urls = tomllib.loads(text)["project"].get("urls", {})
    return urls.get("Repository")


def write_address(address: str | None, root: Path = ROOT) -> list[Path]:
    """Write an address, or that there is none, wherever it belongs.

    Returns the files that changed. Raises FileError if one cannot be
    written.
    """
    changed = []
    for path, text in stamp_files(address, root).items():
        if text != path.read_text(encoding="utf-8"):
            with write_atomically(path) as unfinished:
                unfinished.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def stamp_files(address: str | None, root: Path) -> dict[Path, str]:
    """Return the files that say the address, and what they should say."""
    project, readme = root / "pyproject.toml", root / "README.md"
    line = f'Repository = "{address}"'
    if address is None:
        line = f'# Repository = "{HOST}owner/name"'
    part = make_readme_part(address)
    texts = {
        path: replace_once(pattern, new, path.read_text("utf-8"), path)
        for path, pattern, new in [
            (project, IN_PROJECT, line),
            (readme, IN_README, part),
        ]
    }
    for path in sorted((root / "notebooks").glob("[0-9]*.ipynb")):
        texts[path] = stamp_notebook(path, address)
    return texts


def replace_once(
    pattern: re.Pattern[str], new: str, text: str, path: Path
) -> str:
    """Return a text of a file with the one place that matches replaced.

    Raises CommandError unless there is exactly one.
    """
    text, count = pattern.subn(lambda _: new, text)
    if count != 1:
        raise CommandError(
            f"{path} has {count} places for {pattern.pattern} instead of "
            "one; take the file from the repository again."
        )
    return text


def make_readme_part(address: str | None) -> str:
    """Return the part of README.md that says where the repository is."""
    part = README_WITHOUT
    if address is not None:
        lesson = link_to_colab(address, FIRST_LESSON)
        part = README_WITH.format(badge=BADGE, lesson=lesson, address=address)
    return f"<!-- address -->\n{part}\n<!-- /address -->"


def link_to_colab(address: str | None, lesson: str) -> str:
    """Return the link that opens a lesson in Colab.

    Without an address it is that of Colab's own search on GitHub.
    """
    if address is None:
        return COLAB
    name = address.removeprefix(HOST)
    return f"{COLAB}{name}/blob/{BRANCH}/notebooks/{lesson}.ipynb"


def stamp_notebook(path: Path, address: str | None) -> str:
    """Return a notebook with the address in its badge and set-up cell.

    The set-up cell counts as run: outside Colab the address does nothing.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    badge = f"]({link_to_colab(address, path.stem)})"
    line = f'ADDRESS = "{address or ""}"'
    for name, pattern, new in [
        ("title", IN_BADGE, badge),
        ("set-up", IN_SET_UP, line),
    ]:
        cell = find_cell(notebook, name, path)
        text = replace_once(pattern, new, "".join(cell["source"]), path)
        cell["source"] = text.splitlines(keepends=True)
        if "ran" in cell["metadata"]:
            cell["metadata"]["ran"] = fingerprint(text)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def find_cell(
    notebook: dict[str, Any], name: str, path: Path
) -> dict[str, Any]:
    """Return the cell of that name; raise CommandError without one."""
    for cell in notebook["cells"]:
        if cell.get("id") == name:
            return cell
    raise CommandError(
        f"{path} has no cell '{name}'; copy it from another lesson."
    )


def main(arguments: list[str]) -> int:
    """Write the address that was given; return the exit code."""
    try:
        address = HOST + read_repository(" ".join(arguments))
        changed = write_address(address)
    except TutorialError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{address}: {len(changed)} files changed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
