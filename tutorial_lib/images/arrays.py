"""Arrays and tensors of pixels, as other libraries hold them, as images."""

import sys
from typing import Any

import numpy as np
from jaxtyping import Num, UInt8
from PIL import Image

from tutorial_lib.errors import ImageError

CHANNELS = (1, 2, 3, 4)  # grey, grey and alpha, RGB, RGB and alpha
ROUNDING = 0.01  # how far a resampling may leave the range from 0 to 1
BATCH_DIMENSIONS = 4


def is_tensor(value: object) -> bool:
    """Return whether a value is a tensor of torch, which is not imported."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def tensor_to_array(tensor: Any) -> Num[np.ndarray, "..."]:
    """Return a tensor as an array; bfloat16, which numpy lacks, as float32."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if tensor.is_floating_point() else tensor).numpy()


def array_to_images(
    values: Num[np.ndarray, "..."], channels_first: bool = False
) -> list[Image.Image]:
    """Return an array of pixels as images, one unless it is a batch.

    Its shape is (height, width) for grey, (height, width, channels) or
    (channels, height, width), and for a batch one more in front. Where both
    could be meant, `channels_first` decides, as it does for tensors. Its
    numbers are 0 to 255, 0 to 1 if they are floats, 0 to 65535 if they are
    uint16. Raises ImageError for anything else, with what is wrong.
    """
    if 0 in values.shape:
        raise ImageError("it has no pixels; give another image")
    batch = scale_to_bytes(values)
    if batch.ndim == 2:
        batch = batch[..., None]
    if batch.ndim == BATCH_DIMENSIONS - 1:
        batch = batch[None]
    if batch.ndim != BATCH_DIMENSIONS:
        raise ImageError(describe_shape(values.shape))
    is_first, is_last = (batch.shape[i] in CHANNELS for i in (1, 3))
    if not is_first and not is_last:
        raise ImageError(describe_shape(values.shape))
    if is_first and (channels_first or not is_last):
        batch = np.moveaxis(batch, 1, 3)
    return [pixels_to_image(pixels) for pixels in batch]


def describe_shape(shape: tuple[int, ...]) -> str:
    """Return what is wrong with the shape of an array, and the remedy."""
    sizes = "x".join(map(str, shape)) or "that of one number"
    return (
        f"the shape {sizes} is none of an image; give height x width, or "
        "with 3 channels in front or at the end"
    )


def pixels_to_image(
    pixels: UInt8[np.ndarray, "height width channels"],
) -> Image.Image:
    """Return the image of an array of bytes; two channels are grey, alpha."""
    if pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    return Image.fromarray(np.ascontiguousarray(pixels))


def scale_to_bytes(values: Num[np.ndarray, "..."]) -> UInt8[np.ndarray, "..."]:
    """Return numbers from 0 to 255, or floats from 0 to 1, as bytes.

    Raises ImageError for numbers of another range.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "biuf":
        raise ImageError(
            f"pixels cannot be of type {values.dtype}; give numbers from 0 "
            "to 255"
        )
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError("some of its pixels are no finite numbers")
    low, high = float(values.min()), float(values.max())
    white = find_white(values.dtype, low, high)
    scaled = values.astype(np.float64).clip(0, white) * (255 / white)
    return scaled.round().astype(np.uint8)


def find_white(dtype: np.dtype[Any], low: float, high: float) -> int:
    """Return which number stands for white, by the type and the range.

    Raises ImageError if that cannot be told.
    """
    is_float = dtype.kind == "f"
    if is_float and -ROUNDING <= low and high <= 1 + ROUNDING:
        return 1
    if dtype.kind == "u" and dtype.itemsize == 2:
        return 65535
    if low >= 0 and high <= 255 and not (is_float and high < 2):
        return 255
    raise ImageError(
        f"its pixels are from {low:.4g} to {high:.4g}; give whole numbers "
        "from 0 to 255 or floats from 0 to 1"
    )
