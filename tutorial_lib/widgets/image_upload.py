"""A button that puts pictures from the reader's computer into a folder.

Without a kernel, or in a headless run, the line above it says where to put
the files by hand; the lesson reads the folder either way.
"""

import html
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import ipywidgets
from IPython.display import display

from tutorial_lib.errors import ImageError
from tutorial_lib.figures import make_grid, write_image
from tutorial_lib.files import write_atomically
from tutorial_lib.images import list_files, load_concept


def show_upload(folder: str | Path, kind: str = "pattern") -> None:
    """Show a button that uploads pictures into a folder, which is made.

    Below it appears what the library can make of the files there. Taught
    in notebooks/11_your_own_x.ipynb.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    here = len(list_files(folder))
    print(
        f"'{folder.name}' in '{folder.parent.name}/': {here} files. Upload "
        "pictures, or copy them there yourself."
    )
    button = ipywidgets.FileUpload(
        accept="image/*",
        multiple=True,
        description="Upload pictures",
        layout=ipywidgets.Layout(width="14em"),
    )
    answer = ipywidgets.HTML()
    button.observe(partial(answer_upload, folder, kind, answer), names="value")
    display(ipywidgets.VBox([button, answer]))


def answer_upload(
    folder: Path, kind: str, answer: ipywidgets.HTML, change: dict
) -> None:
    """Write the uploaded files into the folder, and show what lies there.

    `change` is what ipywidgets tells of the button; its "new" holds the
    files.
    """
    for name, content in list_uploads(change["new"]):
        with write_atomically(folder / Path(name).name) as unfinished:
            Path(unfinished).write_bytes(content)
    answer.value = write_answer(folder, kind)


def list_uploads(value) -> Iterable[tuple[str, bytes]]:
    """Return names and contents of uploaded files.

    ipywidgets 7 gives a dict by name, ipywidgets 8 a tuple of dicts.
    """
    if isinstance(value, dict):
        return [(name, each["content"]) for name, each in value.items()]
    return [(each["name"], bytes(each["content"])) for each in value]


def write_answer(folder: Path, kind: str) -> str:
    """Return the pictures of a folder, and the report on them, as HTML."""
    try:
        concept = load_concept(folder.absolute(), size=96, kind=kind)
    except ImageError as error:
        return f"<p>{write_lines(error)}</p>"
    image = make_grid(concept.images, columns=10, side=72)
    names = ", ".join(concept.files)
    return (
        write_image(image, alt=f"Uploaded pictures: {names}")
        + f"<p>{write_lines(concept.report)}</p>"
    )


def write_lines(text) -> str:
    """Return lines of text as HTML."""
    return html.escape(str(text)).replace("\n", "<br>")
