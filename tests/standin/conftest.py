"""The stand-in of Stable Diffusion 1.5, made once."""

import pytest
from standins import make_standin

from tutorial_lib.models import load_models


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
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TUTORIAL_SD15", str(standin))
        return load_models("sd15", device="cpu")
