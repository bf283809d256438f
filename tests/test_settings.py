"""Where things lie, which models there are, and which device is used."""

import dataclasses
import importlib
import re

import pytest
from open_clip import get_pretrained_cfg
from open_clip.transform import PreprocessCfg

from tutorial_lib import settings
from tutorial_lib.errors import DataError, TutorialError


@pytest.fixture
def reloaded_settings(monkeypatch):
    """Reload the module with other environment variables, then as it was."""

    def reload_with(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return importlib.reload(settings)

    yield reload_with
    monkeypatch.undo()
    importlib.reload(settings)


def test_data_lies_beside_the_library_in_a_clone():
    assert (settings.ROOT / "pyproject.toml").is_file()
    assert settings.DATA == settings.ROOT / "data"


def test_out_can_be_moved_by_an_environment_variable(
    reloaded_settings, tmp_path
):
    moved = reloaded_settings(TUTORIAL_OUT=str(tmp_path / "elsewhere"))
    assert moved.OUT == tmp_path / "elsewhere"


def test_an_empty_variable_leaves_out_where_it_is(reloaded_settings):
    assert reloaded_settings(TUTORIAL_OUT="").OUT == settings.ROOT / "out"


def test_find_data_returns_the_folder_where_there_is_one(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(settings, "DATA", tmp_path)
    assert settings.find_data() == tmp_path


def test_find_data_says_what_to_do_where_there_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "DATA", tmp_path / "data")
    with pytest.raises(DataError, match="clone the repository") as error:
        settings.find_data()
    assert isinstance(error.value, FileNotFoundError)
    assert str(tmp_path / "data") in str(error.value)
    assert "pip install -e ." in str(error.value)


def test_the_tiny_models_are_the_default(monkeypatch):
    monkeypatch.delenv("TUTORIAL_MODEL", raising=False)
    assert settings.pick_profile().name == "tiny"


def test_an_environment_variable_picks_the_models(monkeypatch):
    monkeypatch.setenv("TUTORIAL_MODEL", "sd15")
    monkeypatch.delenv("TUTORIAL_SD15", raising=False)
    assert settings.pick_profile() == settings.PROFILES["sd15"]


def test_a_name_goes_before_the_environment_variable(monkeypatch):
    monkeypatch.setenv("TUTORIAL_MODEL", "sd15")
    assert settings.pick_profile("tiny").name == "tiny"


def test_an_unknown_model_is_named_and_the_known_ones_are_listed():
    with pytest.raises(TutorialError, match='"sd9"') as error:
        settings.pick_profile("sd9")
    assert '"tiny", "sd15", "sd2" or "sdxl"' in str(error.value)
    assert "TUTORIAL_MODEL" in str(error.value)


def test_models_of_ones_own_are_a_folder_with_its_clip(monkeypatch, tmp_path):
    (tmp_path / "clip").mkdir()
    monkeypatch.setenv("TUTORIAL_SD15", str(tmp_path))
    profile = settings.pick_profile("sd15")
    assert (profile.pipeline, profile.revision) == (str(tmp_path), None)
    assert profile.clip_model == f"local-dir:{tmp_path / 'clip'}"
    assert profile.clip_pretrained is None
    assert settings.pick_profile("tiny") == settings.PROFILES["tiny"]


def test_models_of_ones_own_are_one_file_with_clip_beside_it(
    monkeypatch, tmp_path
):
    file = tmp_path / "mine.safetensors"
    file.touch()
    monkeypatch.setenv("TUTORIAL_SD15", str(file))
    usual = settings.PROFILES["sd15"]
    profile = settings.pick_profile("sd15")
    assert (profile.pipeline, profile.revision) == (str(file), None)
    assert profile.clip_model == usual.clip_model
    assert profile.clip_pretrained == usual.clip_pretrained
    (tmp_path / "clip").mkdir()
    profile = settings.pick_profile("sd15")
    assert profile.clip_model == f"local-dir:{tmp_path / 'clip'}"


def test_the_place_of_models_may_begin_at_home_or_be_empty(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("TUTORIAL_SD15", "")
    assert settings.pick_profile("sd15") == settings.PROFILES["sd15"]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TUTORIAL_SD15", "~/models")
    assert settings.pick_profile("sd15").pipeline == str(tmp_path / "models")


def test_every_profile_is_called_by_its_own_name():
    for name, profile in settings.PROFILES.items():
        assert profile.name == name


def test_no_profile_can_be_changed_by_accident():
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.PROFILES["tiny"].size = 1


def test_every_profile_from_the_hub_is_pinned_to_one_commit():
    for profile in settings.PROFILES.values():
        if profile.pipeline.startswith(str(settings.DATA)):
            assert profile.revision is None and profile.hub is None
            continue
        for revision in (profile.revision, profile.hub.clip_revision):
            assert re.fullmatch("[0-9a-f]{40}", revision), profile.name


def test_every_profile_from_the_hub_says_licence_and_memory():
    for profile in settings.PROFILES.values():
        if profile.hub:
            assert "RAIL" in profile.hub.license
            assert "measured" in profile.hub.memory


@pytest.mark.parametrize("name", ["sd15", "sd2"])
def test_clip_s_repository_is_the_one_that_open_clip_names(name):
    profile = settings.PROFILES[name]
    known = get_pretrained_cfg(profile.clip_model, profile.clip_pretrained)
    assert known["hf_hub"].rstrip("/") == profile.hub.clip_repository
    # Prepared for CLIP as open_clip prepares it without that name.
    usual = PreprocessCfg()
    assert known["mean"] == usual.mean and known["std"] == usual.std
    assert known["interpolation"] == usual.interpolation
    assert known["resize_mode"] == usual.resize_mode


def test_another_variable_places_the_models_of_another_profile(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("TUTORIAL_SD2", str(tmp_path))
    assert settings.pick_profile("sd2").pipeline == str(tmp_path)
    assert settings.pick_profile("sd2").revision is None
    assert settings.pick_profile("sd15") == settings.PROFILES["sd15"]


def test_sd15_takes_the_clip_with_the_right_activation():
    # Since open_clip 2.29 plain ViT-L-14 with "openai" is silently wrong.
    profile = settings.PROFILES["sd15"]
    assert profile.clip_model == "ViT-L-14-quickgelu"
    assert profile.clip_pretrained == "openai"


@pytest.mark.parametrize("available", [True, False])
def test_the_device_is_the_gpu_where_there_is_one(monkeypatch, available):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert settings.choose_device() == ("cuda" if available else "cpu")
