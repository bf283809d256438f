"""Colours as the camera meant them: from an image's ICC profile to sRGB.

The same three numbers are another colour in Display P3, which phones write,
or in Adobe RGB than in sRGB, which CLIP and Stable Diffusion expect.
"""

import io
import struct
from collections.abc import Iterator
from functools import cache

import numpy as np
from PIL import Image, ImageCms

# The mode in which Pillow hands colours of a profile's space over.
MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
SAME = 1  # of 255: a profile that changes no more is sRGB's


@cache
def make_srgb() -> ImageCms.ImageCmsProfile:
    """Return the profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def convert_to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return an image in sRGB if it carries another colour profile.

    Adds a note of what was done. An image without a profile, with that of
    sRGB, or with a damaged one is returned as it is.
    """
    content = image.info.get("icc_profile")
    if not content:
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        mode = MODES[profile.profile.xcolor_space.strip()]
        colors = select_colors(image, mode)
        transform = ImageCms.buildTransform(
            profile,
            make_srgb(),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if changes_nothing(transform, mode):
            return image
        converted = ImageCms.applyTransform(colors, transform)
        assert converted is not None  # not asked to work in place
    except Exception:  # a broken profile can raise nearly anything
        notes.append("its colour profile is of no use, so colours may differ")
        return image
    notes.append(f"converted from {name_profile(profile)} to sRGB")
    converted.info = {}
    if image.has_transparency_data:
        converted.putalpha(image.convert("RGBA").getchannel("A"))
    return converted


def attach_profile(opened: Image.Image) -> None:
    """Add the colour profile of a JPEG 2000 or BMP file to an image's info.

    Pillow reads it from all other formats that hold one. Nothing happens to
    an image that is not just opened from such a file.
    """
    finders = {"JPEG2000": find_in_jpeg_2000, "BMP": find_in_bmp}
    find = finders.get(opened.format or "")
    file = getattr(opened, "fp", None)
    if find is None or file is None or opened.info.get("icc_profile"):
        return
    place = file.tell()
    file.seek(0)
    profile = find(file.read())
    file.seek(place)
    if profile:
        opened.info["icc_profile"] = profile


def find_in_bmp(content: bytes) -> bytes | None:
    """Return the colour profile in a BMP file of version 5."""
    if content[14:18] != struct.pack("<I", 124) or content[70:74] != b"DEBM":
        return None
    start, length = struct.unpack_from("<II", content, 126)
    return content[14 + start : 14 + start + length]


def find_in_jpeg_2000(content: bytes) -> bytes | None:
    """Return the colour profile in a JP2 file: ISO 15444-1, annex I.5.3."""
    for kind, header in list_boxes(content):
        if kind == b"jp2h":
            for inner, box in list_boxes(header):
                if inner == b"colr" and box[:1] == b"\x02":
                    return box[3:]
    return None


def list_boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the content of each box of a JP2 file."""
    place = 0
    while place + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, place)
        length = length or len(content) - place
        if length < 8:  # 64-bit lengths hold pixels, not colours
            return
        yield kind, content[place + 8 : place + length]
        place += length


def select_colors(image: Image.Image, mode: str) -> Image.Image:
    """Return an image's colours, without alpha, in a profile's mode.

    Raises ValueError if the profile is made for other images.
    """
    grey = image.mode in ("1", "L", "LA", "La")
    if mode == "CMYK" and image.mode != "CMYK":
        raise ValueError("a profile of printing inks, but no such image")
    if mode == "RGB" and image.mode in ("CMYK", "LAB", "HSV", "YCbCr"):
        raise ValueError("a profile of screen colours, but no such image")
    if mode == "L" and not grey:
        raise ValueError("a profile of greys, but no such image")
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    return image.convert(mode)


def changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Return whether a transform leaves colours as they are: sRGB to sRGB."""
    if mode == "CMYK":
        return False
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    if mode == "L":
        probe = levels[None]
    else:
        probe = np.stack(np.meshgrid(levels, levels, levels), -1)
        probe = probe.reshape(1, -1, 3)
    before = Image.fromarray(probe)
    after = ImageCms.applyTransform(before, transform)
    assert after is not None
    difference = np.asarray(before.convert("RGB"), int) - np.asarray(after)
    return bool(np.abs(difference).max() <= SAME)


def name_profile(profile: ImageCms.ImageCmsProfile) -> str:
    """Return what a colour profile calls itself, on one line."""
    try:
        name = " ".join(ImageCms.getProfileDescription(profile).split())
    except Exception:  # the profile works without its name
        name = ""
    return f'the colours of "{name[:40]}"' if name else "another colour space"
