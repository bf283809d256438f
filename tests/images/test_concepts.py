"""A folder of pictures as people really have them becomes a Concept."""

import os

import numpy as np
import pytest
import torch
from icc_profiles import DISPLAY_P3
from image_files import make_folder, make_image, notes_on, pixel
from PIL import Image

from tutorial_lib.errors import ImageError, TutorialError
from tutorial_lib.evaluation import render_training_images
from tutorial_lib.images import (
    Concept,
    load_concept,
    places,
    read_image,
    reading,
)


@pytest.fixture
def folder(tmp_path):
    """A folder of the reader's that already holds one good picture."""
    return make_folder(tmp_path)


# --- folders


def test_a_good_folder_becomes_square_rgb_images_in_order(folder):
    make_image().rotate(90).save(folder / "Another.png")
    concept = load_concept(folder, size=64)
    assert concept.files == ["Another.png", "good.png"]
    assert [image.size for image in concept.images] == [(64, 64)] * 2
    assert [image.mode for image in concept.images] == ["RGB"] * 2
    assert concept.name == "my pictures"
    assert concept.kind == "pattern"
    assert concept.report.used == concept.files


def test_a_folder_can_be_given_as_text(folder):
    assert load_concept(str(folder), size=64).files == ["good.png"]


def test_the_reader_can_say_that_the_pictures_show_a_person(folder):
    assert load_concept(folder, kind="person").kind == "person"


def test_an_unknown_kind_is_refused(folder):
    with pytest.raises(TutorialError, match='"pattern" or "person"'):
        load_concept(folder, kind="dog")


@pytest.mark.parametrize(
    "name, kind", [("tshirt", "pattern"), ("face", "person")]
)
def test_a_shipped_concept_is_found_in_data(monkeypatch, tmp_path, name, kind):
    place = tmp_path / "concepts" / name
    place.mkdir(parents=True)
    make_image().save(place / "1.png")
    monkeypatch.setattr(places, "find_data", lambda: tmp_path)
    concept = load_concept(name, size=64)
    assert (concept.name, concept.kind) == (name, kind)


@pytest.mark.parametrize("kind", ["", ["pattern"], 3, "Person "])
def test_what_is_no_kind_is_refused(folder, kind):
    with pytest.raises(TutorialError, match='say "pattern" or "person"'):
        load_concept(folder, kind=kind)


@pytest.mark.parametrize(
    "size", ["64", "", 0, -1, None, 3.5, 64.0, True, 10**9, 4097, [64],
             float("nan"), np.float32(64), np.array([64, 64])],
)  # fmt: skip
def test_a_size_that_cannot_be_is_named(folder, size):
    with pytest.raises(ImageError, match="(?s)^size=.* from 1 to 4096.$"):
        load_concept(folder, size=size)
    with pytest.raises(ImageError, match="(?s)^size=.* from 1 to 4096.$"):
        render_training_images("pattern", 7, size=size)


@pytest.mark.parametrize(
    "size", [np.int64(64), np.uint8(64), np.array(64), torch.tensor(64)]
)
def test_a_size_may_be_numpys_or_torchs(folder, size):
    report = load_concept(folder, size=size).report
    assert report.size == 64 and "64x64 pixels" in str(report)


def test_an_empty_folder_is_explained(tmp_path):
    with pytest.raises(ImageError, match="holds no pictures; put"):
        load_concept(tmp_path)


def test_a_folder_of_hidden_files_alone_is_an_empty_one(tmp_path):
    (tmp_path / ".DS_Store").write_bytes(b"x")
    with pytest.raises(ImageError, match="holds no pictures; put"):
        load_concept(tmp_path)


def test_a_folder_without_any_usable_file_lists_what_happened(tmp_path):
    (tmp_path / "notes.txt").write_text("a shopping list")
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(ImageError, match="None of the files") as error:
        load_concept(tmp_path)
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("- empty.jpg: skipped, the file is empty")
    assert lines[2].startswith("- notes.txt: skipped, it is no picture")


def test_a_folder_of_other_things_is_told_in_a_few_lines(tmp_path):
    for i in range(60):
        (tmp_path / f"notes {i:02}.txt").write_text("a shopping list")
    (tmp_path / "leer.png").touch()
    with pytest.raises(ImageError, match="None of the files") as error:
        load_concept(tmp_path)
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    assert "notes 08.txt and 51 more: skipped" in lines[2]


def test_a_folder_that_may_not_be_read_is_explained(folder, monkeypatch):
    def refuse(self):
        raise PermissionError

    monkeypatch.setattr(type(folder), "iterdir", refuse)
    with pytest.raises(ImageError, match="may not be read"):
        load_concept(folder)


def test_errors_show_nothing_from_the_depths(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    with pytest.raises(ImageError, match="it is cut off") as error:
        read_image(tmp_path / "broken.jpg", size=64)
    assert error.value.__suppress_context__


# --- files that are no pictures


@pytest.mark.parametrize(
    "name",
    [".DS_Store", ".hidden.png", "._good.png", "Thumbs.db", "desktop.ini"],
)
def test_files_that_no_one_put_there_are_left_out_silently(folder, name):
    (folder / name).write_bytes(b"anything")
    report = load_concept(folder).report
    assert [entry.file for entry in report.entries] == ["good.png"]


def test_jupyters_checkpoints_are_left_out_silently(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    make_image().save(folder / ".ipynb_checkpoints" / "good.png")
    assert len(load_concept(folder).report.entries) == 1


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("notes.txt", b"a shopping list", "it is no picture"),
        ("notes.md", b"P3 starts like a picture", "it is no picture"),
        ("cars.txt", b"BMW starts like one, too", "it is no picture"),
        ("vector.svg", b"<svg></svg>", "it is no picture"),
        ("print.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "it is no picture"),
        ("c.png", b"whatever it is", "not what its name says"),
        ("d.jpg", b"", "the file is empty"),
    ],
)
def test_a_file_that_is_no_picture_is_skipped_with_its_reason(
    folder, name, content, reason
):
    (folder / name).write_bytes(content)
    concept = load_concept(folder)
    assert concept.files == ["good.png"]
    assert concept.report.skipped == [name]
    assert f"- {name}: skipped, " in str(concept.report)
    assert reason in str(concept.report)


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0"),
        ("a.jpg", b"\0\0\0\x18ftypheic\0\0\0\0"),
        ("b.HEIC", b"whatever it is"),
        ("ｃ.Heif", b"whatever it is"),
    ],
)
def test_a_heic_photo_is_skipped_with_the_package_that_reads_it(
    folder, monkeypatch, name, content
):
    (folder / name).write_bytes(content)
    formats = [known for known in reading.FORMATS if known != "HEIF"]
    monkeypatch.setattr(reading, "FORMATS", formats)
    assert notes_on(folder, name) == (
        "skipped, HEIC photos cannot be read without the package "
        'pillow-heif; install it (pip install -e ".[heic]") or export it as '
        "JPEG"
    )


def test_a_heic_photo_is_read_like_the_others_where_that_is_installed(folder):
    pytest.importorskip("pillow_heif")
    for name in ("a.heic", "b.HEIF", "c.jpg"):
        make_image(120, 80).save(folder / name, "HEIF", quality=90)
    Image.new("RGB", (64, 64), (200, 150, 125)).save(
        folder / "p3.heic", quality=100, icc_profile=DISPLAY_P3
    )
    (folder / "broken.heic").write_bytes(b"whatever it is")
    concept = load_concept(folder, size=64)
    assert concept.report.skipped == ["broken.heic"]
    assert "broken.heic: skipped, it is cut off, damag" in str(concept.report)
    for image in concept.images[:3]:
        assert pixel(image, 0.25, 0.25)[0] > 240
        assert pixel(image, 0.75, 0.75)[1] > 240
    assert "cropped to the central 80x80 of 120x80" in str(concept.report)
    p3 = concept.images[concept.files.index("p3.heic")]
    assert (
        max(
            abs(a - b)
            for a, b in zip(pixel(p3, 0.5, 0.5), (209, 147, 121), strict=True)
        )
        <= 3
    )


def test_a_folder_inside_the_folder_is_skipped_with_a_line(folder):
    (folder / "more").mkdir()
    assert "skipped, it is a folder" in notes_on(folder, "more")


def test_a_link_that_leads_nowhere_is_skipped(folder):
    (folder / "gone.png").symlink_to(folder / "not there.png")
    assert "no ordinary file" in notes_on(folder, "gone.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_make_the_reader_wait(folder):
    os.mkfifo(folder / "pipe.png")
    assert "no ordinary file" in notes_on(folder, "pipe.png")


def test_a_file_that_may_not_be_read_is_skipped(folder, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(ImageError, match="may not be read; change"):
        read_image(folder / "good.png", size=64)


def test_a_picture_under_a_wrong_name_is_read_all_the_same(folder):
    make_image().save(folder / "really_a_png.jpg", format="PNG")
    assert "really_a_png.jpg" in load_concept(folder).files


def test_the_same_picture_twice_is_noted_and_kept(folder):
    make_image().save(folder / "twin.webp", lossless=True)
    concept = load_concept(folder)
    assert concept.files == ["good.png", "twin.webp"]
    assert "the same picture as good.png" in str(concept.report)


def test_different_pictures_are_not_called_the_same(folder):
    make_image().rotate(90).save(folder / "other.png")
    assert "same picture" not in str(load_concept(folder).report)


def test_a_concept_can_be_made_from_images_in_memory():
    concept = Concept(name="drawn", images=[make_image()])
    assert concept.files == []
    assert "not read from files" in str(concept.report)
