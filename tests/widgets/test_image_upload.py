"""The upload button writes files into a folder and shows what they are."""

import datetime
import io
import os

import ipywidgets
import pytest
from PIL import Image

from tutorial_lib.errors import ImageError
from tutorial_lib.widgets import image_upload


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """Show the button for a folder; return the folder and what is shown."""
    outputs = []
    monkeypatch.setattr(image_upload, "display", outputs.append)
    folder = tmp_path / "my pictures"
    image_upload.show_upload(folder)
    return folder, outputs[-1].children


def encode(color):
    """Return the bytes of a PNG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(buffer, "PNG")
    return buffer.getvalue()


def upload(shown, *files):
    """Do what the button does once files have been chosen."""
    folder, (_, answer) = shown
    image_upload.answer_upload(folder, "pattern", answer, {"new": files})
    return answer.value


def test_the_button_waits_with_an_empty_answer(shown):
    folder, (button, answer) = shown
    assert folder.is_dir() and answer.value == ""
    assert isinstance(button, ipywidgets.FileUpload) and button.multiple


def test_how_many_files_are_there_is_said_without_a_front_end(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(image_upload, "display", lambda _: None)
    (tmp_path / "a.png").write_bytes(encode("red"))
    image_upload.show_upload(tmp_path)
    assert "1 file. Upload" in capsys.readouterr().out


def test_uploaded_pictures_lie_in_the_folder_and_are_shown(shown):
    files = [
        {"name": name, "content": memoryview(encode(color))}
        for name, color in (("a.png", "red"), ("b.png", "blue"))
    ]
    page = upload(shown, *files)
    assert (shown[0] / "b.png").read_bytes() == encode("blue")
    assert 'alt="Uploaded pictures: a.png, b.png"' in page
    assert "2 of 2 files used" in page


def test_a_file_that_is_no_picture_is_named(shown):
    page = upload(shown, {"name": "<b>.txt", "content": b"hello"})
    assert "None of the files" in page and "&lt;b&gt;.txt" in page


def test_photos_of_phones_can_be_chosen(shown):
    _, (button, _) = shown
    assert {"image/*", ".heic"} <= set(button.accept.split(","))


def test_an_upload_that_cannot_be_written_is_told_on_the_page(shown):
    long = {"name": "x" * 300 + ".png", "content": encode("red")}
    assert "its name is too long; give it a shorter" in upload(shown, long)


def test_an_upload_cannot_leave_its_folder(shown):
    upload(shown, {"name": "../outside.png", "content": encode("red")})
    assert [path.name for path in shown[0].iterdir()] == ["outside.png"]
    assert not (shown[0].parent / "outside.png").exists()


def test_both_ipywidgets_say_the_same():
    seven = {"a.png": {"metadata": {"size": 1}, "content": b"1"}}
    eight = ({"name": "a.png", "content": memoryview(b"1"), "size": 1},)
    expected = [("a.png", b"1")]
    assert image_upload.list_uploads(seven) == expected
    assert image_upload.list_uploads(eight) == expected


def test_the_button_itself_passes_its_files_on(shown):
    folder, (button, answer) = shown
    content = encode("red")
    if ipywidgets.__version__.startswith("7"):
        files = {"a.png": {"metadata": {}, "content": content}}
    else:
        now = datetime.datetime.now(datetime.UTC)
        files = (
            {
                "name": "a.png",
                "type": "image/png",
                "size": len(content),
                "last_modified": now,
                "content": memoryview(content),
            },
        )
    button.set_trait("value", files)
    assert (folder / "a.png").exists() and "1 of 1" in answer.value


@pytest.mark.parametrize("folder", ["file", None, "a\0b", "file/in it"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ImageError, match="folder '.*' cannot be made; give"):
        image_upload.show_upload(folder)


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr(image_upload, "display", lambda _: None)
    image_upload.show_upload("~/my pictures")
    assert (tmp_path / "my pictures").is_dir()


def test_a_file_of_an_undecodable_name_is_shown(tmp_path):
    path = tmp_path / os.fsdecode(b"\x83e.png")
    path.write_bytes(encode("red"))
    page = image_upload.describe_folder(tmp_path, "pattern")
    assert r"Uploaded pictures: \x83e.png" in page
    page.encode("utf-8", "strict")
