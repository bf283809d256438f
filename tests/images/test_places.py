"""A concept's folder is found however it is written, or its path shown."""

import os
import unicodedata

import pytest
from image_files import make_folder, make_image

from tutorial_lib.errors import ImageError
from tutorial_lib.images import (
    Concept,
    list_files,
    load_concept,
    places,
)


@pytest.fixture
def folder(tmp_path):
    """A folder of the reader's that already holds one good picture."""
    return make_folder(tmp_path)


def test_a_missing_folder_is_named_and_the_shipped_concepts_listed(tmp_path):
    with pytest.raises(ImageError, match="There is no folder") as error:
        load_concept(tmp_path / "tshrit")
    assert "tshrit" in str(error.value)
    assert "'tshirt' and 'face'" in str(error.value)


def test_the_error_shows_the_whole_path_and_the_nearest_that_exists(
    tmp_path, monkeypatch
):
    (tmp_path / "lessons" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "lessons")
    with pytest.raises(ImageError) as error:
        load_concept("data/concepts/face")
    assert str(error.value) == (
        f"There is no folder '{tmp_path}/lessons/data/concepts/face' (the "
        f"nearest that exists is '{tmp_path}/lessons/data'); check its "
        "spelling, or take one of the shipped concepts, 'tshirt' and 'face'."
    )


@pytest.mark.skipif(os.name == "nt", reason="there such a path is usual")
@pytest.mark.parametrize(
    "path", ["C:\\Users\\Ann\\my mug", "d:/mug", "\\\\nas\\fotos\\mug"]
)
def test_a_path_of_windows_on_another_machine_is_told_so(path):
    with pytest.raises(ImageError, match="is a path of Windows.*copy the"):
        load_concept(path)


def test_backslashes_and_the_address_of_a_folder_are_taken(
    folder, monkeypatch
):
    (folder / "my mug ü").mkdir()
    make_image().save(folder / "my mug ü" / "1.png")
    monkeypatch.chdir(folder.parent)
    written = [f"{folder.name}\\my mug ü", (folder / "my mug ü").as_uri()]
    for path in written:
        assert load_concept(path, size=64).files == ["1.png"]


def test_the_path_of_a_shipped_concept_keeps_its_kind(monkeypatch):
    folder = places.find_data() / "concepts" / "face"
    assert load_concept(folder, size=64).kind == "person"
    monkeypatch.chdir(folder.parents[1])
    assert load_concept("concepts/face/", size=64).kind == "person"
    assert load_concept("./concepts/face", 64, kind="pattern").kind == (
        "pattern"
    )


def test_a_folder_of_ones_own_comes_before_a_name_that_is_merely_alike(
    tmp_path, monkeypatch
):
    (tmp_path / "Face").mkdir()
    make_image().save(tmp_path / "Face" / "1.png")
    monkeypatch.chdir(tmp_path)
    for name in ("Face", "Face/", "./Face"):
        assert load_concept(name, size=64).kind == "pattern"
    assert load_concept("face", size=64).kind == "person"
    with pytest.raises(ImageError, match="There is no folder"):
        load_concept("./face")


def test_a_name_that_ends_in_a_space_is_meant_if_it_exists(tmp_path):
    for name in ("shots", "shots "):
        (tmp_path / name).mkdir()
        make_image().save(tmp_path / name / f"{name}.png")
    concept = load_concept(tmp_path / "shots ", size=64)
    assert concept.files == ["shots .png"]


def test_a_folder_that_is_not_there_has_no_files(tmp_path):
    with pytest.raises(ImageError, match="There is no folder"):
        list_files(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match="may not be read"):
        list_files(tmp_path / "file")


def test_an_empty_name_does_not_mean_the_working_directory():
    with pytest.raises(ImageError, match="no name"):
        load_concept(" ")


def test_a_file_instead_of_a_folder_is_explained(folder):
    with pytest.raises(ImageError, match=r"good\.png' is a file; give"):
        load_concept(folder / "good.png")


@pytest.mark.parametrize(
    "name",
    [
        " face", "face ", "face\n", "Face", "FACE", "face/", "Face\\",
        "'face'", "ｆａｃｅ", "face\N{NO-BREAK SPACE}",
    ],
)  # fmt: skip
def test_the_face_is_a_person_however_its_name_is_written(name):
    concept = load_concept(name, size=64)
    assert (concept.name, concept.kind) == ("face", "person")
    assert len(concept.images) == 6


@pytest.mark.parametrize("name", ["T-shirt", "tshirt/", "t shirt", "TShirt "])
def test_the_t_shirt_too(name):
    assert load_concept(name, size=64).name == "tshirt"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_accents_may_be_composed_otherwise_than_on_the_disk(tmp_path, form):
    for name in ("Müller", "が"):
        folder = tmp_path / unicodedata.normalize(form, name)
        folder.mkdir()
        make_image().save(folder / "1.png")
        for typed in ("NFC", "NFD"):
            path = tmp_path / unicodedata.normalize(typed, name)
            assert load_concept(path, size=64).files == ["1.png"]


@pytest.mark.parametrize(
    "name", ["日本 語", "Ελλάδα", "عربي", "👕", "a b", "x.JPG", "nul.", "-n"]
)
def test_folders_and_files_may_have_any_name(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    make_image().save(folder / "1.PNG")
    make_image().save(folder / f"{name}.Jpeg", "JPEG")
    concept = load_concept(f" {folder} ", size=64)
    assert sorted(concept.files) == sorted(["1.PNG", f"{name}.Jpeg"])


@pytest.mark.parametrize(
    "value",
    [None, 5, ["tshirt"], b"tshirt", "a\0b", "x" * 5000, "~nobody-here/x",
     "https://example.org/shirts", Concept("tshirt", []), "\udc83\udc65"],
)  # fmt: skip
def test_what_is_no_folder_is_refused_in_one_sentence(value):
    with pytest.raises(ImageError) as error:
        load_concept(value)
    assert str(error.value).isprintable()
