"""A folder of pictures as people really have them becomes a Concept."""

import os

import pytest
from image_files import make_folder, make_image, notes_on
from PIL import Image

from tutorial_lib.errors import ImageError, TutorialError
from tutorial_lib.images import Concept, load_concept, places, read_image


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


def test_a_missing_folder_is_named_and_the_shipped_concepts_listed(tmp_path):
    with pytest.raises(ImageError, match="There is no folder") as error:
        load_concept(tmp_path / "tshrit")
    assert "tshrit" in str(error.value)
    assert "'tshirt' and 'face'" in str(error.value)


def test_an_empty_name_does_not_mean_the_working_directory():
    with pytest.raises(ImageError, match="no name"):
        load_concept(" ")


def test_a_file_instead_of_a_folder_is_explained(folder):
    with pytest.raises(ImageError, match=r"good\.png' is a file; give"):
        load_concept(folder / "good.png")


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
        ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC photos cannot"),
        ("a.jpg", b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC photos cannot"),
        ("b.HEIC", b"whatever it is", "export it as JPEG"),
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


# --- the report


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


def test_a_concept_can_be_made_from_images_in_memory():
    concept = Concept(name="drawn", images=[make_image()])
    assert concept.files == []
    assert "not read from files" in str(concept.report)
