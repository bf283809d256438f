"""Run the notebooks and keep of each run what a reader should see.

`python -m tutorial_lib notebooks` does this before notebooks are committed.
"""

import base64
import hashlib
import io
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.settings import DATA, ROOT

FOLDER = ROOT / "notebooks"
COVERS = DATA / "covers"  # the picture at the top of each lesson
LARGEST = 400_000  # bytes of a notebook, so that it opens at once
SECONDS = 600  # a cell may take
WIDGET = "application/vnd.jupyter.widget-view+json"


def find_notebooks(numbers: list[str]) -> list[Path]:
    """Return the notebooks with these numbers ("01"), or all of them.

    Raises FileNotFoundError if there is none with a number.
    """
    found = []
    for number in numbers or [""]:
        pattern = f"{number}_*.ipynb" if number else "[0-9]*.ipynb"
        paths = sorted(FOLDER.glob(pattern))
        if not paths:
            raise FileNotFoundError(
                f"There is no notebook {number} in {FOLDER}; write its two "
                f"digits, as in 01."
            )
        found += paths
    return found


def run_notebooks(numbers: list[str]) -> None:
    """Run notebooks from top to bottom and write them with their outputs.

    A notebook whose run fails stays as it was; one that succeeds gets its
    cover, the last picture of the cell tagged "cover". Raises
    CellExecutionError if a cell does, ValueError if a notebook becomes too
    large.
    """
    paths = find_notebooks(numbers)
    for path in (bar := tqdm(paths, desc="Running", unit="notebook")):
        bar.set_postfix_str(path.stem)
        notebook = nbformat.read(path, as_version=4)
        run_notebook(notebook)
        clean_notebook(notebook)
        text = nbformat.writes(notebook, indent=1) + "\n"
        if len(text) > LARGEST:
            raise ValueError(
                f"{path} would have {len(text):,} bytes, more than the "
                f"{LARGEST:,} that open at once; show smaller pictures."
            )
        path.write_text(text, encoding="utf-8")
        keep_cover(notebook, COVERS / f"{path.stem}.jpg")


def run_notebook(notebook: NotebookNode) -> None:
    """Run all cells of a notebook in its folder, in place."""
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
    )
    client.execute()


def clean_notebook(notebook: NotebookNode) -> None:
    """Drop what only the run needed, and note which code was run.

    Progress bars and widgets' state go; a widget's static form stays.
    """
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [
            output for output in map(clean_output, cell.outputs) if output
        ]
        cell.metadata["ran"] = fingerprint(cell.source)


def clean_output(output: NotebookNode) -> NotebookNode | None:
    """Return an output without widgets, or None if nothing is left."""
    if output.output_type == "stream":
        return None if output.name == "stderr" else output
    if WIDGET in output.get("data", {}):
        del output.data[WIDGET]
        if set(output.data) <= {"text/plain"}:
            return None
    return output


def keep_cover(notebook: NotebookNode, path: Path) -> None:
    """Write the last picture of the cell tagged "cover", if there is one."""
    for cell in notebook.cells:
        if "cover" not in cell.metadata.get("tags", []):
            continue
        text = " ".join(
            output.get("data", {}).get("text/html", "")
            for output in cell.outputs
        )
        code = re.findall(r'src="data:image/\w+;base64,([^"]+)"', text)[-1]
        image = Image.open(io.BytesIO(base64.b64decode(code)))
        path.parent.mkdir(parents=True, exist_ok=True)
        image.convert("RGB").save(path, quality=90)


def fingerprint(source: str) -> str:
    """Return eight letters that stand for a cell's code."""
    return hashlib.sha256(source.encode()).hexdigest()[:8]
