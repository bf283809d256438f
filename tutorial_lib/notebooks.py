"""Running the notebooks, and keeping what a reader should see.

`textual-inversion notebooks` does this before notebooks are committed.
"""

import base64
import io
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.errors import CommandError, TutorialError
from tutorial_lib.files import fingerprint, write_atomically
from tutorial_lib.settings import DATA, ROOT

FOLDER = ROOT / "notebooks"
COVERS = DATA / "covers"  # the picture at the top of each lesson
MAX_BYTES = 500_000  # of a notebook, so that it opens at once
CELL_TIMEOUT = 3600  # seconds; a busy machine must not reach it
WIDGET = "application/vnd.jupyter.widget-view+json"


def find_notebooks(numbers: list[str]) -> list[Path]:
    """Return the notebooks with these numbers ("01"), or all of them.

    Raises CommandError for a number that no notebook has, or if the library
    was installed without the notebooks.
    """
    if not FOLDER.is_dir():
        raise CommandError(
            f"There is no folder {FOLDER}; the notebooks are in a clone of "
            "the repository, so run this command there."
        )
    notebooks: list[Path] = []
    for number in numbers or [""]:
        pattern = f"{number}_*.ipynb" if number else "[0-9]*.ipynb"
        paths = sorted(FOLDER.glob(pattern))
        if not paths:
            raise CommandError(
                f"There is no notebook {number} in {FOLDER}; write its two "
                f"digits, as in 01."
            )
        notebooks += paths
    return notebooks


def run_notebooks(numbers: list[str]) -> None:
    """Run notebooks from top to bottom and write them with their outputs.

    A notebook whose run fails stays as it was; one that succeeds gets its
    cover, the last picture of the cell tagged "cover". Raises
    CellExecutionError if a cell does, TutorialError if a notebook becomes
    too large.
    """
    bar = tqdm(find_notebooks(numbers), desc="Running", unit="notebook")
    for path in bar:
        bar.set_postfix_str(path.stem)
        notebook = nbformat.read(path, as_version=4)
        run_notebook(notebook)
        clean_notebook(notebook)
        text = nbformat.writes(notebook, indent=1) + "\n"
        if len(text) > MAX_BYTES:
            raise TutorialError(
                f"{path} would have {len(text):,} bytes, more than the "
                f"{MAX_BYTES:,} that open at once; show smaller pictures."
            )
        with write_atomically(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
        keep_cover(notebook, COVERS / f"{path.stem}.jpg")


def run_notebook(notebook: NotebookNode) -> None:
    """Run all cells of a notebook in its folder, in place."""
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
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
        with write_atomically(path) as unfinished:
            image.convert("RGB").save(unfinished, quality=90)
