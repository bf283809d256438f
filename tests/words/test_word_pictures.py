"""Pictures that carry a word, as webui's training writes them.

They are built here as AUTOMATIC1111/stable-diffusion-webui does it,
modules/textual_inversion/image_embedding.py: `embedding_to_b64` for the
text, `insert_image_data_embed` for the strips of pixels.
"""

import base64
import json
import struct
import zlib
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tutorial_lib.errors import WordError
from tutorial_lib.words import LearnedWord
from tutorial_lib.words.word_pictures import (
    MAX_JSON,
    MAX_PIXELS,
    make_noise_bytes,
)

# The first bytes, as webui's own test lists them; then a sum over the next.
FIRST = [253, 242, 127, 44, 157, 27, 239, 133, 38, 79, 167, 4, 177, 95, 130]
SUM_OF_THE_100_000_AFTER_100 = 12731374


def make_rows(num_vectors=2, width=768):
    """Return random vectors of the size that learned ones have."""
    generator = torch.Generator().manual_seed(0)
    return 0.05 * torch.randn(num_vectors, width, generator=generator)


def to_json(rows, **changes):
    """Return the JSON of an embedding with its tensor marked as webui's."""
    content = {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": {"TORCHTENSOR": rows.numpy().tolist()}},
        "name": "cat-toy-500",
        "step": 499,
        "sd_checkpoint": None,
        "sd_checkpoint_name": None,
    }
    return json.dumps({**content, **changes}).encode()


def make_photo(mode="RGB"):
    """Return a picture without black in it."""
    pixels = np.random.default_rng(0).integers(20, 250, (512, 512, 3))
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def add_text(content):
    """Return a PNG file's texts, one of them the word's."""
    texts = PngInfo()
    texts.add_text("parameters", "a cat toy, steps: 20")
    texts.add_text("sd-ti-embedding", base64.b64encode(content))
    return texts


def count_up():
    """Yield webui's noise, a step at a time."""
    state = 0
    while True:
        state = (1664525 * state + 1013904223) % 2**32
        yield state % 255


def make_strip(halves, height, shades):
    """Return a strip of pixels with half a byte in each of their bytes.

    Too few are repeated. The upper bits are decoration: dots in shades.
    """
    size = len(halves) + height - len(halves) % height
    size += 3 * height - size % (3 * height)
    strip = np.resize(halves, size).reshape(height, -1, 3)
    dots = np.resize(shades, strip.shape[:2])[..., None] & 0xF0
    strip = strip ^ dots.astype(np.uint8)
    noise = list(islice(count_up(), strip.size))
    noise = np.array(noise, np.uint8).reshape(strip.shape)
    return Image.fromarray(strip ^ (noise & 0x0F))


def add_strips(image, content, rows):
    """Return the picture between its two strips, with black between."""
    packed = np.frombuffer(zlib.compress(content, level=9), np.uint8)
    shades = np.abs(rows[0].numpy())
    shades = (shades / shades.max() * 255).astype(np.uint8)
    low = make_strip(packed & 0x0F, image.height, shades)
    high = make_strip(packed >> 4, image.height, shades[::-1])
    width = low.width + image.width + high.width + 2
    whole = Image.new("RGB", (width, image.height))
    whole.paste(low, (0, 0))
    whole.paste(image, (low.width + 1, 0))
    whole.paste(high, (low.width + image.width + 2, 0))
    return whole


def refuse(path, match):
    """Check that a picture is refused in one sentence that names it."""
    with pytest.raises(WordError, match=match) as caught:
        LearnedWord.load(path)
    assert f"'{path}'" in str(caught.value)
    assert len(str(caught.value)) < 500
    assert caught.value.__cause__ is None


def test_the_noise_is_webui_s():
    assert make_noise_bytes(15).tolist() == FIRST
    after = make_noise_bytes(100_100)[100:]
    assert after.astype(int).sum() == SUM_OF_THE_100_000_AFTER_100
    for count in (0, 1, 2, 3, 1000):
        expected = list(islice(count_up(), count))
        assert make_noise_bytes(count).tolist() == expected


@pytest.mark.parametrize("num_vectors", [1, 8])
@pytest.mark.parametrize("place", ["text", "pixels", "both"])
def test_a_word_is_read_from_its_picture(place, num_vectors, tmp_path):
    rows, path = make_rows(num_vectors), tmp_path / "picture.png"
    content = to_json(rows)
    image = make_photo()
    if place != "text":
        image = add_strips(image, content, rows)
    texts = add_text(content) if place != "pixels" else None
    image.save(path, pnginfo=texts)
    word = LearnedWord.load(path, "sd15")
    assert torch.equal(word.vectors, rows)
    assert (word.word, word.steps) == ("cat-toy-500", 499)


def test_a_picture_with_an_alpha_channel_is_read(tmp_path):
    rows, path = make_rows(), tmp_path / "picture.png"
    image = add_strips(make_photo(), to_json(rows), rows)
    image.convert("RGBA").save(path)
    assert torch.equal(LearnedWord.load(path).vectors, rows)


def test_a_picture_becomes_a_file_for_any_program(tmp_path):
    rows, path = make_rows(), tmp_path / "picture.png"
    make_photo().save(path, pnginfo=add_text(to_json(rows)))
    word = LearnedWord.load(path)
    back = LearnedWord.load(word.save(tmp_path / "toy", "kohya"))
    assert torch.equal(back.vectors, rows) and back.word == word.word


def test_a_picture_without_a_word_is_refused(tmp_path):
    path = tmp_path / "photo.png"
    for image in (
        make_photo(),
        make_photo("L"),
        Image.new("RGB", (64, 64)),
        Image.new("RGB", (64, 64), "red"),
        Image.new("RGBA", (1, 1)),
    ):
        image.save(path)
        refuse(path, "carries no word that can be read; give a picture")


def test_a_picture_whose_pixels_were_changed_is_refused(tmp_path):
    rows, path = make_rows(), tmp_path / "small.png"
    image = add_strips(make_photo(), to_json(rows), rows)
    image.resize((image.width // 2, image.height // 2)).save(path)
    refuse(path, "carries no word that can be read; .* unchanged")


def test_a_picture_in_another_format_is_no_word(tmp_path):
    path = tmp_path / "picture.jpg"
    make_photo().save(path)
    refuse(path, "no safetensors file")


BROKEN_JSON = {
    "no JSON": b"import os; os.mkdir('x')",
    "nothing": b"",
    "too deep": b"[" * 10**5,
    "a row that is longer": to_json(make_rows()).replace(b"]]", b", 1]]"),
    "text for numbers": to_json(
        make_rows(), string_to_param={"*": {"TORCHTENSOR": [["a"]]}}
    ),
    "a number of many digits": to_json(make_rows()).replace(
        b"499", b"9" * 5000
    ),
    "a number past all bounds": to_json(
        make_rows(), string_to_param={"*": {"TORCHTENSOR": [[10**400]]}}
    ),
}


@pytest.mark.parametrize("case", BROKEN_JSON)
@pytest.mark.parametrize("place", ["text", "pixels"])
def test_broken_json_is_refused(case, place, tmp_path):
    path, content = tmp_path / "picture.png", BROKEN_JSON[case]
    if place == "text":
        make_photo().save(path, pnginfo=add_text(content))
    else:
        add_strips(make_photo(), content, make_rows()).save(path)
    refuse(path, "carries no word that can be read")


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"string_to_param": {}}, "holds 0 tensors"),
        ({"string_to_param": []}, "no learned word of a form"),
        ({"string_to_param": {"*": [1.0]}}, "no learned word of a form"),
        ({"string_to_param": {"*": {"TORCHTENSOR": 3.0}}}, "no learned word"),
        ({"string_to_param": {"*": {"TORCHTENSOR": [[1e300]]}}}, "finite"),
        ({"string_to_param": {"*": {"TORCHTENSOR": [[None]]}}}, "finite"),
        ({"name": "two words"}, "calls its word"),
    ],
)
def test_json_that_is_no_word_is_refused(changes, match, tmp_path):
    path = tmp_path / "picture.png"
    make_photo().save(path, pnginfo=add_text(to_json(make_rows(), **changes)))
    refuse(path, match)


# --- too large


@pytest.mark.parametrize("place", ["text", "pixels"])
def test_json_longer_than_any_word_is_refused(place, tmp_path):
    path = tmp_path / "picture.png"
    content = to_json(make_rows(), more=" " * MAX_JSON)
    if place == "text":
        make_photo().save(path, pnginfo=add_text(content))
    else:  # a bomb: zlib makes kilobytes of it
        add_strips(make_photo(), content, make_rows()).save(path)
        assert path.stat().st_size < 2**20
    refuse(path, "carries no word that can be read")


def make_png_header(width, height):
    """Return the start of a PNG file of any size, with no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(header))
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IDAT"
        + struct.pack(">I", zlib.crc32(b"IDAT"))
    )


@pytest.mark.parametrize("side", [5800, 9000, 2**31 - 1])
def test_a_picture_of_too_many_pixels_is_not_unpacked(side, tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(make_png_header(side, side))
    assert side**2 > MAX_PIXELS
    refuse(path, "has more than 33,554,432 pixels, too many")


@pytest.mark.parametrize("length", [9, 40, 5000])
def test_a_picture_that_was_cut_short_is_refused(length, tmp_path):
    path = tmp_path / "picture.png"
    make_photo().save(path, pnginfo=add_text(to_json(make_rows())))
    path.write_bytes(path.read_bytes()[:length])
    refuse(path, "is cut short or no PNG picture")
