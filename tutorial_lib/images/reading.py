"""Reading one picture file, whatever camera or program wrote it."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PIL import Image, features

from tutorial_lib.errors import ImageError
from tutorial_lib.images.color_profiles import attach_profile
from tutorial_lib.images.normalize import (
    crop_to_square,
    make_rgb,
    normalize_image,
    turn_upright,
)

try:  # optional: the extra "heic" of pyproject.toml
    from pillow_heif import register_heif_opener
except ImportError:
    register_heif_opener = None

MIN_SIDE = 32  # pixels; an image with a shorter side shows too little
LARGE_SIDE = 4096  # pixels; scaling down from more is worth a note
FORMATS: tuple[str, ...] = (
    "JPEG",
    "PNG",
    "WEBP",
    "GIF",
    "BMP",
    "TIFF",
    "AVIF",
    "JPEG2000",
)
if register_heif_opener is not None:
    register_heif_opener()
    FORMATS += ("HEIF",)
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
AVIF = (b"avif", b"avis")
Result = TypeVar("Result")


def read_image(path: Path, size: int) -> tuple[Image.Image, list[str]]:
    """Read one file as a square RGB image of `size` x `size` pixels.

    Returns the image and notes on what was done to it. Raises ImageError,
    whose text completes "skipped, ...", if the file is not usable.
    """
    return open_image(path, lambda opened: prepare_image(opened, size))


def read_whole_image(path: Path) -> Image.Image:
    """Read one file as an RGB image of its own size, not cropped.

    Raises ImageError, whose text says "it", if the file is not usable.
    """

    def normalize(opened: Image.Image) -> Image.Image:
        """Look at the first frame, and refuse what is too small."""
        check_side(opened)
        return normalize_image(opened)

    return open_image(path, normalize)


def open_image(path: Path, use: Callable[[Image.Image], Result]) -> Result:
    """Open a file and return what `use` makes of the image.

    Raises ImageError, whose text says "it", if the file is not usable.
    """
    try:
        check_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # big or odd is not yet broken
            with Image.open(path, formats=FORMATS) as opened:
                return use(opened)
    except ImageError:
        raise
    except Exception as error:  # a broken file can raise nearly anything
        raise ImageError(explain_failure(path, error)) from None


def check_file(path: Path) -> None:
    """Raise ImageError unless there is something to read in a file."""
    if path.is_dir():
        raise ImageError(
            "it is a folder; put its pictures directly beside the others"
        )
    if not path.is_file():
        raise ImageError("it is no ordinary file; put the picture here")
    if path.stat().st_size == 0:
        raise ImageError("the file is empty; copy or download it again")


def explain_failure(path: Path, error: Exception) -> str:
    """Return why Pillow could not read a file, and the remedy, in words."""
    if isinstance(error, PermissionError):
        return "the file may not be read; change its permissions"
    if isinstance(error, Image.DecompressionBombError | MemoryError):
        return "it has too many pixels; save a smaller copy of it"
    head = b""
    if os.access(path, os.R_OK) and path.is_file():
        with path.open("rb") as file:
            head = file.read(12)
    suffix = path.suffix.lower()
    heic = suffix in (".heic", ".heif") or head[8:] in HEIC
    if heic and "HEIF" not in FORMATS:
        return (
            "HEIC photos cannot be read without the package pillow-heif; "
            'install it (pip install -e ".[heic]") or export it as JPEG'
        )
    avif = suffix == ".avif" or head[8:] in AVIF
    if avif and not features.check("avif"):
        return "this Pillow cannot read AVIF photos; export it as JPEG"
    if heic or Image.registered_extensions().get(suffix) in FORMATS:
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
    if num_frames > 1 and opened.format not in ("MPO", "HEIF"):
        notes.append(f"first of {num_frames} frames taken")
        opened.seek(0)
    attach_profile(opened)
    image = turn_upright(opened, notes)
    check_side(image)
    width, height = image.size
    side = min(width, height)
    if width != height:
        image = crop_to_square(image)
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


def check_side(image: Image.Image) -> None:
    """Raise ImageError for an image that is too small to show a thing."""
    if min(image.size) < MIN_SIDE:
        raise ImageError(
            f"it is only {image.width}x{image.height} pixels; take one with "
            f"at least {MIN_SIDE} on each side"
        )
