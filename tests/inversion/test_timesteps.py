"""Which timesteps a batch looks at, and how much an error there counts."""

import pytest
import torch

from tutorial_lib.inversion.timesteps import (
    compute_timestep_weights,
    sample_timesteps,
)
from tutorial_lib.training.export import make_noise_scheduler


@pytest.mark.parametrize("count", [1, 4, 16])
def test_each_share_of_the_schedule_gets_one_timestep(count):
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        times = sample_timesteps(count, generator)
        ends = torch.arange(count + 1) * 1000 / count
        assert (times >= ends[:-1].floor()).all() and (times < ends[1:]).all()


def test_half_of_the_timesteps_are_from_the_middle():
    generator = torch.Generator().manual_seed(0)
    times = sample_timesteps(1000, generator, middle=(350, 850))
    outer, inner = times.chunk(2)
    assert 0 <= outer.min() < 10 and 990 < outer.max() < 1000
    assert 350 <= inner.min() < 355 and 845 < inner.max() < 850
    assert (outer.diff() >= 0).all() and (inner.diff() >= 0).all()


def test_errors_count_where_only_the_caption_can_tell():
    signal = make_noise_scheduler().alphas_cumprod
    snr = signal / (1 - signal)
    of_the_image = compute_timestep_weights(signal) * snr
    assert (of_the_image.diff() <= 1e-6).all()  # never rises with noise
    assert of_the_image[0] == pytest.approx(5**0.5)
    min_snr = snr.clamp(max=5)
    assert (of_the_image[800:] > 4 * min_snr[800:]).all()
