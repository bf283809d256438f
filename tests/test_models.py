"""The models are loaded frozen, and computed with as the device likes it."""

import subprocess
import sys
from dataclasses import replace

import diffusers
import pytest
import torch
import transformers

from tutorial_lib import devices
from tutorial_lib.devices import use_autocast
from tutorial_lib.errors import ArgumentError, DataError
from tutorial_lib.models import (
    SMALL_IMAGE,
    load_models,
    quiet_libraries,
    use_short_attention,
)
from tutorial_lib.settings import PROFILES


def test_all_models_are_frozen_and_in_float32_on_the_cpu(models):
    parts = [models.clip, models.pipeline.text_encoder]
    for part in [*parts, models.pipeline.vae, models.pipeline.unet]:
        assert not part.training
        for parameter in part.parameters():
            assert not parameter.requires_grad
            assert parameter.dtype == torch.float32


def test_models_that_are_missing_are_named_with_the_remedy(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tutorial_lib.models.find_data", lambda: tmp_path)
    profile = replace(PROFILES["tiny"], pipeline=str(tmp_path / "nothing"))
    with pytest.raises(DataError, match="nothing'; fetch the whole"):
        load_models(profile)


@pytest.mark.parametrize(
    "device", ["gpu", "cuda:99", "meta", "", 99, 1.5, [], "CPU"]
)
def test_a_device_that_is_not_there_is_refused_before_loading(device):
    with pytest.raises(ArgumentError, match="`device` cannot be .*; give one"):
        load_models("tiny", device=device)


def test_a_torch_device_is_taken():
    assert load_models("tiny", device=torch.device("cpu")).device == "cpu"


def test_autocast_can_be_switched_on_and_off():
    one = torch.ones(2, 2)
    with use_autocast("cpu", autocast=True):
        assert (one @ one).dtype == torch.bfloat16
    with use_autocast("cpu", autocast=False):
        assert (one @ one).dtype == torch.float32


@pytest.mark.parametrize("has_bfloat16", [True, False])
def test_a_cpu_with_bfloat16_computes_in_it_unless_told(
    monkeypatch, has_bfloat16
):
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda: has_bfloat16)
    one = torch.ones(2, 2)
    with use_autocast("cpu"):
        assert ((one @ one).dtype == torch.bfloat16) == has_bfloat16


def test_networks_in_half_precision_keep_their_own():
    half = torch.ones(2, 2, dtype=torch.float16)
    with use_autocast("cpu", autocast=True, dtype=half.dtype):
        assert (half @ half).dtype == torch.float16


def test_attention_is_step_by_step_on_a_cpu_for_small_images(models):
    large = replace(
        models, profile=replace(models.profile, size=SMALL_IMAGE + 1)
    )
    fused = torch.backends.cuda.flash_sdp_enabled
    with use_short_attention(models):
        assert not fused()
    with use_short_attention(large):
        assert fused()


@pytest.mark.parametrize(
    "logging", [diffusers.utils.logging, transformers.utils.logging]
)
@pytest.mark.parametrize("has_bar", [True, False])
def test_libraries_are_quiet_for_a_while_and_then_as_before(logging, has_bar):
    bars = {
        True: logging.enable_progress_bar,
        False: logging.disable_progress_bar,
    }
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    try:
        logging.set_verbosity_info()
        bars[has_bar]()
        with pytest.raises(ZeroDivisionError):
            with quiet_libraries():
                assert logging.get_verbosity() == logging.ERROR
                assert not logging.is_progress_bar_enabled()
                raise ZeroDivisionError
        assert logging.get_verbosity() == logging.INFO
        assert logging.is_progress_bar_enabled() == has_bar
    finally:
        logging.set_verbosity(before[0])
        bars[before[1]]()


LOAD_A_WORD = """
import warnings
from diffusers import StableDiffusionPipeline
from tutorial_lib.models import quiet_libraries

warnings.simplefilter("always", FutureWarning)
with quiet_libraries():
    pipeline = StableDiffusionPipeline.from_pretrained(
        {pipeline!r}, safety_checker=None, requires_safety_checker=False
    )
    pipeline.load_textual_inversion({word!r}, token="<x>")
print(pipeline.tokenizer.tokenize("<x>"))
"""


def test_a_word_is_loaded_by_diffusers_without_a_remark(
    miniature, make_word, tmp_path
):
    path = make_word().save(tmp_path / "x")
    source = LOAD_A_WORD.format(pipeline=str(miniature / "sd"), word=str(path))
    result = subprocess.run(  # a remark shows once in a process
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("['<x>']\n", "")
