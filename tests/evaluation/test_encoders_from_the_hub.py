"""The networks that measure are fetched from a hub on this machine.

They are tiny, in the layout of the real repositories: one has its weights as
a pickle alone.
"""

import huggingface_hub
import pytest
import torch
from hub_server import list_repository, serve_hub
from huggingface_hub import constants
from mini_encoders import save_mini_encoders
from safetensors.torch import load_file
from transformers import ViTModel

from tutorial_lib.errors import FetchError
from tutorial_lib.evaluation import image_encoders, load_encoder
from tutorial_lib.evaluation.image_encoders import SOURCES


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the two repositories as a hub has them."""
    folder = tmp_path_factory.mktemp("encoders")
    save_mini_encoders(folder)
    weights = load_file(folder / "clip" / "model.safetensors")
    torch.save(weights, folder / "clip" / "pytorch_model.bin")
    (folder / "clip" / "model.safetensors").unlink()
    files = {}
    for name in ("dino", "clip"):
        source = SOURCES[name]
        files |= list_repository(
            source.repository, source.revision, folder / name
        )
    return files


@pytest.fixture
def server(files, monkeypatch, tmp_path):
    """Return a server that has both and is the hub, with a fresh cache."""
    with serve_hub(files) as server:
        usual = constants.ENDPOINT
        endpoint = server.url.removesuffix("/data")
        for name in ("ENDPOINT", "HUGGINGFACE_CO_URL_TEMPLATE"):
            value = getattr(constants, name).replace(usual, endpoint)
            monkeypatch.setattr(constants, name, value)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        monkeypatch.setattr(image_encoders, "ENCODERS_FOLDER", None)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        monkeypatch.setenv("TQDM_POSITION", "-1")  # bars without a terminal
        huggingface_hub.close_session()
        yield server
        huggingface_hub.close_session()


def test_they_are_announced_and_fetched_once_with_a_bar(server, capsys):
    dino, clip = load_encoder("dino", "cpu"), load_encoder("clip", "cpu")
    assert isinstance(dino.model, ViTModel) and clip.tokenizer is not None
    said, bars = capsys.readouterr()
    assert "Fetching DINO ViT-S/16 from the hub, once: 87 MB" in said
    assert "(under MIT)" in said
    assert "model.safetensors: 100%" in bars
    assert "pytorch_model.bin: 100%" in bars and "config.json" not in bars
    fetched = [path for verb, path, _ in server.asked if verb == "GET"]
    assert fetched.count("model.safetensors") == 1
    assert fetched.count("pytorch_model.bin") == 1

    server.asked.clear()
    load_encoder("dino", "cpu")
    assert capsys.readouterr() == ("", "")
    assert not [path for verb, path, _ in server.asked if verb == "GET"]


@pytest.mark.parametrize(
    ("fault", "reason", "remedy"),
    [
        ("bad token", "refuses this machine's login", "hf auth login"),
        ("out of order", "cannot be had now (the hub says 500)", "again"),
        ("no revision", "has not got this file", "update this library"),
    ],
)
@pytest.mark.parametrize("path", ["model.safetensors", "config.json"])
def test_a_refusal_is_told_with_the_remedy(
    server, path, fault, reason, remedy
):
    server.faults[path] = [fault] * 20
    with pytest.raises(FetchError) as error:
        load_encoder("dino", "cpu")
    text = str(error.value)
    assert text.startswith("DINO ViT-S/16 (facebook/dino-vits16, 87 MB, ")
    assert reason in text and remedy in text
    assert text.endswith("of a folder that TUTORIAL_ENCODERS names.")


def test_where_the_hub_may_not_be_asked_that_is_said(server, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(FetchError, match="HF_HUB_OFFLINE forbids to ask"):
        load_encoder("dino", "cpu")
    assert server.asked == []
