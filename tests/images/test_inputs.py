"""One way in for images: whatever is plainly meant becomes ordinary RGB."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from icc_profiles import DISPLAY_P3
from image_files import make_image
from PIL import Image

from tutorial_lib.errors import ImageError
from tutorial_lib.images import (
    Concept,
    as_concept,
    as_image,
    as_images,
    load_concept,
)
from tutorial_lib.images.normalize import ORIENTATION

RGB = np.asarray(make_image(40, 48))  # 48 high


def assert_same(images, *expected):
    """Compare images with arrays, pixel by pixel."""
    assert [image.mode for image in images] == ["RGB"] * len(expected)
    for image, values in zip(images, expected, strict=True):
        assert np.array_equal(np.asarray(image), values)


# --- what an ordinary image is


def test_an_ordinary_image_is_returned_itself():
    image = make_image()
    assert as_images([image])[0] is image
    assert as_images(image)[0] is image
    image.info["dpi"] = (72, 72)  # nothing that changes colours
    assert as_image(image) is image


def test_an_image_is_not_changed_by_being_looked_at():
    image = make_image(mode="RGBA")
    image.info["icc_profile"] = DISPLAY_P3
    before = image.tobytes()
    as_image(image)
    assert image.tobytes() == before and image.mode == "RGBA"
    assert image.info == {"icc_profile": DISPLAY_P3}


def save_odd(folder):
    """Save images that look otherwise than their numbers, all square."""
    clear = make_image(64, 64, "RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 32, 32))
    clear.save(folder / "clear.png")
    clear.quantize(8).save(folder / "palette.png")
    clear.convert("LA").save(folder / "grey.png")
    keyed = make_image(64, 64)
    keyed.save(folder / "keyed.png", transparency=(255, 0, 0))
    deep = np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)
    Image.fromarray(deep).save(folder / "deep.png")
    Image.fromarray(deep.astype(np.float32) / 65535).save(folder / "real.tif")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for suffix in ("jpg", "png", "tif"):
        make_image(64, 64).save(folder / f"turned.{suffix}", exif=exif)
    make_image(64, 64).save(folder / "p3.png", icc_profile=DISPLAY_P3)
    make_image(64, 64).save(
        folder / "all.webp", icc_profile=DISPLAY_P3, exif=exif
    )
    make_image(64, 64).convert("CMYK").save(folder / "print.jpg")
    make_image(64, 64).convert("1").save(folder / "bits.png")


@pytest.fixture
def odd(tmp_path):
    """A folder of images that look otherwise than their numbers."""
    save_odd(tmp_path)
    return tmp_path


def test_a_picture_looks_to_clip_as_from_its_folder_by_whichever_door(
    models, odd
):
    from tutorial_lib.generation import embed_images, encode_images

    concept = load_concept(odd, size=64)
    paths = [odd / file for file in concept.files]
    doors = {
        "opened": [Image.open(path) for path in paths],
        "paths": paths,
        "texts": map(str, paths),
        "arrays": [np.asarray(image) for image in concept.images],
        "concept": Concept(name="x", images=[Image.open(p) for p in paths]),
    }
    assert len(paths) == 13
    expected = embed_images(models, concept.images)
    for name, images in doors.items():
        images = as_images(images)
        for file, image, whole in zip(
            concept.files, images, concept.images, strict=True
        ):
            assert image.tobytes() == whole.tobytes(), (name, file)
        assert torch.equal(embed_images(models, images), expected), name
    opened = [Image.open(path) for path in paths]
    assert torch.equal(
        encode_images(models, opened), encode_images(models, concept.images)
    )


# --- which values are images


def test_a_path_of_a_file_is_its_image_uncropped(tmp_path):
    path = tmp_path / "a.png"
    make_image(40, 48).save(path)
    for value in (path, str(path), [path], (str(path),), f" '{path}'\n"):
        assert_same(as_images(value), RGB)


def test_a_name_or_a_folder_is_its_concept(tmp_path):
    make_image(64, 64).save(tmp_path / "a.png")
    [image] = as_images(tmp_path)
    assert image.size == (512, 512)  # as load_concept reads it
    face = load_concept("face")
    assert [i.tobytes() for i in as_images("Face ")] == [
        i.tobytes() for i in face.images
    ]
    assert as_concept("face").kind == "person"
    assert as_concept(tmp_path).kind == "pattern"
    assert as_images(face)[0] is face.images[0]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (RGB, 1),
        (RGB.transpose(2, 0, 1), 1),
        (RGB / 255, 1),
        ((RGB / 255).astype(np.float16), 1),
        (RGB.astype(np.float32), 1),
        (RGB.astype(np.int64), 1),
        (RGB.astype(np.uint16) * 257, 1),
        ((RGB.astype(np.uint16) * 257).astype(">u2"), 1),
        (RGB > 127, 1),
        (np.dstack([RGB, np.full((48, 40), 255, np.uint8)]), 1),
        (np.stack([RGB, RGB]), 2),
        (np.stack([RGB, RGB]).transpose(0, 3, 1, 2), 2),
        ([RGB, RGB / 255], 2),
        ((RGB for _ in range(3)), 3),
        (np.asfortranarray(RGB), 1),
        (RGB[:, ::1], 1),
        (torch.tensor(RGB), 1),
        (torch.tensor(RGB).permute(2, 0, 1) / 255, 1),
        ((torch.tensor(RGB).permute(2, 0, 1) / 255)[None].double(), 1),
        ((torch.tensor(RGB) / 255).requires_grad_(), 1),
        ([torch.tensor(RGB), RGB, Image.fromarray(RGB)], 3),
    ],
)
def test_arrays_and_tensors_are_images(value, number):
    assert_same(as_images(value), *[RGB] * number)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_tensors_of_half_precision_are_images(dtype):
    assert_same(as_images(torch.tensor(RGB / 255).to(dtype)), RGB)


def test_grey_arrays_of_each_shape():
    grey = RGB[..., 0]
    expected = np.stack([grey] * 3, -1)
    for value in (grey, grey[..., None], grey[None], grey[None, None]):
        assert_same(as_images(value), expected)
        assert_same(as_images(torch.tensor(value)), expected)
    alpha = np.dstack([grey, np.zeros_like(grey)])
    alpha[:3, :, 1] = 255
    [image] = as_images(alpha)
    assert_same([image.crop((0, 0, 40, 3))], expected[:3])
    assert image.getpixel((0, 9)) == (255, 255, 255)


def test_an_arrays_alpha_is_laid_on_white():
    values = np.zeros((32, 32, 4), np.uint8)
    values[:16, :, 3] = 255
    [image] = as_images(values)
    assert image.getpixel((0, 0)) == (0, 0, 0)
    assert image.getpixel((0, 31)) == (255, 255, 255)
    [image] = as_images(values.transpose(2, 0, 1) / 255)
    assert image.getpixel((0, 31)) == (255, 255, 255)


def test_a_shape_that_may_be_either_is_read_as_its_library_does():
    values = np.zeros((3, 32, 3), np.uint8)
    values[0] = 255
    assert as_image(values).size == (32, 3)  # numpy: channels at the end
    assert as_image(torch.tensor(values)).size == (3, 32)  # torch: in front


def test_what_a_resampling_overshoots_is_cut_off():
    values = RGB / 255 * 1.002 - 0.001
    assert_same(as_images(values), RGB)


class Ragged:
    """Can be iterated over only by number, as old collections can."""

    def __getitem__(self, number):
        return [RGB, RGB][number]


def test_whatever_can_be_iterated_over_holds_images():
    assert_same(as_images(Ragged()), RGB, RGB)
    array = np.empty(2, object)
    array[:] = [make_image(40, 48)] * 2
    assert_same(as_images(array), RGB, RGB)


# --- which are not


def open_closed(folder):
    image = Image.open(folder / "a.png")
    image.close()
    return image


def open_cut(folder):
    noise = np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)
    path = folder / "cut.jpg"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    return Image.open(path)


REFUSED = {
    "nothing": (None, "images is None; give PIL images, paths"),
    "an empty list": ([], "images is empty"),
    "an empty array": (np.zeros((0, 32, 32, 3)), "images cannot be used: it"),
    "None in a list": ([RGB, None], r"images\[1\] is None; give one of PIL"),
    "a number": (7, "images is an int"),
    "numbers": ([[1, 2]], r"images\[0\] is a list"),
    "a pair": ([(RGB, 1)], r"images\[0\] is a tuple"),
    "a dict": ({"a": RGB}, "images is a dict; give a list"),
    "a set": ({"a.png"}, "images is a set; give a list"),
    "bytes": (b"\x89PNG", "images is nothing but bytes"),
    "an open file": (io.BytesIO(b"x"), "images is an open file"),
    "a name in a list": (["tshirt"], r"images\[0\] is 'tshirt', a folder or"),
    "no such file": ("a/b.png", "There is no picture or folder '/.*a/b.png' "),
    "no such files": (["a/b.png"], "There is no picture '/.*a/b.png' "),
    "an odd name": (
        "a\0b.png",
        r"There is no picture or folder .*a\\x00b.png",
    ),
    "an address": ("https://x.org/a.png", "is an address in the web"),
    "a row": (np.zeros(3), "the shape 3 is none of an image"),
    "a scalar": (np.float32(3), r"images is a float32|the shape that of one"),
    "a stack of greys": (np.zeros((5, 32, 32)), "the shape 5x32x32 is none"),
    "a video": (np.zeros((1, 5, 32, 32, 3)), "the shape 1x5x32x32x3 is none"),
    "from -1": (RGB / 127.5 - 1, "from -1 to 1; give whole numbers from 0"),
    "from 0 to 1.5": (RGB / 170, "from 0 to 1.5; give whole"),
    "up to 1000": (np.full((32, 32), 1000), "from 1000 to 1000; give whole"),
    "no numbers": (np.full((32, 32), np.nan), "some of its pixels are no fi"),
    "complex": (np.zeros((32, 32), complex), "cannot be of type complex128"),
    "dates": (np.zeros((32, 32), "M8[s]"), "cannot be of type datetime64"),
    "no pixels": (Image.new("RGB", (0, 9)), "it has no pixels"),
    "all clear": ([Image.new("RGBA", (32, 32))], r"images\[0\] cannot be use"),
    "sparse": (torch.zeros(32, 32).to_sparse(), "images cannot be read"),
    "meta": (torch.zeros(32, 32, device="meta"), "images cannot be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_is_refused_with_its_place(name):
    value, message = REFUSED[name]
    with pytest.raises(ImageError, match=f"(?s){message}") as error:
        as_images(value)
    assert str(error.value).isprintable()


def test_files_that_cannot_be_used_are_named(tmp_path):
    make_image(20, 20).save(tmp_path / "a.png")
    (tmp_path / "b.txt").write_text("a shopping list")
    for name, reason in (("a.png", "only 20x20"), ("b.txt", "no picture")):
        with pytest.raises(ImageError, match=f"(?s){name}'.*{reason}"):
            as_images([tmp_path / name])
    for image in (open_closed(tmp_path), open_cut(tmp_path)):
        with pytest.raises(ImageError, match=r"images\[1\] cannot be read"):
            as_images([make_image(), image])


def test_one_image_is_not_two():
    assert_same([as_image([RGB])], RGB)
    with pytest.raises(ImageError, match="image holds 2 images; give one"):
        as_image([RGB, RGB])


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_a_file_of_any_name_is_read(tmp_path):
    path = tmp_path / os.fsdecode(b"\x83e\x83X \xe9.PNG")
    make_image(40, 48).save(path, "PNG")
    assert_same(as_images([path]), RGB)


def test_paths_are_those_of_the_working_directory(tmp_path, monkeypatch):
    make_image(40, 48).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert_same(as_images(["a.png", Path("a.png")]), RGB, RGB)
