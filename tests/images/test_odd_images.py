"""Odd pictures become square RGB ones, or are skipped with a reason."""

import struct
import zlib

import numpy as np
import pytest
from image_files import make_folder, make_image, notes_on, pixel
from PIL import Image

from tutorial_lib.images import load_concept, read_image
from tutorial_lib.images.normalize import ORIENTATION


@pytest.fixture
def folder(tmp_path):
    """A folder of the reader's that already holds one good picture."""
    return make_folder(tmp_path)


def assert_near(colour, expected, tolerance=12):
    """Compare colours, leaving room for JPEG."""
    assert max(abs(a - b) for a, b in zip(colour, expected, strict=True)) <= (
        tolerance
    ), (colour, expected)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_is_turned_as_its_exif_says(folder, orientation, suffix):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    name = f"turned.{suffix}"
    turned = make_image().transpose(undo[orientation])
    turned.save(folder / name, exif=exif)
    image, notes = read_image(folder / name, size=64)
    assert notes == ["turned upright"]
    assert_near(pixel(image, 0.25, 0.25), (255, 0, 0))
    assert_near(pixel(image, 0.75, 0.25), (0, 255, 0))
    assert_near(pixel(image, 0.25, 0.75), (0, 0, 255))


def test_damaged_exif_data_does_not_cost_the_picture(folder):
    make_image().save(folder / "a.png", exif=b"Exif\0\0MM nonsense")
    image, notes = read_image(folder / "a.png", size=64)
    assert notes == ["its EXIF data is damaged, so it may lie on its side"]
    assert_near(pixel(image, 0.25, 0.25), (255, 0, 0))


def test_nothing_the_camera_noted_is_carried_along(folder):
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    make_image().save(folder / "a.jpg", exif=exif)
    image, _ = read_image(folder / "a.jpg", size=64)
    assert not image.info and not image.getexif()


def test_a_transparent_picture_is_laid_on_white(folder):
    image = make_image(mode="RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 40, 40))
    image.save(folder / "clear.png")
    image, notes = read_image(folder / "clear.png", size=64)
    assert notes == ["laid on white where it was transparent"]
    assert pixel(image, 0.25, 0.25) == (255, 255, 255)
    assert pixel(image, 0.75, 0.25) == (0, 255, 0)


def test_a_half_transparent_colour_becomes_a_lighter_one(folder):
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 128))
    image.save(folder / "half.png")
    image, _ = read_image(folder / "half.png", size=64)
    assert_near(pixel(image, 0.5, 0.5), (255, 127, 127), tolerance=1)


def test_an_opaque_alpha_channel_is_not_worth_a_note(folder):
    make_image(mode="RGBA").save(folder / "opaque.png")
    assert read_image(folder / "opaque.png", size=64)[1] == []


def test_a_wholly_transparent_picture_is_skipped(folder):
    Image.new("RGBA", (64, 64)).save(folder / "nothing.png")
    assert "transparent all over" in notes_on(folder, "nothing.png")


def test_a_palette_picture_keeps_its_colours(folder):
    make_image().quantize(4).save(folder / "few.png")
    image, notes = read_image(folder / "few.png", size=64)
    assert notes == []
    assert_near(pixel(image, 0.75, 0.25), (0, 255, 0))


def test_a_palette_with_a_transparent_colour_is_laid_on_white(folder):
    image = Image.new("P", (64, 64), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.paste(1, (0, 0, 32, 64))
    image.save(folder / "clear.gif", transparency=0)
    image, notes = read_image(folder / "clear.gif", size=64)
    assert notes == ["laid on white where it was transparent"]
    assert pixel(image, 0.25, 0.5) == (255, 0, 0)
    assert pixel(image, 0.75, 0.5) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "1"])
def test_a_grey_picture_becomes_rgb(folder, mode):
    make_image(mode=mode).save(folder / "grey.png")
    image, notes = read_image(folder / "grey.png", size=64)
    assert notes == ["grey, taken as RGB"]
    assert image.mode == "RGB"


def test_a_grey_picture_with_alpha_is_laid_on_white(folder):
    Image.new("LA", (64, 64), (0, 0)).save(folder / "la.png")
    image = Image.new("LA", (64, 64), (100, 255))
    image.paste((0, 0), (0, 0, 32, 64))
    image.save(folder / "la.png")
    image, notes = read_image(folder / "la.png", size=64)
    assert notes == ["laid on white where it was transparent"]
    assert pixel(image, 0.25, 0.5) == (255, 255, 255)
    assert pixel(image, 0.75, 0.5) == (100, 100, 100)


@pytest.mark.parametrize(
    "values, name",
    [
        (np.linspace(0, 65535, 64).astype(np.uint16), "deep.png"),
        (np.linspace(0, 65535, 64).astype(np.uint16), "deep.tif"),
        (np.linspace(0, 65535, 64).astype(np.int32), "deep32.tif"),
        (np.linspace(0, 2e9, 64).astype(np.int32), "deeper.tif"),
        (np.linspace(0, 1, 64).astype(np.float32), "float.tif"),
        (np.linspace(0, 255, 64).astype(np.float32), "float255.tif"),
    ],
)
def test_a_picture_of_more_than_8_bits_keeps_its_range(folder, values, name):
    Image.fromarray(np.tile(values, (64, 1))).save(folder / name)
    image, notes = read_image(folder / name, size=64)
    assert notes == ["reduced from deep grey to 8 bits"]
    row = np.asarray(image)[0, :, 0]
    assert (row[0], row[-1]) == (0, 255)
    assert abs(int(row[32]) - 129) <= 1


def test_a_dark_16_bit_picture_stays_dark(folder):
    values = np.full((64, 64), 257 * 20, np.uint16)
    Image.fromarray(values).save(folder / "dark.png")
    image, _ = read_image(folder / "dark.png", size=64)
    assert pixel(image, 0.5, 0.5) == (20, 20, 20)


@pytest.mark.parametrize("name", ["print.jpg", "print.tif"])
def test_a_cmyk_picture_is_converted_the_right_way_round(folder, name):
    make_image(mode="CMYK").save(folder / name)
    image, notes = read_image(folder / name, size=64)
    assert notes == ["converted from CMYK, so colours may differ"]
    assert_near(pixel(image, 0.25, 0.25), (255, 0, 0), tolerance=25)
    assert_near(pixel(image, 0.75, 0.25), (0, 255, 0), tolerance=25)


@pytest.mark.parametrize("name", ["film.gif", "film.webp", "film.png"])
def test_the_first_frame_of_an_animation_is_taken(folder, name):
    later = [make_image().rotate(90), make_image().rotate(180)]
    make_image().save(
        folder / name, save_all=True, append_images=later, lossless=True
    )
    image, notes = read_image(folder / name, size=64)
    assert notes[0] == "first of 3 frames taken"
    assert_near(pixel(image, 0.25, 0.25), (255, 0, 0))


def test_a_phones_hidden_second_picture_is_not_an_animation(folder):
    make_image().save(
        folder / "phone.mpo", save_all=True, append_images=[make_image()]
    )
    assert read_image(folder / "phone.mpo", size=64)[1] == []


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tif"])
def test_a_truncated_picture_is_skipped_and_the_others_stay(folder, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3))
    path = folder / f"broken.{suffix}"
    Image.fromarray(noise.astype(np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    concept = load_concept(folder)
    assert concept.files == ["good.png"]
    assert concept.report.skipped == [path.name]
    assert "copy" in str(concept.report)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (31, 31)])
def test_a_picture_of_a_few_pixels_is_skipped(folder, size):
    make_image(*size).save(folder / "speck.png")
    assert f"only {size[0]}x{size[1]} pixels" in notes_on(folder, "speck.png")


def test_a_small_picture_is_enlarged_and_said_to_be(folder):
    notes = notes_on(folder, "good.png", size=512)
    assert notes == "enlarged from 80x80 pixels, so it is blurred"


def test_a_very_large_picture_is_scaled_down(folder):
    Image.new("L", (5000, 5000), 90).save(folder / "poster.png")
    image, notes = read_image(folder / "poster.png", size=64)
    assert image.size == (64, 64)
    assert "scaled down from 5000x5000 pixels" in notes


def make_bomb(path, side):
    """Write a tiny PNG file whose header promises side x side pixels."""

    def chunk(name, content):
        check = zlib.crc32(name + content)
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", check)
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def test_a_decompression_bomb_is_not_unpacked(folder):
    make_bomb(folder / "bomb.png", side=60_000)
    notes = notes_on(folder, "bomb.png")
    assert "too many pixels; save a smaller copy" in notes


def test_a_picture_that_is_merely_big_brings_no_warning(
    folder, monkeypatch, recwarn
):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    assert load_concept(folder, size=64).files == ["good.png"]
    assert not recwarn.list


@pytest.mark.parametrize("size", [(160, 80), (80, 160)])
def test_a_picture_that_is_not_square_keeps_its_centre(folder, size):
    wide, high = size
    image = Image.new("RGB", size, "red")
    left, top = (wide - 80) // 2, (high - 80) // 2
    image.paste((0, 255, 0), (left, top, left + 80, top + 80))
    image.save(folder / "long.png")
    image, notes = read_image(folder / "long.png", size=80)
    assert image.getcolors() == [(6400, (0, 255, 0))]
    assert notes == [f"cropped to the central 80x80 of {wide}x{high} pixels"]
