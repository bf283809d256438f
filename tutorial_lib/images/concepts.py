"""A folder of pictures, as people really have them, becomes a Concept.

Photos lie on their side, logos are transparent, one file is broken and
three are no pictures at all. Each usable file becomes a square RGB image,
the others are left out, and a report says what was done to which.
"""

import operator
from collections.abc import Iterable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from PIL import Image

from tutorial_lib.errors import ImageError
from tutorial_lib.images.dreambench import (
    get_subject,
    read_class,
    read_credit,
)
from tutorial_lib.images.places import (
    explain_missing,
    find_folder,
    get_shipped_kind,
)
from tutorial_lib.images.reading import read_image
from tutorial_lib.images.report import (
    FileEntry,
    FolderReport,
    make_printable,
)
from tutorial_lib.kinds import get_kind

MAX_SIZE = 4096  # pixels; more is a slip, and fills the memory
IGNORED_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx")


@dataclass
class Concept:
    """One thing to be learned: its square RGB images and where they lie.

    `files` are the images' file names, in the same order. `kind` is
    "pattern", "person" or "object" and decides which sentences X is learned
    in. `initializer` is the word that X begins as, the kind's if None.
    """

    name: str
    images: list[Image.Image]
    files: list[str] = field(default_factory=list)
    report: FolderReport = field(default_factory=FolderReport)
    kind: str = "pattern"
    initializer: str | None = None


def load_concept(
    name_or_folder: str | PathLike[str],
    size: int = 512,
    kind: str | None = None,
) -> Concept:
    """Read a shipped concept ("tshirt", "face") or a folder of pictures.

    "dreambench/dog6" and 29 others are fetched from the web and kept: the
    subjects of DreamBooth's data set (`list_subjects`). Their licence is in
    the report, their class is the word that X begins as.

    The concept's images are RGB, `size` x `size` pixels, in the order of
    their file names. Each is turned upright, cropped to its central square,
    converted to sRGB, laid on white and scaled; `concept.report` says so,
    file by file. `kind` is "pattern", "person" or "object": a folder is taken
    for a pattern unless told otherwise. A folder of your own that is called
    "face" is "./face". Raises TutorialError for another kind, ImageError for a
    size that cannot be or if no image remains, FetchError if pictures cannot
    be fetched. Taught in notebooks/00_start_here.ipynb and
    11_your_own_x.ipynb.
    """
    size = check_size(size)
    get_kind("pattern" if kind is None else kind)  # raises for another
    folder = find_folder(name_or_folder)
    subject = get_subject(folder)
    report = FolderReport(folder=folder.name, size=size)
    if subject is not None:
        report.credit = read_credit(subject)
    images = read_folder(folder, size, report)
    return Concept(
        name=folder.name,
        images=list(images.values()),
        files=list(images),
        report=report,
        kind=kind or get_shipped_kind(folder) or "pattern",
        initializer=None if subject is None else read_class(subject),
    )


def read_folder(
    folder: Path, size: int, report: FolderReport
) -> dict[str, Image.Image]:
    """Read the usable files of a folder, as images by file name.

    Adds an entry for each file to the report. Raises ImageError if no image
    remains.
    """
    files = list_files(folder)
    shown = make_printable(str(folder))
    if not files:
        raise ImageError(
            f"The folder '{shown}' holds no pictures; put three to twenty "
            "of them into it, as JPEG or PNG."
        )
    images = read_images(files, size, report)
    if not images:
        raise ImageError(
            f"None of the files in '{shown}' can be used; put three to "
            "twenty pictures into it, as JPEG or PNG.\n"
            + "\n".join(report.list_notes())
        )
    return images


def check_size(size: Any, argument: str = "size") -> int:
    """Return a size in pixels or the like as a whole number, if it is one.

    Numpy's are taken too. Raises ImageError, which names the argument, for
    anything else.
    """
    try:
        number = 0 if isinstance(size, bool) else operator.index(size)
    except TypeError:
        number = 0
    if not 1 <= number <= MAX_SIZE:
        raise ImageError(
            f"{argument}={make_printable(repr(size))[:40]} cannot be; give a "
            f"whole number from 1 to {MAX_SIZE}."
        )
    return number


def list_files(folder: str | PathLike[str]) -> list[Path]:
    """Return what lies in a folder, by name, without what no one put there.

    Hidden files, .DS_Store, Thumbs.db and the like are left out silently.
    """
    folder = Path(folder)
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        raise ImageError(explain_missing(folder)) from None
    except OSError:
        raise ImageError(
            f"The folder '{make_printable(str(folder))}' may not be read; "
            "change its permissions or copy the pictures elsewhere."
        ) from None
    wanted = [
        path
        for path in paths
        if not path.name.startswith(".")
        and path.name.lower() not in IGNORED_FILES
    ]
    return sorted(wanted, key=lambda path: (path.name.lower(), path.name))


def read_images(
    paths: Iterable[Path], size: int, report: FolderReport
) -> dict[str, Image.Image]:
    """Read those of the files that are usable, as images by file name.

    Adds an entry for each file to the report; no file stops the others.
    """
    images: dict[str, Image.Image] = {}
    first_with: dict[int, str] = {}  # hash of the pixels -> file name
    for path in paths:
        try:
            image, notes = read_image(path, size)
        except ImageError as error:
            reason = f"skipped, {error}"
            report.entries.append(FileEntry(path.name, False, (reason,)))
            continue
        twin = first_with.setdefault(hash(image.tobytes()), path.name)
        if twin != path.name:
            notes.append(f"the same picture as {twin}, so it counts twice")
        images[path.name] = image
        report.entries.append(FileEntry(path.name, True, tuple(notes)))
    return images
