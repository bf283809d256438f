"""Colours come in as the camera meant them: converted to sRGB."""

import struct
from pathlib import Path

import numpy as np
import pytest
from icc_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    INKS,
    P3,
    make_grey_profile,
    make_ink_profile,
    make_rgb_profile,
)
from image_files import make_image
from PIL import Image, ImageCms

from tutorial_lib.images import as_image, load_concept, read_image
from tutorial_lib.images.color_profiles import list_boxes, make_srgb

P3_GAMMA = make_rgb_profile("P3 of the table of faults", P3, 2.2)
CASES = [
    (ADOBE_RGB, (110, 180, 230), (53, 181, 233)),
    (P3_GAMMA, (60, 140, 60), (0, 144, 43)),
    (P3_GAMMA, (200, 150, 125), (210, 149, 122)),
    # The formulas of Display P3 itself, whose curve is sRGB's:
    (DISPLAY_P3, (60, 140, 60), (0, 142, 47)),
    (DISPLAY_P3, (200, 150, 125), (209, 147, 121)),
]
LOSSLESS = {
    "png": {},
    "tif": {},
    "webp": {"lossless": True},
    "jp2": {},
    "bmp": {},
}
LOSSY = {
    "jpg": {"quality": 100, "subsampling": 0},
    "mpo": {"quality": 100, "subsampling": 0},
    "avif": {"quality": 100, "subsampling": "4:4:4"},
}


def differ(image, expected):
    """Return by how much an image differs from a colour."""
    return np.abs(np.asarray(image, int) - np.array(expected)).max()


def save(path, image, profile, **options):
    """Save an image with a profile, where Pillow cannot by hand."""
    image.save(path, icc_profile=profile, **options)
    content = path.read_bytes()
    if path.suffix == ".jp2":  # the profile in place of the name of sRGB
        boxes = []
        for kind, box in list_boxes(content):
            if kind == b"jp2h":
                inner = dict(list_boxes(box))
                inner[b"colr"] = b"\2\0\0" + profile
                box = b"".join(pack_box(*item) for item in inner.items())
            boxes.append(pack_box(kind, box))
        path.write_bytes(b"".join(boxes))
    elif path.suffix == ".bmp":  # a header of version 5, then the pixels
        header = struct.pack("<I", 124) + content[18:54]
        header = header.ljust(56, b"\0") + b"DEBM"
        pixels = content[54:]
        place = struct.pack("<II", 124 + len(pixels), len(profile))
        header = header.ljust(112, b"\0") + place + bytes(4)
        size = struct.pack("<IIII", 14 + 124 + len(pixels), 0, 14 + 124, 0)
        path.write_bytes(b"BM" + size[:12] + header + pixels + profile)


def pack_box(kind, content):
    return struct.pack(">I4s", len(content) + 8, kind) + content


@pytest.mark.parametrize("suffix", [*LOSSLESS, *LOSSY])
@pytest.mark.parametrize(("profile", "given", "expected"), CASES)
def test_a_profile_is_converted_in_all_formats_that_carry_one(
    tmp_path, suffix, profile, given, expected
):
    path = tmp_path / f"photo.{suffix}"
    options = {**LOSSLESS, **LOSSY}[suffix]
    save(path, Image.new("RGB", (64, 64), given), profile, **options)
    image, [note] = read_image(path, size=64)
    # A lossy file's own rounding grows where P3 leaves what sRGB can show.
    assert differ(image, expected) <= (2 if suffix in LOSSLESS else 6)
    assert note.startswith('converted from the colours of "')
    with Image.open(path) as opened:
        by_hand = as_image(opened)
    assert by_hand.tobytes() == image.tobytes() and not by_hand.info


def test_the_report_names_the_profile(tmp_path):
    for i in range(3):
        image = Image.new("RGB", (64, 64), (i, 140, 60))
        image.save(tmp_path / f"{i}.jpg", icc_profile=DISPLAY_P3)
    assert str(load_concept(tmp_path, size=64).report) == (
        f"'{tmp_path.name}': 3 of 3 files used, each as 64x64 pixels.\n"
        '- 0.jpg, 1.jpg, 2.jpg: converted from the colours of "Display P3" '
        "to sRGB."
    )


def test_a_profile_of_srgb_changes_not_one_pixel(tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path, icc_profile=make_srgb().tobytes())
    image, notes = read_image(path, size=64)
    assert np.array_equal(np.asarray(image), pixels) and notes == []
    assert np.array_equal(np.asarray(as_image(path)), pixels)


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all",
        DISPLAY_P3[:200],
        DISPLAY_P3[:128] + bytes(400),
        make_ink_profile(),  # for other images
    ],
)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_a_broken_profile_costs_a_note_and_not_the_picture(
    tmp_path, profile, suffix
):
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (64, 64), (9, 99, 199)).save(path, icc_profile=profile)
    image, notes = read_image(path, size=64)
    assert notes == ["its colour profile is of no use, so colours may differ"]
    assert differ(image, (9, 99, 199)) <= 3
    assert differ(as_image(path), (9, 99, 199)) <= 3


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_a_grey_profile_is_converted(tmp_path, mode):
    grey = Image.new("L", (64, 64), 100).convert(mode)
    path = tmp_path / "a.png"
    grey.save(path, icc_profile=make_grey_profile(1.8))
    value = 100 if mode != "1" else grey.convert("L").getpixel((0, 0))
    light = (value / 255) ** (461 / 256)  # the gamma as the profile holds it
    expected = 255 * max(0, 1.055 * light ** (1 / 2.4) - 0.055)
    image = read_image(path, size=64)[0]
    assert abs(image.getpixel((0, 0))[0] - expected) <= 1


def lab_to_srgb(light, a, b):
    """Return a CIE Lab colour as sRGB, by the formulas of both."""
    y = (light + 16) / 116
    f = np.array([y + a / 500, y, y - b / 200])
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2)
    matrix = [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
    linear = np.array(matrix) @ (xyz * [0.9642, 1, 0.8249])
    linear = linear.clip(0, 1)
    curved = 1.055 * linear ** (1 / 2.4) - 0.055
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, curved)


@pytest.mark.parametrize("inks", INKS)
@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_a_cmyk_profile_is_converted(tmp_path, inks, suffix):
    path = tmp_path / f"a.{suffix}"
    image = Image.new("CMYK", (64, 64), (*(255 * i for i in inks), 0))
    image.save(path, icc_profile=make_ink_profile())
    image, [note] = read_image(path, size=64)
    assert note == 'converted from the colours of "a press" to sRGB'
    assert differ(image, lab_to_srgb(*INKS[inks])) <= 3


def test_transparency_and_palette_survive_the_profile(tmp_path):
    image = Image.new("RGBA", (64, 64), (110, 180, 230, 255))
    image.paste((0, 0, 0, 0), (0, 0, 32, 64))
    image.save(tmp_path / "a.png", icc_profile=ADOBE_RGB)
    image.quantize(4).save(tmp_path / "b.png", icc_profile=ADOBE_RGB)
    for name in ("a.png", "b.png"):
        image = read_image(tmp_path / name, size=64)[0]
        assert image.getpixel((5, 5)) == (255, 255, 255)
        assert differ(image.crop((32, 0, 64, 64)), (53, 181, 233)) <= 2


def test_a_picture_opened_and_converted_by_hand_keeps_its_profile(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (64, 64), (110, 180, 230)).save(
        path, icc_profile=ADOBE_RGB
    )
    converted = Image.open(path).convert("RGB").resize((40, 40))
    assert differ(as_image(converted), (53, 181, 233)) <= 2
    assert differ(as_image(as_image(converted)), (53, 181, 233)) <= 2


def test_lab_which_pillow_cannot_show_becomes_rgb():
    profile = ImageCms.createProfile("LAB")
    to_lab = ImageCms.buildTransform(make_srgb(), profile, "RGB", "LAB")
    lab = ImageCms.applyTransform(make_image(), to_lab)
    lab.info = {}
    assert differ(as_image(lab).crop((60, 5, 61, 6)), (0, 255, 0)) <= 20


def test_the_shipped_pictures_carry_no_profile():
    folder = Path(__file__).resolve().parents[2] / "data" / "concepts"
    for path in folder.rglob("*.jpg"):
        with Image.open(path) as image:
            assert "icc_profile" not in image.info
