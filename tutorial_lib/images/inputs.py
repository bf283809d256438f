"""One way in for images, whatever a reader hands to a public function."""

import os
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from PIL import Image

from tutorial_lib.errors import ImageError
from tutorial_lib.images.arrays import (
    array_to_images,
    is_tensor,
    tensor_to_array,
)
from tutorial_lib.images.concepts import Concept, load_concept
from tutorial_lib.images.normalize import normalize_image
from tutorial_lib.images.places import (
    does_exist,
    explain_missing,
    is_folder,
    locate,
)
from tutorial_lib.images.reading import read_whole_image
from tutorial_lib.images.report import make_printable

if TYPE_CHECKING:
    from torch import Tensor

ImageLike: TypeAlias = (
    "Image.Image | str | os.PathLike[str] | np.ndarray | Tensor"
)
Images: TypeAlias = "Concept | ImageLike | Iterable[ImageLike]"

KNOWN = "PIL images, paths of files, arrays or tensors"


def as_images(
    value: Any, argument: str = "images", allow_empty: bool = False
) -> list[Image.Image]:
    """Return what plainly means images as RGB ones: upright, on white, sRGB.

    `value` is a Concept, its name, a folder, one image or a list of them. An
    image is one of Pillow, the path of a file, or an array or tensor of
    pixels; it keeps its size, and is returned itself if it is so already.
    Raises ImageError, which names `argument` and its place in a list, for
    anything else, and for no images at all unless `allow_empty`.
    """
    if isinstance(value, Concept):
        value = value.images
    if isinstance(value, str | os.PathLike):
        return _images_at(value, argument)
    if is_single(value):
        images = convert_image(value, argument)
    else:
        images = [
            image
            for i, item in enumerate(iterate(value, argument))
            for image in convert_image(item, f"{argument}[{i}]")
        ]
    if not images and not allow_empty:
        raise ImageError(f"{argument} is empty; there are no pictures in it.")
    return images


def as_image(value: Any, argument: str = "image") -> Image.Image:
    """Return what plainly means one image as RGB: see `as_images`."""
    images = as_images(value, argument)
    if len(images) != 1:
        raise ImageError(f"{argument} holds {len(images)} images; give one.")
    return images[0]


def as_concept(value: Any, argument: str = "concept") -> Concept:
    """Return what `as_images` takes as a Concept with ordinary RGB images.

    A name or a folder is loaded with its kind; other images are taken for
    those of a pattern. There may be none.
    """
    if isinstance(value, str | os.PathLike):
        path = locate(value)
        if is_folder(path):
            return load_concept(value)
    images = as_images(value, argument, allow_empty=True)
    if isinstance(value, Concept):
        return replace(value, images=images)
    return Concept(name="pictures", images=images)


def is_single(value: Any) -> bool:
    """Return whether a value is one image, or one batch of pixels."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "OUS"  # else names, or images
    return isinstance(value, Image.Image) or is_tensor(value)


def iterate(value: Any, argument: str) -> Iterator[Any]:
    """Iterate over a list, a tuple, a generator or the like.

    Raises ImageError for what holds no images, or holds them in no order.
    """
    kind = type(value).__name__
    if isinstance(value, Mapping | AbstractSet):
        raise ImageError(f"{argument} is a {kind}; give a list of {KNOWN}.")
    try:
        if hasattr(value, "read") or isinstance(value, bytes | bytearray):
            raise TypeError  # lines of a file and bytes are no images
        return iter(value)
    except TypeError:
        raise ImageError(
            f"{argument} is {describe(value)}; give {KNOWN}."
        ) from None


def describe(value: Any) -> str:
    """Return what a value is, in words."""
    if value is None:
        return "None"
    if hasattr(value, "read"):
        return "an open file"
    if isinstance(value, bytes | bytearray):
        return "nothing but bytes"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def convert_image(value: Any, argument: str) -> list[Image.Image]:
    """Return one image as an ordinary RGB one, a batch of pixels as several.

    Raises ImageError, which names `argument`, if that is not possible.
    """
    if isinstance(value, str | os.PathLike):
        path = locate(value)
        if is_folder(path):
            name = make_printable(os.fsdecode(value))
            raise ImageError(
                f"{argument} is '{name}', a folder or a concept; give it "
                "alone, without a list, or the paths of its pictures."
            )
        return [_read_file(path, argument)]
    try:
        if isinstance(value, Image.Image):
            return [normalize_image(value)]
        if is_tensor(value):
            images = array_to_images(tensor_to_array(value), True)
            return [normalize_image(image) for image in images]
        if isinstance(value, np.ndarray | np.generic):
            images = array_to_images(np.asarray(value))
            return [normalize_image(image) for image in images]
    except ImageError as error:
        raise ImageError(f"{argument} cannot be used: {error}.") from None
    except Exception as error:  # cut off, closed, of an odd layout
        raise ImageError(
            f"{argument} cannot be read ({make_printable(str(error))}); open "
            "or download it again, or leave it out."
        ) from None
    raise ImageError(f"{argument} is {describe(value)}; give one of {KNOWN}.")


def _images_at(value: str | os.PathLike[str], argument: str) -> Any:
    """Return the images of a concept's name, of a folder, or of one file."""
    path = locate(value)
    if is_folder(path):
        return load_concept(value).images
    if not does_exist(path):
        raise ImageError(explain_missing(path, what="picture or folder"))
    return [_read_file(path, argument)]


def _read_file(path: Path, argument: str) -> Image.Image:
    """Read a file that `argument` names."""
    if not does_exist(path):
        raise ImageError(explain_missing(path, what="picture"))
    try:
        return read_whole_image(path)
    except ImageError as error:
        name = make_printable(str(path))
        raise ImageError(
            f"{argument}, '{name}', cannot be used: {error}."
        ) from None
