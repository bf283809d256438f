"""Files that are broken, too large, or would run a program: none is run."""

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import PurePosixPath

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tutorial_lib.errors import WordError
from tutorial_lib.words import LearnedWord
from tutorial_lib.words.word_file import MAX_BYTES

ROWS = torch.ones(1, 768)


class Trap:
    """A pickle of it makes a file, if anything in it is run."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def refuse(path, match):
    """Check that a file is refused in one sentence that names it."""
    with pytest.raises(WordError, match=match) as caught:
        LearnedWord.load(path)
    message = str(caught.value)
    assert f"'{path}'" in message and message.endswith(".")
    assert len(message) < 500 and "\n" not in message
    assert caught.value.__cause__ is None


# --- programs in a pickle


def make_traps(trap):
    """Return contents with a trap in each place where one could lie."""
    return {
        "the vectors": {"string_to_param": {"*": trap}},
        "the parameters": {"string_to_param": trap, "name": "X"},
        "a note": {"string_to_param": {"*": ROWS}, "name": trap},
        "beside": {"<x>": ROWS, "more": trap},
        "the whole": trap,
        "a list": [trap],
    }


@pytest.mark.parametrize("place", make_traps(None))
def test_a_pickle_that_would_run_a_program_runs_nothing(place, tmp_path):
    marker = tmp_path / "marker"
    path = tmp_path / "trap.pt"
    torch.save(make_traps(Trap(marker))[place], path)
    refuse(path, r"asks for \w+\.mkdir, which .* not read; look for a safe")
    assert not marker.exists()
    torch.load(path, weights_only=False)  # it is a trap indeed
    assert marker.exists()


class ParameterTrap(nn.ParameterDict):
    """Pretends to be a ParameterDict, with a call in its state."""

    def __reduce__(self):
        state = {"_parameters": OrderedDict(w=Trap(self.marker))}
        return nn.ParameterDict, (), state


def test_what_pretends_to_be_parameters_runs_nothing(tmp_path):
    trap = ParameterTrap()
    object.__setattr__(trap, "marker", tmp_path / "marker")
    torch.save({"string_to_param": trap}, tmp_path / "trap.pt")
    refuse(tmp_path / "trap.pt", r"asks for \w+\.mkdir")
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".ckpt", ".safetensors"])
def test_a_bare_pickle_is_not_even_opened(suffix, tmp_path):
    marker = tmp_path / "marker"
    path = tmp_path / f"trap{suffix}"
    path.write_bytes(pickle.dumps({"<x>": Trap(marker)}))
    refuse(path, "is cut short,? or")
    torch.save({"<x>": ROWS}, path, _use_new_zipfile_serialization=False)
    refuse(path, "is cut short,? or")
    assert not marker.exists()


def test_torch_s_own_switch_does_not_open_the_door(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    torch.save({"<x>": Trap(tmp_path / "marker")}, tmp_path / "trap.pt")
    refuse(tmp_path / "trap.pt", r"asks for \w+\.mkdir")
    assert not (tmp_path / "marker").exists()


def test_the_safe_names_of_torch_are_as_before(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    torch.save({"<x>": ROWS}, tmp_path / "X.pt")
    LearnedWord.load(tmp_path / "X.pt")
    assert set(torch.serialization.get_safe_globals()) == before


# --- too large


def repack(path, compression, change=lambda name, content: content):
    """Write an archive of torch's anew, each entry changed."""
    with zipfile.ZipFile(path) as archive:
        entries = [(n, archive.read(n)) for n in archive.namelist()]
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, change(name, content))


def test_an_archive_that_grows_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.pt"
    torch.save({"<x>": ROWS}, path)

    def blow_up(name, content):
        return bytes(2**27) if name.endswith("/data/0") else content

    repack(path, zipfile.ZIP_DEFLATED, blow_up)
    assert path.stat().st_size < 2**18
    refuse(path, r"is packed and would grow to 134,\d+,\d+ bytes")


def test_entries_that_share_their_bytes_are_refused(tmp_path):
    """As in an overlap bomb: many entries, one place in the file."""
    path = tmp_path / "bomb.pt"
    torch.save({"<x>": torch.ones(75, 768)}, path)
    with zipfile.ZipFile(path, "a") as archive:
        (largest,) = [e for e in archive.infolist() if e.file_size > 10**5]
        archive.filelist += [largest] * 9
        archive._didModify = True  # so that the list is written anew
    refuse(path, "is packed and would grow to")


def test_a_file_larger_than_any_word_is_not_read(tmp_path):
    for suffix in (".pt", ".safetensors", ".png"):
        path = tmp_path / f"model{suffix}"
        with open(path, "wb") as file:
            file.truncate(MAX_BYTES + 1)  # takes no room on the disk
        refuse(path, "67,108,865 bytes, far more than a word")


def test_a_small_file_that_stands_for_a_huge_tensor_is_refused(tmp_path):
    path = tmp_path / "huge.pt"
    torch.save({"<x>": torch.ones(1).expand(1, 10**12)}, path)
    assert path.stat().st_size < 5000
    refuse(path, "its tensor is 1 x 1000000000000")
    torch.save({"<x>": torch.ones(1).expand(10**9, 768)}, path)
    refuse(path, "its tensor is 1000000000 x 768")


def test_a_tensor_larger_than_its_own_bytes_is_refused(tmp_path):
    path = tmp_path / "huge.pt"
    torch.save({"<x>": torch.ones(300)}, path)
    claimed, real = b"M\x60\xea", b"M\x2c\x01"  # 60,000 for 300 numbers

    def exaggerate(name, content):
        is_pickle = name.endswith(".pkl")
        return content.replace(real, claimed) if is_pickle else content

    repack(path, zipfile.ZIP_STORED, exaggerate)
    refuse(path, "is cut short or no file that torch|its tensor is 60000")


# --- broken


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_short_is_refused(share, tmp_path):
    for name in ("X.pt", "X.safetensors"):
        path = tmp_path / name
        form = "a1111" if name == "X.pt" else None
        LearnedWord("X", ROWS).save(path, form)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        refuse(path, "is cut short")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"hello, world"])
@pytest.mark.parametrize("suffix", [".pt", ".bin", ".safetensors", ".png"])
def test_what_is_no_file_of_a_word_is_refused(content, suffix, tmp_path):
    path = tmp_path / f"X{suffix}"
    path.write_bytes(content)
    refuse(path, "is cut short")


def test_an_archive_that_is_none_of_torch_s_is_refused(tmp_path):
    path = tmp_path / "X.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "world")
    refuse(path, "is cut short or no file that torch wrote")


def test_a_flipped_byte_gives_a_word_or_an_error_of_ours(tmp_path):
    path = tmp_path / "X.pt"
    LearnedWord("X", torch.ones(1, 4)).save(path, "a1111")
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), 7):
        changed = content.copy()
        changed[place] ^= 0x55
        path.write_bytes(changed)
        try:
            LearnedWord.load(path)
        except WordError as error:
            assert str(path) in str(error)


# --- other things in a file

STRANGE = {
    "no learned word of a form": [
        {"state_dict": {"w": ROWS}},
        {"string_to_param": 3},
        {"string_to_param": {"*": "text"}},
        [ROWS],
        ROWS,
        "X",
        3,
    ],
    "holds 0 tensors where": [{}, {"string_to_param": {}}],
    r"holds 2 tensors \(.<a>., .<b>.\)": [
        {"<a>": ROWS, "<b>": ROWS},
        {"string_to_param": {"<a>": ROWS, "<b>": ROWS}},
    ],
    r"holds 9 tensors \(.0., .1., .2., .3., \.\.\.\)": [
        {str(i): ROWS for i in range(9)},
        {i: ROWS for i in range(9)},
    ],
    "holds 3 tensors": [{"clip_l": ROWS, "clip_g": ROWS, "t5": ROWS}],
    "output embedding of OneTrainer's": [
        {"emp_params_out": ROWS},
        {"emp_params": ROWS, "emp_params_out": ROWS},
        {"clip_l": ROWS, "clip_g": ROWS, "clip_l_out": ROWS},
    ],
    "is no learned word: its tensor is": [
        {"<x>": torch.ones(1, 768, dtype=torch.int64)},
        {"<x>": torch.ones(1, 768, dtype=torch.complex64)},
        {"<x>": torch.ones(1, 768).to_sparse()},
        {"<x>": torch.ones(1, 768, device="meta")},
        {"<x>": torch.ones(2, 2, 2)},
        {"<x>": torch.ones(76, 768)},
        {"<x>": torch.ones(1, 0)},
        {"clip_l": ROWS, "clip_g": torch.ones(3, 3, 3)},
    ],
    "numbers that are not finite": [
        {"<x>": torch.full((1, 768), float("nan"))},
        {"<x>": torch.full((1, 768), 1e300, dtype=torch.float64)},
    ],
    "too coarse": [{"<x>": ROWS.to(torch.float8_e5m2)}],
}
CASES = [(match, i) for match in STRANGE for i in range(len(STRANGE[match]))]


@pytest.mark.parametrize("match, number", CASES)
def test_what_a_file_holds_instead_is_named(match, number, tmp_path):
    torch.save(STRANGE[match][number], tmp_path / "strange.pt")
    refuse(tmp_path / "strange.pt", match)


def test_a_file_of_several_words_is_refused_as_safetensors_too(tmp_path):
    path = tmp_path / "several.safetensors"
    save_file({f"<{name}>": ROWS.clone() for name in "abcdef"}, path)
    refuse(path, r"holds 6 tensors \(.<a>.*\.\.\.\) where .*; give the file")


def test_a_harmless_pickle_with_more_than_tensors_says_what_it_wants(
    tmp_path,
):
    content = {"<x>": ROWS, "made by": PurePosixPath("webui")}
    torch.save(content, tmp_path / "x.pt")
    refuse(tmp_path / "x.pt", "asks for .*PurePosixPath, .*look for a safe")
