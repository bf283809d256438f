"""Checkpoints on disks that are full, read-only or gone: the word stays."""

import errno
import os
import shutil
import signal
import subprocess
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from mini_models import learn

from tutorial_lib.errors import FileError, TutorialError, WordError
from tutorial_lib.files import write_atomically, write_json
from tutorial_lib.inversion import checkpoints, learn_word
from tutorial_lib.inversion.checkpoints import CheckpointKeeper

SETTINGS = {"recipe": "similarity", "steps": 12}
GOES_ON = "Learning goes on without a checkpoint: "


@pytest.fixture
def whole(models, images):
    """Return the word that is learned without a checkpoint."""
    return learn(models, images, **SETTINGS)


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of 64 KB of its own; root alone can make it.

    The test is skipped where that cannot be done.
    """
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        subprocess.run(["mount", *options], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fail_with(number, monkeypatch, times=10**9):
    """Let the writing of bytes fail with an OSError, some times."""
    original, calls = Path.write_bytes, []

    def write_bytes(path, content):
        calls.append(path)
        if len(calls) > times:
            return original(path, content)
        original(path, content[:7])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    return calls


# --- the disk


def test_a_disk_that_is_really_full_is_said_and_the_word_stays(
    models, images, small_disk, whole
):
    path = small_disk / "x.ckpt"
    learn(models, images, checkpoint=path, **SETTINGS)
    before = path.read_bytes()
    filling = small_disk / "filling"
    with pytest.raises(OSError), filling.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))
    with pytest.warns(UserWarning, match=GOES_ON) as warned:
        word = learn(
            models, images, checkpoint=small_disk / "y.ckpt", **SETTINGS
        )
    assert torch.equal(word.vectors, whole.vectors)
    assert path.read_bytes() == before
    assert {p.name for p in small_disk.iterdir()} == {"x.ckpt", "filling"}
    [text] = [str(w.message) for w in warned if GOES_ON in str(w.message)]
    assert f"'{small_disk / 'y.ckpt'}' was not written: the disk is" in text
    with pytest.raises(FileError, match="the disk is full; free some space"):
        word.save(small_disk / "word")
    with pytest.raises(FileError, match="the disk is full"):
        write_json(small_disk / "a.json", ["text"] * 1000)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full for you"),
        (errno.EROFS, "its folder may only be read"),
        (errno.EACCES, "its folder may not be written to"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_learning_goes_on_without_a_checkpoint_and_warns_once(
    models, images, tmp_path, monkeypatch, whole, number, reason
):
    path = tmp_path / "x.ckpt"
    learn(models, images, checkpoint=path, **SETTINGS)
    before = path.read_bytes()
    calls = fail_with(number, monkeypatch)
    with pytest.warns(UserWarning) as warned:
        word = learn(models, images, checkpoint=path, **SETTINGS)
        other = learn(models, images, checkpoint=tmp_path / "y", **SETTINGS)
    assert len(calls) > 3
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    for learned in (word, other):
        assert torch.equal(learned.vectors, whole.vectors)
    texts = [str(w.message) for w in warned if GOES_ON in str(w.message)]
    assert len(texts) == 2 and all(reason in text for text in texts)
    assert f"'{path}'" in texts[0]


def test_a_checkpoint_is_tried_again_when_there_is_room(
    models, images, tmp_path, monkeypatch, whole
):
    path = tmp_path / "x.ckpt"
    fail_with(errno.ENOSPC, monkeypatch, times=2)
    with pytest.warns(UserWarning, match=GOES_ON):
        learn(models, images, checkpoint=path, **SETTINGS)
    again = learn(models, images, checkpoint=path, **SETTINGS)
    assert torch.equal(again.vectors, whole.vectors)


def test_a_folder_that_vanishes_is_made_again(models, images, tmp_path, whole):
    folder = tmp_path / "folder"

    def remove_folder(entry):
        if entry["step"] == 3:
            shutil.rmtree(folder)

    path = folder / "x.ckpt"
    word = learn(
        models, images, checkpoint=path, callbacks=remove_folder, **SETTINGS
    )
    assert torch.equal(word.vectors, whole.vectors) and path.is_file()


def test_a_file_in_the_place_of_the_folder_does_not_lose_the_word(
    models, images, tmp_path, whole
):
    folder = tmp_path / "folder"

    def put_a_file_there(entry):
        if entry["step"] == 3:
            shutil.rmtree(folder)
            folder.write_text("I am a file")

    with pytest.warns(UserWarning, match="a part of its path is a file"):
        word = learn(
            models,
            images,
            checkpoint=folder / "x.ckpt",
            callbacks=[put_a_file_there],
            **SETTINGS,
        )
    assert torch.equal(word.vectors, whole.vectors)


# --- Ctrl-C


@pytest.mark.parametrize("at_call", [1, 2, 3])
@pytest.mark.parametrize("is_full", [False, True])
def test_ctrl_c_while_the_checkpoint_is_written_keeps_word_and_file(
    models, images, tmp_path, monkeypatch, whole, at_call, is_full
):
    path, original, calls = tmp_path / "x.ckpt", Path.write_bytes, []

    def press(target, content):
        calls.append(target)
        if len(calls) == at_call:
            signal.raise_signal(signal.SIGINT)
            if is_full:
                raise OSError(errno.ENOSPC, "No space left on device")
        return original(target, content)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", press)
        full_disk = pytest.warns(UserWarning, match="the disk is full")
        no_word_yet = pytest.raises(KeyboardInterrupt)
        with (
            full_disk if is_full else nullcontext(),
            no_word_yet if at_call == 1 else nullcontext(),
        ):
            word = learn(models, images, checkpoint=path, **SETTINGS)
            assert word.steps == (0, 10, 12)[at_call - 1]
    assert [p.name for p in tmp_path.iterdir()] == ["x.ckpt"]
    rest = learn(models, images, checkpoint=path, **SETTINGS)
    assert torch.equal(rest.vectors, whole.vectors)


def test_ctrl_c_in_the_very_last_writing_does_not_lose_the_word(
    models, images, tmp_path, monkeypatch, whole
):
    original = CheckpointKeeper.save_at_the_end

    def press(keeper, keep_stopped):
        monkeypatch.setattr(
            checkpoints,
            "save_checkpoint",
            lambda *_: signal.raise_signal(signal.SIGINT),
        )
        original(keeper, keep_stopped)

    monkeypatch.setattr(CheckpointKeeper, "save_at_the_end", press)
    path = tmp_path / "x.ckpt"
    word = learn(models, images, checkpoint=path, **SETTINGS)
    assert torch.equal(word.vectors, whole.vectors)
    with pytest.raises(KeyboardInterrupt):
        learn(models, images, checkpoint=path, keep_stopped=False, **SETTINGS)


# --- names


def test_a_checkpoint_may_lie_at_home(models, images, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    learn(models, images, checkpoint="~/runs/a.ckpt", **SETTINGS)
    assert [p.name for p in tmp_path.iterdir()] == ["runs"]
    assert (tmp_path / "runs" / "a.ckpt").is_file()


def test_a_folder_is_no_checkpoint(models, images, tmp_path):
    for name in (tmp_path, f"{tmp_path}/", "."):
        with pytest.raises(WordError, match=r"is a folder; name a file in it"):
            learn(models, images, checkpoint=name, **SETTINGS)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(WordError, match="'.*file' is a file, no folder"):
        learn(models, images, checkpoint=file / "x.ckpt", **SETTINGS)
    for name in ("", 3, b"x", "a\0b", ["x"]):
        with pytest.raises(TutorialError, match="`checkpoint` cannot be"):
            learn_word(models, images, checkpoint=name, steps=1)


def test_files_are_not_written_over_folders_or_below_files(tmp_path):
    (tmp_path / "file").touch()
    for name, reason in {
        "": "is a folder; name a file in it",
        "file/a.json": "a part of its path is a file",
        "a" * 250: "its name is too long",
    }.items():
        with pytest.raises(FileError, match=reason):
            write_json(tmp_path / name, 1)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_another_error_within_is_passed_on_as_it_is(tmp_path):
    for error in (KeyError("a"), WordError("b"), KeyboardInterrupt()):
        with pytest.raises(type(error)), write_atomically(tmp_path / "a"):
            raise error
