"""The stand-in of Stable Diffusion 1.5, made once."""

import pytest
from sdxl_weights import hash_weights
from standins import make_standin

from tutorial_lib import learn_word
from tutorial_lib.models import load_models


def load_from(folder, name):
    """Return the Models of a stand-in in a folder, on the CPU."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(f"TUTORIAL_{name.upper()}", str(folder))
        return load_models(name, device="cpu")


@pytest.fixture(scope="session")
def standin(tmp_path_factory):
    """Return the folder of the stand-in."""
    return make_standin("sd15", tmp_path_factory.mktemp("standin") / "sd15")


@pytest.fixture
def sd15(standin, monkeypatch):
    """Let "sd15" be the stand-in."""
    monkeypatch.setenv("TUTORIAL_SD15", str(standin))


@pytest.fixture(scope="session")
def standin_models(standin):
    """Return the stand-in's Models, on the CPU."""
    return load_from(standin, "sd15")


@pytest.fixture(scope="session")
def sdxl_folder(tmp_path_factory):
    """Return the folder of the stand-in of Stable Diffusion XL."""
    return make_standin("sdxl", tmp_path_factory.mktemp("standin") / "sdxl")


@pytest.fixture(scope="session")
def sdxl(sdxl_folder):
    """Return the Models of that stand-in, on the CPU."""
    return load_from(sdxl_folder, "sdxl")


@pytest.fixture(scope="session")
def sdxl_learning(sdxl, images):
    """Return a learned word, and a digest of each weight before."""
    before = hash_weights(sdxl)
    word = learn_word(
        sdxl,
        images[:2],
        kind="pattern",
        recipe="denoising",
        steps=4,
        batch_size=2,
        evaluate_every=2,
        progress=False,
    )
    return word, before
