"""Any image of Pillow's as models want it: upright, sRGB, on white, 8 bits."""

import warnings

import numpy as np
from PIL import Image, ImageCms, ImageOps

from tutorial_lib.errors import ImageError
from tutorial_lib.images.color_profiles import (
    attach_profile,
    convert_to_srgb,
    make_srgb,
)

ORIENTATION = 0x0112  # the EXIF tag that says how the camera was held


def normalize_image(image: Image.Image) -> Image.Image:
    """Return an image upright, in sRGB, on white, as 8-bit RGB.

    One that is so already is returned itself. Raises ImageError, whose text
    says "it", if nothing is to be seen on it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # big or odd is not yet broken
        if min(image.size) == 0:
            raise ImageError("it has no pixels; give another image")
        attach_profile(image)
        if is_normal(image):
            image.load()
            return image
        normal = make_rgb(turn_upright(image, []), [])
    normal.info = {}
    return normal


def is_normal(image: Image.Image) -> bool:
    """Return whether an image's numbers can be taken as they are."""
    return (
        image.mode == "RGB"
        and not image.info.get("icc_profile")
        and not image.has_transparency_data
        and read_orientation(image) == 1
    )


def read_orientation(image: Image.Image) -> int | None:
    """Return the EXIF orientation, 1 for upright, None if it is damaged."""
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # the image itself may still be whole
        return None


def turn_upright(opened: Image.Image, notes: list[str]) -> Image.Image:
    """Return an image as the camera was held, by its EXIF orientation."""
    orientation = read_orientation(opened)
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


def crop_to_square(image: Image.Image) -> Image.Image:
    """Return the central square of an image; a square one itself."""
    width, height = image.size
    if width == height:
        return image
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))


def make_rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return an image in RGB: on white, 8 bits, whatever it was before.

    Its colours are sRGB's. Raises ImageError if it is transparent all over.
    """
    if image.mode.startswith("I") or image.mode == "F":
        notes.append("reduced from deep grey to 8 bits")
        return convert_to_srgb(reduce_depth(image), notes).convert("RGB")
    if image.mode == "La":  # Pillow knows but one way out of it
        image = image.convert("LA")
    before, image = image.mode, convert_to_srgb(image, notes)
    if image.has_transparency_data:
        return flatten_on_white(image.convert("RGBA"), notes)
    if image.mode in ("1", "L"):
        notes.append("grey, taken as RGB")
    elif image.mode not in ("RGB", "P"):
        notes.append(f"converted from {before}, so colours may differ")
    if image.mode == "LAB":
        return convert_from_lab(image)
    return image.convert("RGB")


def convert_from_lab(image: Image.Image) -> Image.Image:
    """Return an image in CIE Lab, which Pillow itself cannot show, as RGB."""
    lab = ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(lab, make_srgb(), "LAB", "RGB")
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # not asked to work in place
    return converted


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
    grey = Image.fromarray(
        (values.clip(0) * (255 / white)).round().astype(np.uint8)
    )
    grey.info["icc_profile"] = image.info.get("icc_profile")
    return grey


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
