"""Files are written whole or not at all."""

import json

import pytest

from tutorial_lib.files import write_atomically, write_json


def test_the_file_is_in_place_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new folder" / "a.txt"
    with write_atomically(path) as unfinished:
        unfinished.write_text("whole")
        assert not path.exists()
        assert unfinished.suffix == ".txt"
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_an_older_file_stays_if_anything_goes_wrong(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with (
        pytest.raises(KeyboardInterrupt),
        write_atomically(path) as unfinished,
    ):
        unfinished.write_text("ne")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_readable_and_ends_in_a_newline(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"town": "Köln", "sizes": [1, 2]})
    text = path.read_text(encoding="utf-8")
    assert json.loads(text) == {"town": "Köln", "sizes": [1, 2]}
    assert '"town": "Köln"' in text and text.endswith("}\n")
    write_json(path, [1], indent=2)
    assert path.read_text() == "[\n  1\n]\n"
