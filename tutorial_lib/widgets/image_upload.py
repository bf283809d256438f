"""A button that puts pictures from the reader's computer into a folder.

Without a kernel, or in a headless run, the line above it says where to put
the files by hand; the lesson reads the folder either way.
"""

import html
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
from IPython.display import display

from tutorial_lib.errors import ImageError, TutorialError
from tutorial_lib.figures import image_to_html, make_grid
from tutorial_lib.files import write_atomically
from tutorial_lib.images import list_files, load_concept, make_printable

# A browser may not count photos of phones among the images.
ACCEPTED = "image/*,.heic,.heif,.avif"


def show_upload(folder: str | Path, kind: str = "pattern") -> None:
    """Show a button that uploads pictures into a folder, which is made.

    After an upload, what the library can make of the files in the folder
    appears below it. Raises ImageError if it cannot be made. Taught in
    notebooks/11_your_own_x.ipynb.
    """
    folder = make_folder(folder)
    num_files = len(list_files(folder))
    print(
        f"'{folder.name}' in '{folder.parent.name}/': {num_files} "
        f"file{'' if num_files == 1 else 's'}. "
        "Upload pictures, or copy them there yourself."
    )
    button = ipywidgets.FileUpload(
        accept=ACCEPTED,
        multiple=True,
        description="Upload pictures",
        layout=ipywidgets.Layout(width="14em"),
    )
    answer = ipywidgets.HTML()
    button.observe(partial(answer_upload, folder, kind, answer), names="value")
    display(ipywidgets.VBox([button, answer]))


def make_folder(folder: str | Path) -> Path:
    """Make a folder unless it is there; raise ImageError if it cannot be."""
    try:
        path = Path(folder).expanduser()
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError, TypeError, ValueError):
        shown = make_printable(str(folder))
        raise ImageError(
            f"The folder '{shown}' cannot be made; give the path of another."
        ) from None
    return path


def answer_upload(
    folder: Path, kind: str, answer: ipywidgets.HTML, change: dict[str, Any]
) -> None:
    """Write the uploaded files into the folder, and show what is there.

    `change` is what ipywidgets says of the button; its "new" holds the
    files.
    """
    try:
        for name, content in list_uploads(change["new"]):
            with write_atomically(folder / Path(name).name) as unfinished:
                unfinished.write_bytes(content)
    except TutorialError as error:  # a page shows no error of a callback
        answer.value = f"<p>{escape_lines(str(error))}</p>"
        return
    answer.value = describe_folder(folder, kind)


def list_uploads(value: Any) -> Iterable[tuple[str, bytes]]:
    """Return names and contents of uploaded files.

    ipywidgets 7 gives a dict by name, ipywidgets 8 a tuple of dicts.
    """
    if isinstance(value, dict):
        return [(name, upload["content"]) for name, upload in value.items()]
    return [(upload["name"], bytes(upload["content"])) for upload in value]


def describe_folder(folder: Path, kind: str) -> str:
    """Return the pictures of a folder, and the report on them, as HTML."""
    try:
        concept = load_concept(folder.absolute(), size=128, kind=kind)
    except ImageError as error:
        return f"<p>{escape_lines(str(error))}</p>"
    grid = make_grid(concept.images)
    names = make_printable(", ".join(concept.files))
    return (
        image_to_html(grid, f"Uploaded pictures: {names}", format="JPEG")
        + f"<p>{escape_lines(str(concept.report))}</p>"
    )


def escape_lines(text: str) -> str:
    """Return lines of text as HTML."""
    return html.escape(text).replace("\n", "<br>")
