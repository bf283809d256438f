"""DreamBooth's data set, fetched by name: `load_concept("dreambench/dog6")`.

It holds 30 subjects, each in four to six photos, and is what DreamBench
measures with (Ruiz et al., 2023, DreamBooth). Nothing of it is shipped here
but the list of its files: pictures, licences, classes and prompts are fetched
when they are asked for, and kept.
"""

import difflib
import re
import unicodedata
from functools import cache
from pathlib import Path

from tutorial_lib.errors import ImageError
from tutorial_lib.images.fetching import RemoteFile, Source, fetch_files
from tutorial_lib.images.report import make_printable
from tutorial_lib.settings import DREAMBENCH_FOLDER, DREAMBENCH_SOURCE

PREFIX = "dreambench/"
MANIFEST = Path(__file__).with_name("dreambench.tsv")
LICENSES = "references_and_licenses.txt"
CLASSES = "prompts_and_classes.txt"
LIVE_CLASSES = ("cat", "dog")  # they have prompts of their own


@cache
def read_manifest(path: Path) -> tuple[RemoteFile, ...]:
    """Return the files of the data set at its pinned commit."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return tuple(
        RemoteFile(file, int(num_bytes), blob)
        for file, num_bytes, blob in rows
    )


def list_subjects() -> list[str]:
    """Return the names of the data set's subjects, sorted.

    Taught in notebooks/11_your_own_x.ipynb.
    """
    paths = [file.path for file in read_manifest(MANIFEST)]
    return sorted({path.split("/")[0] for path in paths if "/" in path})


def match_subject(name: str) -> str | None:
    """Return the subject that "dreambench/dog6" or the like names.

    Capitals, spaces and hyphens do not count. None for a name that does not
    begin so. Raises ImageError, with the nearest names, for a subject that
    there is none of.
    """
    plain = unicodedata.normalize("NFKC", name).casefold().replace("\\", "/")
    if f"{plain.strip().rstrip('/')}/" == PREFIX:
        plain = PREFIX
    if not plain.startswith(PREFIX):
        return None
    subjects = {re.sub("[-_ ]", "", name): name for name in list_subjects()}
    asked = re.sub("[-_ ]", "", plain.removeprefix(PREFIX)).rstrip("/")
    if asked in subjects:
        return subjects[asked]
    alike = difflib.get_close_matches(asked, subjects, n=3)
    nearest = " or ".join(f'"{PREFIX}{subjects[key]}"' for key in alike)
    hint = f"perhaps {nearest} is meant; " if alike else ""
    raise ImageError(
        f"DreamBooth's data set has no '{make_printable(name)}'; {hint}the "
        f"subjects are {', '.join(list_subjects())}."
    )


def fetch_subject(subject: str) -> Path:
    """Return the folder of a subject's pictures; fetch what it lacks.

    The text with the licences comes along. Raises FetchError if that cannot
    be done.
    """
    pictures = [
        file.path
        for file in read_manifest(MANIFEST)
        if file.path.startswith(f"{subject}/")
    ]
    fetch([LICENSES, CLASSES, *pictures], f"{PREFIX}{subject}")
    return DREAMBENCH_FOLDER / subject


def fetch(paths: list[str], what: str) -> None:
    """Fetch those of the data set's files that are not there yet."""
    source = Source(
        url=DREAMBENCH_SOURCE,
        remedy=(
            "copy the folder `dataset` of github.com/google/dreambooth to "
            "this machine and name it in TUTORIAL_DREAMBENCH"
        ),
    )
    files = [file for file in read_manifest(MANIFEST) if file.path in paths]
    fetch_files(files, source, DREAMBENCH_FOLDER, what)


def get_subject(folder: Path) -> str | None:
    """Return the subject whose folder this is; None for any other folder."""
    if folder.resolve().parent != DREAMBENCH_FOLDER.resolve():
        return None
    return folder.name if folder.name in list_subjects() else None


def read_class(subject: str) -> str:
    """Return the ordinary word for a subject, such as "dog"."""
    text = read_text_file(CLASSES)
    lines = re.findall(r"^(\w+),(\w[\w ]*)$", text, re.MULTILINE)
    return dict(lines)[subject]


def read_credit(subject: str) -> str:
    """Return who made a subject's pictures, and on which terms, to be read."""
    text = read_text_file(LICENSES)
    start = re.search(rf"^{subject}:", text, re.MULTILINE)
    part = text[start.end() :].split("\n\n")[0] if start else ""
    author = part.strip().split("\n")[0].strip(" ()")
    terms = "the data set is under CC BY 4.0"
    if "unsplash.com" in part:
        terms = "Unsplash License (unsplash.com/license)"
    return (
        f"Pictures of {PREFIX}{subject}, DreamBooth's data set "
        f"(github.com/google/dreambooth), {author}; {terms}. All terms: "
        f"'{DREAMBENCH_FOLDER / LICENSES}'."
    )


def list_prompts(subject: str) -> list[str]:
    """Return DreamBench's 25 prompts for a subject, with a gap {} for it.

    The gap takes the learned word, or "dog". Things have other prompts than
    animals. Source: the data set's prompts_and_classes.txt. Taught in
    notebooks/11_your_own_x.ipynb.
    """
    _, things, animals = re.split(
        r"^(?:Live Subject|Object) Prompts$",
        read_text_file(CLASSES),
        flags=re.MULTILINE,
    )
    part = animals if read_class(subject) in LIVE_CLASSES else things
    prompts = re.findall(r"^'(.*\{0\} \{1\}.*)'\.format", part, re.MULTILINE)
    return [prompt.replace("{0} {1}", "{}") for prompt in prompts]


def read_text_file(name: str) -> str:
    """Return one of the data set's texts, fetched if it is not there."""
    fetch([name], name)
    text = (DREAMBENCH_FOLDER / name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")
