"""The report on a folder reads well, and can be printed anywhere."""

import io
import os
import sys

import pytest
from image_files import make_folder, make_image

from tutorial_lib.errors import ImageError
from tutorial_lib.images import (
    load_concept,
)


@pytest.fixture
def folder(tmp_path):
    """A folder of the reader's that already holds one good picture."""
    return make_folder(tmp_path)


def test_the_report_reads_well(folder):
    (folder / "notes.txt").write_text("a shopping list")
    for number in range(5):
        image = make_image(120, 80)
        image.paste((number * 50, 0, 0), (50, 30, 70, 50))
        image.save(folder / f"wide_{number}.png")
    assert str(load_concept(folder, size=64).report) == (
        "'my pictures': 6 of 7 files used, each as 64x64 pixels.\n"
        "- notes.txt: skipped, it is no picture, or of a kind not read here; "
        "save it as JPEG or PNG.\n"
        "- wide_0.png, wide_1.png and 3 more: cropped to the central 80x80 "
        "of 120x80 pixels."
    )


def test_the_report_says_when_there_are_few_pictures(folder):
    assert "That is few" in str(load_concept(folder, size=64).report)


def test_the_report_can_be_printed_whatever_the_files_are_called(folder):
    for name in (b"\x83e\x83X\x83g.txt", b"two\nlines.txt", b"caf\xe9.png"):
        (folder / os.fsdecode(name)).write_bytes(b"no picture")
    (folder / "\u30c6\u30b9\u30c8.txt").write_bytes(b"no picture")
    report = load_concept(folder, size=64).report
    strict = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="strict")
    print(report, file=strict, flush=True)
    text = strict.buffer.getvalue().decode("utf-8")
    assert r", \x83e\x83X\x83g.txt: skipped" in text
    assert r"two\x0alines.txt" in text and r"- caf\xe9.png: skipped" in text
    assert "\u30c6\u30b9\u30c8.txt" in text


def test_an_error_of_such_a_folder_can_be_printed_too(tmp_path):
    folder = tmp_path / os.fsdecode(b"\x83e")
    folder.mkdir()
    with pytest.raises(ImageError, match=r"\\x83e' holds") as error:
        load_concept(folder)
    (folder / os.fsdecode(b"\x83X.txt")).write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"- \\x83X.txt: skip") as error:
        load_concept(folder)
    str(error.value).encode("utf-8", "strict")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "shift_jis"])
def test_the_report_can_be_printed_on_an_old_console(
    folder, monkeypatch, encoding
):
    for name in ("\u30c6.txt", "\xe9.txt"):
        (folder / name).write_bytes(b"no picture")
    report = load_concept(folder, size=64).report
    console = io.TextIOWrapper(io.BytesIO(), encoding, errors="strict")
    monkeypatch.setattr(sys, "stdout", console)
    print(report, flush=True)
    text = console.buffer.getvalue().decode(encoding)
    assert (r"\u30c6.txt" in text) == (encoding != "shift_jis")
    assert (r"\xe9.txt" in text) == (encoding != "cp1252")
