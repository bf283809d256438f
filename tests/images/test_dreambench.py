"""DreamBooth's data set is fetched by name, from a server on this machine.

Its files are made up; only the list of them is the true one where a test
says so.
"""

import re
import socket

import pytest
from image_files import make_image
from local_server import serve
from mini_dreambench import make_files, write_manifest

from tutorial_lib.errors import FetchError, ImageError
from tutorial_lib.images import (
    as_concept,
    as_images,
    dreambench,
    fetching,
    list_prompts,
    list_subjects,
    load_concept,
)
from tutorial_lib.images.dreambench import MANIFEST, read_manifest
from tutorial_lib.images.fetching import name_blob


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve a made-up data set, which an empty folder is to keep."""
    files = make_files()
    manifest = write_manifest(files, tmp_path / "manifest.tsv")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(dreambench, "MANIFEST", manifest)
    monkeypatch.setattr(dreambench, "DREAMBENCH_FOLDER", tmp_path / "kept")
    with serve(files) as server:
        monkeypatch.setattr(dreambench, "DREAMBENCH_SOURCE", server.url)
        yield server


def list_kept(server):
    """Return the paths of all files in the folder that keeps them."""
    folder = dreambench.DREAMBENCH_FOLDER
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    }


# --- the list of files


def test_the_manifest_is_that_of_thirty_subjects():
    files = read_manifest(MANIFEST)
    assert len(list_subjects()) == 30 and len(files) == 160
    assert {"dog6", "backpack_dog", "wolf_plushie"} <= set(list_subjects())
    for file in files:
        assert re.fullmatch(r"\w+/\d\d\.jpg|\w+\.txt", file.path)
        assert re.fullmatch("[0-9a-f]{40}", file.blob)
        assert 1000 < file.num_bytes < 3_000_000
    assert len({file.blob for file in files}) == 160


def test_the_address_names_one_commit():
    from tutorial_lib.settings import DREAMBENCH_SOURCE

    (commit,) = re.findall("/([0-9a-f]{40})/dataset$", DREAMBENCH_SOURCE)
    assert commit in MANIFEST.read_text(encoding="utf-8")


def test_a_blobs_name_is_gits():
    # printf 'hello\n' | git hash-object --stdin
    assert name_blob(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


# --- fetching


def test_a_subject_is_fetched_by_name(server):
    concept = load_concept("dreambench/dog6", size=64)
    assert concept.name == "dog6" and concept.kind == "object"
    assert concept.initializer == "dog"
    assert concept.files == ["00.jpg", "01.jpg", "02.jpg"]
    assert [image.size for image in concept.images] == [(64, 64)] * 3
    assert not any(path.startswith("robot") for path in server.asked)


def test_what_was_fetched_is_kept(server):
    load_concept("dreambench/dog6", size=64)
    asked = len(server.asked)
    assert load_concept("dreambench/dog6", size=64).initializer == "dog"
    folder = dreambench.DREAMBENCH_FOLDER / "dog6"
    assert load_concept(folder, size=64).initializer == "dog"
    assert asked == 5 and len(server.asked) == asked


def test_the_author_and_the_licence_are_shown(server):
    report = str(load_concept("dreambench/dog6", size=64).report)
    assert "credit: https://unsplash.com/@someone" in report
    assert "Unsplash License" in report
    assert "references_and_licenses.txt" in report
    report = str(load_concept("dreambench/robot_toy", size=64).report)
    assert "Photos taken by Nobody Else; the data set is under CC" in report
    assert "Unsplash" not in report


@pytest.mark.parametrize(
    "name",
    [" dreambench/dog6 ", "DreamBench/Dog6", "dreambench\\dog6/",
     "dreambench/dog-6", '"dreambench/dog6"'],
)  # fmt: skip
def test_a_subject_may_be_written_otherwise(server, name):
    assert load_concept(name, size=64).name == "dog6"


def test_every_door_takes_a_subject(server):
    assert as_concept("dreambench/robot_toy").initializer == "toy"
    assert len(as_images("dreambench/bear_plushie")) == 3


def test_the_prompts_have_a_gap_for_the_word(server):
    assert list_prompts("dog6") == ["a {} in a hat"]
    assert list_prompts("robot_toy") == ["a {} on a shelf", "a red {}"]
    assert server.asked == ["prompts_and_classes.txt"]


def test_a_folder_of_ones_own_comes_before_a_name_that_is_merely_alike(
    server, tmp_path, monkeypatch
):
    folder = tmp_path / "dreambench" / "my dog"
    folder.mkdir(parents=True)
    make_image().save(folder / "1.png")
    monkeypatch.chdir(tmp_path)
    concept = load_concept("dreambench/my dog", size=64)
    assert (concept.kind, concept.initializer) == ("pattern", None)
    assert not server.asked


def test_a_copy_of_the_data_set_needs_no_fetching(server):
    for path, content in server.files.items():
        place = dreambench.DREAMBENCH_FOLDER / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    assert load_concept("dreambench/dog6", size=64).initializer == "dog"
    assert not server.asked


# --- names that there are none of


def test_the_nearest_subjects_are_suggested(server):
    with pytest.raises(ImageError, match='perhaps "dreambench/robot_toy"'):
        load_concept("dreambench/robot-toi")
    with pytest.raises(ImageError, match="the subjects are bear_plushie, d"):
        load_concept("dreambench")
    assert not server.asked


# --- what can go wrong on the way


def check_remedy(error):
    """Check that an error is one sentence that says what helps."""
    message = str(error.value)
    assert message.endswith("and name it in TUTORIAL_DREAMBENCH.")
    assert message.isprintable() and len(message) < 400


def test_without_a_connection_the_error_says_so(server, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        monkeypatch.setattr(dreambench, "DREAMBENCH_SOURCE", url)
        with pytest.raises(FetchError, match="cannot be reached") as error:
            load_concept("dreambench/dog6")
    check_remedy(error)
    assert not list_kept(server)


def test_an_address_that_is_none_is_named(server, monkeypatch):
    monkeypatch.setattr(dreambench, "DREAMBENCH_SOURCE", "nowhere")
    with pytest.raises(FetchError, match="^nowhere/.*cannot be") as error:
        load_concept("dreambench/dog6")
    check_remedy(error)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (404, r"/dog6/01\.jpg is not there \(404\)"),
        (403, r"refuses access \(403\); wait some minutes"),
        (429, r"too many requests \(429\); wait some minutes"),
        ((429, "90"), "wait 90 seconds"),
        (500, r"out of order \(500\); run the same again later"),
        (b"<html>Please log in</html>" * 9999, "sends other contents"),
    ],
)
def test_a_refusal_is_explained_and_what_came_stays(server, fault, message):
    server.faults["dog6/01.jpg"] = [fault]
    with pytest.raises(FetchError, match=message) as error:
        load_concept("dreambench/dog6", size=64)
    check_remedy(error)
    assert "dog6/00.jpg" in list_kept(server)
    assert not any("dog6/01" in path for path in list_kept(server))
    server.asked.clear()
    assert len(load_concept("dreambench/dog6", size=64).images) == 3
    assert server.asked == ["dog6/01.jpg", "dog6/02.jpg"]


def test_a_transfer_that_breaks_off_begins_again(server):
    server.faults["dog6/01.jpg"] = ["cut", "cut"]
    concept = load_concept("dreambench/dog6", size=64)
    assert len(concept.images) == 3
    assert server.asked.count("dog6/01.jpg") == 3
    for path in list_kept(server):
        content = (dreambench.DREAMBENCH_FOLDER / path).read_bytes()
        assert content == server.files[path]


def test_a_transfer_that_always_breaks_off_leaves_nothing_half_written(server):
    server.faults["dog6/01.jpg"] = ["cut"] * 3
    with pytest.raises(FetchError, match="broke off 3 times") as error:
        load_concept("dreambench/dog6", size=64)
    check_remedy(error)
    assert list_kept(server) == {
        "dog6/00.jpg",
        "prompts_and_classes.txt",
        "references_and_licenses.txt",
    }


def test_a_file_of_another_size_is_fetched_again(server):
    load_concept("dreambench/dog6", size=64)
    (dreambench.DREAMBENCH_FOLDER / "dog6" / "00.jpg").write_bytes(b"half")
    assert len(load_concept("dreambench/dog6", size=64).images) == 3
    assert server.asked.count("dog6/00.jpg") == 2


def test_the_bar_counts_bytes_and_not_those_that_were_in_vain(
    server, monkeypatch
):
    bars = []

    class Bar(fetching.tqdm):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            bars.append(self)

    monkeypatch.setattr(fetching, "tqdm", Bar)
    server.faults["dog6/02.jpg"] = ["cut"]
    load_concept("dreambench/dog6", size=64)
    (bar,) = bars
    fetched = {path: server.files[path] for path in set(server.asked)}
    assert bar.n == bar.total == sum(map(len, fetched.values()))


# --- learning from it


def test_the_class_is_what_x_begins_as(server, models):
    from tutorial_lib import learn_word

    word = learn_word(
        models,
        "dreambench/dog6",
        recipe="similarity",
        steps=2,
        progress=False,
    )
    assert word.initializer == "dog"
    other = learn_word(
        models,
        "dreambench/dog6",
        initializer="cat",
        recipe="similarity",
        steps=2,
        progress=False,
    )
    assert other.initializer == "cat"
