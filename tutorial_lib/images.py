"""Reading a folder of pictures, as people really have them, into a Concept.

Photos lie on their side, logos are transparent, one file is broken and
three are no pictures at all. Each usable file becomes a square RGB image,
the others are left out, and a report says what was done to which.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tutorial_lib.errors import ImageError
from tutorial_lib.kinds import get_kind
from tutorial_lib.settings import find_data

SHIPPED = {"tshirt": "pattern", "face": "person"}  # name -> kind
MIN_SIDE = 32  # pixels; an image with a shorter side shows too little
LARGE_SIDE = 4096  # pixels; scaling down from more is worth a note
IGNORED_FILES = ("thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx")
FORMATS = (
    "JPEG",
    "PNG",
    "WEBP",
    "GIF",
    "BMP",
    "TIFF",
    "AVIF",
    "JPEG2000",
)
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held


@dataclass(frozen=True)
class FileEntry:
    """What was done to one file, or why it was left out."""

    file: str
    used: bool
    notes: tuple[str, ...] = ()


@dataclass
class FolderReport:
    """What was done to each file of a folder; `str(report)` is readable."""

    folder: str = ""
    size: int = 0
    entries: list[FileEntry] = field(default_factory=list)

    @property
    def used(self) -> list[str]:
        """The names of the files that became images."""
        return [entry.file for entry in self.entries if entry.used]

    @property
    def skipped(self) -> list[str]:
        """The names of the files that were left out."""
        return [entry.file for entry in self.entries if not entry.used]

    def __str__(self) -> str:
        """Return a summary line, then a line for each thing worth saying."""
        if not self.entries:
            return "These pictures were not read from files."
        lines = [
            f"'{self.folder}': {len(self.used)} of {len(self.entries)} files "
            f"used, each as {self.size}x{self.size} pixels."
        ]
        if len(self.used) < 3:
            lines.append("That is few; three to twenty pictures work best.")
        for (used, notes), files in group_entries(self.entries).items():
            shown = ", ".join(files)
            if used and len(files) > 3:
                shown = f"{', '.join(files[:2])} and {len(files) - 2} more"
            lines.append(f"- {shown}: {', '.join(notes)}.")
        return "\n".join(lines)


@dataclass
class Concept:
    """One thing to be learned: its square RGB images and where they lie.

    `files` are the images' file names, in the same order. `kind` is
    "pattern" or "person" and decides which sentences X is learned in.
    """

    name: str
    images: list[Image.Image]
    files: list[str] = field(default_factory=list)
    report: FolderReport = field(default_factory=FolderReport)
    kind: str = "pattern"


def load_concept(
    name_or_folder: str | Path, size: int = 512, kind: str | None = None
) -> Concept:
    """Read a shipped concept ("tshirt", "face") or a folder of pictures.

    The concept's images are RGB, `size` x `size` pixels, in the order of
    their file names. Each is turned upright, cropped to its central square,
    laid on white and scaled; `concept.report` says so, file by file. `kind`
    is "pattern" or "person": a folder is taken for a pattern unless told
    otherwise. A folder of your own that is called "face" is "./face". Raises
    TutorialError for another kind, ImageError if no image remains. Taught in
    notebooks/00_start_here.ipynb.
    """
    kind = kind or SHIPPED.get(str(name_or_folder), "pattern")
    get_kind(kind)  # raises for another
    folder = find_folder(name_or_folder)
    files = list_files(folder)
    if not files:
        raise ImageError(
            f"The folder '{folder}' holds no pictures; put three to twenty "
            "of them into it, as JPEG or PNG."
        )
    report = FolderReport(folder=folder.name, size=size)
    images = read_images(files, size, report)
    if not images:
        reasons = [
            f"{entry.file}: {', '.join(entry.notes)}"
            for entry in report.entries
        ]
        raise ImageError(
            f"None of the files in '{folder}' can be used; put three to "
            "twenty pictures into it, as JPEG or PNG.\n- "
            + "\n- ".join(reasons)
        )
    return Concept(
        name=folder.name,
        images=list(images.values()),
        files=list(images),
        report=report,
        kind=kind,
    )


def find_folder(name_or_folder: str | Path) -> Path:
    """Return the folder of a shipped concept, or the reader's own.

    Raises ImageError if there is no such folder.
    """
    name = str(name_or_folder).strip()
    shipped = " and ".join(f"'{known}'" for known in SHIPPED)
    if not name:
        raise ImageError(
            "The concept has no name; give the path of a folder of pictures, "
            f"or one of the shipped concepts, {shipped}."
        )
    if name in SHIPPED:
        folder = find_data() / "concepts" / name
    else:
        folder = Path(name).expanduser()
    if not folder.exists():
        raise ImageError(
            f"There is no folder '{folder}'; check its spelling, or take one "
            f"of the shipped concepts, {shipped}."
        )
    if not folder.is_dir():
        raise ImageError(
            f"'{folder}' is a file; give the folder that holds the pictures "
            "(an archive has to be unpacked first)."
        )
    return folder.resolve()


def list_files(folder: Path) -> list[Path]:
    """Return what lies in a folder, by name, without what no one put there.

    Hidden files, .DS_Store, Thumbs.db and the like are left out silently.
    """
    try:
        paths = list(folder.iterdir())
    except PermissionError:
        raise ImageError(
            f"The folder '{folder}' may not be read; change its permissions "
            "or copy the pictures elsewhere."
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


def read_image(path: Path, size: int) -> tuple[Image.Image, list[str]]:
    """Read one file as a square RGB image of `size` x `size` pixels.

    Returns the image and notes on what was done to it. Raises ImageError,
    whose text completes "skipped, ...", if the file is not usable.
    """
    if path.is_dir():
        raise ImageError(
            "it is a folder; put its pictures directly beside the others"
        )
    if not path.is_file():
        raise ImageError("it is no ordinary file; put the picture here")
    if path.stat().st_size == 0:
        raise ImageError("the file is empty; copy or download it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # big or odd is not yet broken
            with Image.open(path, formats=FORMATS) as opened:
                return prepare_image(opened, size)
    except ImageError:
        raise
    except Exception as error:  # a broken file can raise nearly anything
        raise ImageError(explain_failure(path, error)) from None


def explain_failure(path: Path, error: Exception) -> str:
    """Return why Pillow could not read a file, and the remedy, in words."""
    if isinstance(error, PermissionError):
        return "the file may not be read; change its permissions"
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return "it has too many pixels; save a smaller copy of it"
    with path.open("rb") as file:
        head = file.read(12)
    suffix = path.suffix.lower()
    if suffix in (".heic", ".heif") or head[8:] in HEIC:
        return "HEIC photos cannot be read here; export it as JPEG"
    if Image.registered_extensions().get(suffix) in FORMATS:
        return (
            "it is cut off, damaged or not what its name says; copy or "
            "download it again"
        )
    return (
        "it is no picture, or of a kind not read here; save it as JPEG or PNG"
    )


def prepare_image(
    opened: Image.Image, size: int
) -> tuple[Image.Image, list[str]]:
    """Turn, crop, flatten and scale an image that Pillow has opened.

    Returns the RGB image, `size` x `size` pixels, and notes on what was done
    to it. Raises ImageError if it is too small or transparent all over.
    """
    notes: list[str] = []
    num_frames = getattr(opened, "n_frames", 1)
    if num_frames > 1 and opened.format != "MPO":
        notes.append(f"first of {num_frames} frames taken")
        opened.seek(0)
    image = turn_upright(opened, notes)
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"it is only {width}x{height} pixels; take one with at least "
            f"{MIN_SIDE} on each side"
        )
    side = min(width, height)
    if width != height:
        left, top = (width - side) // 2, (height - side) // 2
        image = image.crop((left, top, left + side, top + side))
        notes.append(
            f"cropped to the central {side}x{side} of {width}x{height} pixels"
        )
    image = make_rgb(image, notes)
    if side < size:
        notes.append(f"enlarged from {side}x{side} pixels, so it is blurred")
    elif side > LARGE_SIDE:
        notes.append(f"scaled down from {side}x{side} pixels")
    if side != size:
        image = image.resize((size, size), Image.Resampling.LANCZOS)
    image.info = {}  # where and when it was taken is nobody's business
    return image, notes


def turn_upright(opened: Image.Image, notes: list[str]) -> Image.Image:
    """Return an image as the camera was held, by its EXIF orientation."""
    try:
        orientation = opened.getexif().get(ORIENTATION, 1)
    except Exception:  # the image itself may still be whole
        orientation = None
    opened.load()  # a TIFF image turns itself here
    try:
        upright = ImageOps.exif_transpose(opened)
    except Exception:
        orientation, upright = None, opened.copy()
    if orientation is None:
        notes.append("its EXIF data is damaged, so it may lie on its side")
    elif orientation in range(2, 9):
        notes.append("turned upright")
    return upright


def make_rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return an image in RGB: on white, 8 bits, whatever it was before."""
    if image.mode.startswith("I") or image.mode == "F":
        notes.append("reduced from deep grey to 8 bits")
        return reduce_depth(image).convert("RGB")
    if image.has_transparency_data:
        return flatten_on_white(image.convert("RGBA"), notes)
    if image.mode in ("1", "L"):
        notes.append("grey, taken as RGB")
    elif image.mode not in ("RGB", "P"):
        notes.append(f"converted from {image.mode}, so colours may differ")
    return image.convert("RGB")


def reduce_depth(image: Image.Image) -> Image.Image:
    """Return an image of 16 or 32 bits a pixel as 8-bit grey."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    if image.mode.startswith("I;16"):
        white = 65535
    else:  # the mode does not say what white is: take what holds it all
        white = next(
            (top for top in (1, 255, 65535) if values.max() <= top),
            values.max(),
        )
    return Image.fromarray(
        (values.clip(0) * (255 / white)).round().astype(np.uint8)
    )


def flatten_on_white(image: Image.Image, notes: list[str]) -> Image.Image:
    """Lay an RGBA image on white and return it as RGB.

    Raises ImageError if it is transparent all over.
    """
    alpha = np.asarray(image.getchannel("A"))
    if alpha.max() == 0:
        raise ImageError(
            "it is transparent all over; save it with a background"
        )
    if alpha.min() < 255:
        notes.append("laid on white where it was transparent")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def group_entries(
    entries: Iterable[FileEntry],
) -> dict[tuple[bool, tuple[str, ...]], list[str]]:
    """Return the file names with the same notes, by (used, notes)."""
    groups: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for entry in entries:
        if entry.notes:
            groups.setdefault((entry.used, entry.notes), []).append(entry.file)
    return groups
