"""The models are loaded frozen, and computed with as the device likes it."""

from dataclasses import replace

import pytest
import torch

from tutorial_lib.errors import DataError
from tutorial_lib.models import (
    SMALL_IMAGE,
    load_models,
    use_autocast,
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


def test_autocast_can_be_switched_on_and_off():
    one = torch.ones(2, 2)
    with use_autocast("cpu", autocast=True):
        assert (one @ one).dtype == torch.bfloat16
    with use_autocast("cpu", autocast=False):
        assert (one @ one).dtype == torch.float32


def test_attention_is_step_by_step_on_a_cpu_for_small_images(models):
    large = replace(
        models, profile=replace(models.profile, size=SMALL_IMAGE + 1)
    )
    fused = torch.backends.cuda.flash_sdp_enabled
    with use_short_attention(models):
        assert not fused()
    with use_short_attention(large):
        assert fused()
