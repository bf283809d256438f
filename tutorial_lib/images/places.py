"""Where a concept's pictures lie: the shipped ones, and a reader's own."""

import os
import re
import unicodedata
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tutorial_lib.errors import DataError, ImageError
from tutorial_lib.images.dreambench import (
    PREFIX,
    fetch_subject,
    get_subject,
    list_subjects,
    match_subject,
)
from tutorial_lib.images.report import make_printable
from tutorial_lib.settings import find_data

SHIPPED = {"tshirt": "pattern", "face": "person"}  # name -> kind


def list_shipped() -> str:
    """Return the names of the shipped concepts, to be read."""
    return " and ".join(f"'{known}'" for known in SHIPPED)


def locate(name_or_path: str | os.PathLike[str]) -> Path:
    """Return where a shipped concept, a folder or a file is or should be.

    Spaces and quotation marks around it do not count, nor does how accents
    are composed; in the name of a shipped concept neither do capitals and
    hyphens, unless a folder of one's own is called so. A subject such as
    "dreambench/dog6" is fetched, if it is not there yet. Raises ImageError
    for what is no name and no path, FetchError if fetching fails.
    """
    text = check_text(name_or_path)
    name = text.strip().strip("\"'").strip()
    if not name:
        raise ImageError(
            "The concept has no name; give the path of a folder of pictures, "
            f"or one of the shipped concepts, {list_shipped()}."
        )
    if re.match("(https?|ftp):/", name):
        raise ImageError(
            f"'{make_printable(name)}' is an address in the web; save the "
            "pictures in a folder and give its path."
        )
    if name in SHIPPED:
        return find_data() / "concepts" / name
    if name in [PREFIX + subject for subject in list_subjects()]:
        return fetch_subject(name.removeprefix(PREFIX))
    if name.startswith("file:/"):  # as browsers copy it
        name = urllib.request.url2pathname(urllib.parse.urlsplit(name).path)
    forms = [unicodedata.normalize(form, name) for form in ("NFC", "NFD")]
    for form in (text, name, *forms, name.replace("\\", "/")):
        path = expand_home(form)
        if does_exist(path):
            return path
    plain = unicodedata.normalize("NFKC", name).casefold().rstrip("/\\")
    plain = re.sub("[-_ ]", "", plain)
    if plain in SHIPPED:
        return find_data() / "concepts" / plain
    if subject := match_subject(name):
        return fetch_subject(subject)
    return expand_home(name)


def check_text(name_or_path: Any) -> str:
    """Return a name or a path as text; raise ImageError if it is neither."""
    if isinstance(name_or_path, str | os.PathLike):
        text = os.fspath(name_or_path)
        if isinstance(text, str):
            return text
    raise ImageError(
        f"A concept is given by its name, {list_shipped()}, or by the path "
        f"of a folder of pictures, not as {type(name_or_path).__name__}."
    )


def expand_home(text: str) -> Path:
    """Return a path, with the home folder in place of a leading ~."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no such user
        return Path(text)


def does_exist(path: Path) -> bool:
    """Return whether there is anything at a path."""
    try:
        return path.exists()
    except PermissionError:  # there may be, but it is not for all to see
        return True
    except (OSError, ValueError):  # too long a name, or none at all
        return False


def is_folder(path: Path) -> bool:
    """Return whether there is a folder at a path that may be looked at."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def find_folder(name_or_folder: str | os.PathLike[str]) -> Path:
    """Return the folder of a shipped concept, or the reader's own.

    Raises ImageError if there is no such folder.
    """
    folder = locate(name_or_folder)
    if not does_exist(folder):
        raise ImageError(explain_missing(folder))
    shown = make_printable(str(folder))
    try:
        if folder.is_dir():
            return folder.resolve()
    except OSError:
        raise ImageError(
            f"The folder '{shown}' may not be read; change its permissions "
            "or copy the pictures elsewhere."
        ) from None
    raise ImageError(
        f"'{shown}' is a file; give the folder that holds the pictures "
        "(an archive has to be unpacked first)."
    )


def explain_missing(path: Path, what: str = "folder") -> str:
    """Return that nothing is at a path, and where it was looked for."""
    if os.name != "nt" and re.match(r"[A-Za-z]:[\\/]|\\\\", str(path)):
        return make_printable(
            f"'{path}' is a path of Windows, and the machine that runs this "
            f"has none such; copy the {what} over and give its path there "
            "(in WSL the drive C: is /mnt/c)."
        )
    whole = Path(os.path.abspath(str(path)))
    nearest = next(filter(does_exist, whole.parents), whole.anchor)
    return make_printable(
        f"There is no {what} '{whole}' (the nearest that exists is "
        f"'{nearest}'); check its spelling, or take one of the shipped "
        f"concepts, {list_shipped()}."
    )


def get_shipped_kind(folder: Path) -> str | None:
    """Return the kind of a shipped concept's folder; None for another.

    Subjects of DreamBooth's data set are objects.
    """
    if get_subject(folder) is not None:
        return "object"
    try:
        shipped = (find_data() / "concepts").resolve()
    except DataError:
        return None
    is_shipped = folder.resolve().parent == shipped
    return SHIPPED.get(folder.name) if is_shipped else None
