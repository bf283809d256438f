"""Figures of diffusion: latents as images, the schedule, the errors."""

import pytest
import torch

from tutorial_lib.figures import (
    channels_to_images,
    plot_errors,
    plot_shares,
)


def test_each_channel_becomes_a_grey_picture():
    latents = torch.zeros(4, 8, 8)
    latents[1], latents[2] = 3, -99
    images = channels_to_images(latents, side=32)
    assert [image.size for image in images] == [(32, 32)] * 4
    greys = [image.getpixel((5, 5)) for image in images]
    assert greys == [128, 255, 0, 128]


def test_latents_are_shown_in_sharp_squares():
    latents = torch.tensor([[[3.0, -3.0], [-3.0, 3.0]]])
    [image] = channels_to_images(latents, side=16)
    assert {image.getpixel((x, 3)) for x in range(16)} == {0, 255}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_shares_differ_by_more_than_colour_and_have_names(theme):
    signal = torch.linspace(1, 0, 100)
    figure = plot_shares(signal, 1 - signal, marks=[0, 50], theme=theme)
    [axis] = figure.axes
    assert [text.get_text() for text in axis.texts] == ["picture", "noise"]
    assert {line.get_linestyle() for line in axis.lines} >= {"-", "--"}
    assert axis.get_xlabel() and axis.get_ylabel()
    assert tuple(figure.get_size_inches()) == (5, 3)


def test_each_caption_has_a_marker_and_a_name():
    errors = {name: [1.0, 2.0] for name in ("right", "none", "a", "b")}
    [axis] = plot_errors([100, 900], errors).axes
    assert len({line.get_marker() for line in axis.lines}) == 4
    names = [text.get_text() for text in axis.get_legend().get_texts()]
    assert names == list(errors)
