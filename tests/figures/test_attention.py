"""Heat maps over pictures: each row named, each scale written."""

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from tutorial_lib.errors import ImageError
from tutorial_lib.figures import plot_attention

IMAGES = [Image.new("RGB", (32, 32), color) for color in ("red", "blue")]
MAPS = {
    "X": torch.linspace(0.02, 0.25, 2 * 64).view(2, 8, 8),
    "<padding>": np.full((2, 8, 8), 0.5),
}
COLUMNS = ["step 1", "step 20"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_token_has_a_row_with_its_name_and_scale(theme):
    figure = plot_attention(IMAGES, MAPS, COLUMNS, theme)
    axes = np.array(figure.axes).reshape(3, 3)
    rows = [axis.get_ylabel() for axis in axes[:, 0]]
    assert rows == ["picture", "X", "<padding>"]
    assert [axis.get_title() for axis in axes[0, :2]] == COLUMNS
    scale = [text.get_text() for text in axes[1, 2].get_yticklabels()]
    assert scale == ["2.0%", "25.0%"]


def test_a_map_lies_over_its_own_picture_from_edge_to_edge():
    figure = plot_attention(IMAGES, MAPS, COLUMNS)
    axes = np.array(figure.axes).reshape(3, 3)
    for i, axis in enumerate(axes[1, :2]):
        picture, heat = axis.images
        grey = np.asarray(IMAGES[i].convert("L"))
        assert np.array_equal(picture.get_array(), grey)
        assert np.allclose(heat.get_array(), MAPS["X"][i])
        assert list(heat.get_extent()) == [0, 32, 32, 0]
        assert heat.get_clim() == pytest.approx((0.02, 0.25))


def test_the_pictures_stand_below_each_other():
    figure = plot_attention(IMAGES, MAPS, COLUMNS)
    figure.draw(FigureCanvasAgg(figure).get_renderer())
    axes = np.array(figure.axes).reshape(3, 3)
    for column in axes[:, :2].T:
        left = [axis.get_position().x0 for axis in column]
        assert left == pytest.approx([left[0]] * 3, abs=1e-3)


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ImageError, match="1 pictures, 2 titles and 2 maps"):
        plot_attention(IMAGES[:1], MAPS, COLUMNS)
