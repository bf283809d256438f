"""The stand-in is loaded from a hub on this machine, as the real one would be.

Its repository has the real one's layout: a safety checker, and weights that
are there several times over.
"""

import json
import os
import subprocess
import sys
from dataclasses import replace

import huggingface_hub
import open_clip
import pytest
from hub_server import list_repository, serve_hub
from huggingface_hub import constants
from standins import add_safety_checker, make_standin

from tutorial_lib.generation import generate
from tutorial_lib.hub import CLIP_WEIGHTS
from tutorial_lib.models import fingerprint_models, load_models
from tutorial_lib.settings import PROFILES, ROOT

SD15 = PROFILES["sd15"]
NAME = "ViT-L-14-standin"
DUPLICATES = [
    "unet/diffusion_pytorch_model.bin",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "text_encoder/pytorch_model.bin",
    "v1-5-pruned.ckpt",
]
LOAD = """
import sys
from dataclasses import replace
import open_clip
from tutorial_lib import load_models
from tutorial_lib.models import fingerprint_models
from tutorial_lib.settings import PROFILES

open_clip.add_model_config(sys.argv[1])
models = load_models(replace(PROFILES["sd15"], clip_model={name!r}), "cpu")
print(fingerprint_models(models))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the stand-in with a safety checker, and much that is too much."""
    folder = tmp_path_factory.mktemp("hub") / "sd15"
    add_safety_checker(make_standin("sd15", folder))
    for name in DUPLICATES:
        (folder / name).write_bytes(b"not read")
    config = folder / "clip" / "open_clip_config.json"
    content = json.loads(config.read_text(encoding="utf-8"))["model_cfg"]
    path = folder.parent / "configs" / f"{NAME}.json"
    path.parent.mkdir()
    path.write_text(json.dumps(content), encoding="utf-8")
    open_clip.add_model_config(path.parent)
    return folder


@pytest.fixture
def server(folder):
    """Return a server that has the stand-in and its CLIP."""
    files = list_repository(SD15.pipeline, SD15.revision, folder)
    clip = SD15.hub.clip_repository, SD15.hub.clip_revision, CLIP_WEIGHTS
    files[clip] = folder / "clip" / CLIP_WEIGHTS
    with serve_hub(files) as server:
        yield server


def test_the_models_are_fetched_once_and_are_those_of_the_folder(
    server, folder, tmp_path, monkeypatch
):
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_ENDPOINT": server.url.removesuffix("/data"),
        "HF_HOME": str(tmp_path),
        "NO_PROXY": "127.0.0.1,localhost",
        "TQDM_POSITION": "-1",  # bars without a terminal
    }
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            LOAD.format(name=NAME),
            str(folder.parent / "configs"),
        ],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert 'Fetching "sd15" from the hub' in result.stdout
    assert "diffusion_pytorch_model.safetensors: 100%" in result.stderr
    asked = [path for verb, path, _ in server.asked if verb == "GET"]
    assert len(asked) == len(set(asked)) == 16
    assert not set(asked) & set(DUPLICATES)
    assert "safety_checker/model.safetensors" in asked

    # Now they are there: no request, and no word.
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.file_download, "http_get", None)
    before = list(server.asked)
    models = load_models(replace(SD15, clip_model=NAME), device="cpu")
    assert server.asked == before
    assert models.pipeline.safety_checker is not None
    assert models.preprocess.transforms[0].size == 224
    assert result.stdout.split()[-1] == fingerprint_models(models)
    with monkeypatch.context() as patch:
        patch.setenv("TUTORIAL_SD15", str(folder))
        expected = load_models("sd15", device="cpu")
    assert fingerprint_models(models) == fingerprint_models(expected)
    [image] = generate(
        models, "a corgi", num_inference_steps=1, progress=False
    )
    assert image.size == (512, 512)
    assert image.getextrema() != ((0, 0),) * 3  # it passed the checker
