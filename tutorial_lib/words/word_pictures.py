"""Pictures that carry a learned word, as webui's training saved them.

The word is JSON, so that reading it runs nothing: in a text of the PNG file,
and once more in two strips of pixels beside the picture. Both are written by
AUTOMATIC1111/stable-diffusion-webui,
modules/textual_inversion/image_embedding.py.
"""

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image

from tutorial_lib.errors import WordError

TEXT = "sd-ti-embedding"  # the name of the PNG file's text
TENSOR = "TORCHTENSOR"  # marks a list of numbers that was a tensor
MAX_PIXELS = 2**25  # of a picture that is unpacked, 100 MB
MAX_JSON = 2**23  # bytes; 75 vectors for two text encoders take a third
MULTIPLIER, INCREMENT = 1664525, 1013904223  # of webui's noise generator

Pixels = UInt8[np.ndarray, "height width 3"]


def read_picture(content: bytes, path: Path) -> Any:
    """Return the JSON that a PNG file carries, its tensors restored.

    `content` are its bytes, `path` its name for errors. Raises WordError if
    it is broken, too large, or carries no word.
    """
    try:
        image: Any = Image.open(io.BytesIO(content), formats=["PNG"])
        is_too_large = image.width * image.height > MAX_PIXELS
        text = "" if is_too_large else image.text.get(TEXT)
    except Image.DecompressionBombError:
        is_too_large = True
    except Exception as error:  # a broken file can raise nearly anything
        raise WordError(
            f"'{path}' is cut short or no PNG picture "
            f"({type(error).__name__}); copy it again."
        ) from None
    if is_too_large:
        raise WordError(
            f"'{path}' has more than {MAX_PIXELS:,} pixels, too many for a "
            "picture that carries a word; give the word's own file."
        )
    try:
        packed = base64.b64decode(text) if text else unpack_strips(image)
        if len(packed) > MAX_JSON:
            raise ValueError("a word is shorter")
        return json.loads(packed, object_hook=restore_tensor)
    except Exception:  # a stranger's text can raise nearly anything
        raise WordError(
            f"'{path}' carries no word that can be read; give a picture as "
            "webui's training saved it, unchanged, or the word's own file."
        ) from None


def restore_tensor(entry: dict[str, Any]) -> Any:
    """Return the tensor that an entry of the JSON stands for, else itself."""
    if TENSOR not in entry:
        return entry
    return torch.from_numpy(np.array(entry[TENSOR], dtype=np.float64))


def unpack_strips(image: Image.Image) -> bytes:
    """Return the JSON in the strips of pixels left and right of a picture.

    A byte's lower half is in the left strip, its upper half in the right
    one, in the lower halves of the pixels' bytes. A column of black parts
    each strip from the picture. Raises ValueError if there are none.
    """
    pixels = crop_black(np.asarray(image.convert("RGB"))) & 0x0F
    black = np.flatnonzero(pixels.max(axis=(0, 2)) == 0)
    if len(black) < 2:
        raise ValueError("no strips")
    low = remove_noise(pixels[:, : black[0]])
    high = remove_noise(pixels[:, black[-1] + 1 :])
    unpacker = zlib.decompressobj()
    packed = ((high << 4) | low).tobytes()
    return unpacker.decompress(packed, MAX_JSON + 1)


def crop_black(pixels: Pixels) -> Pixels:
    """Return the pixels within a frame of black.

    Raises ValueError if nothing is left.
    """
    darkest = pixels.min(axis=2)  # of red, green and blue
    rows = np.flatnonzero(darkest.max(axis=1))
    columns = np.flatnonzero(darkest.max(axis=0))
    if not len(rows):
        raise ValueError("all black")
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def remove_noise(pixels: Pixels) -> Pixels:
    """Return pixels without the noise that webui laid over their bits."""
    noise = make_noise_bytes(pixels.size) & 0x0F
    return pixels ^ noise.reshape(pixels.shape)


def make_noise_bytes(count: int) -> UInt8[np.ndarray, " count"]:
    """Return the first bytes of webui's noise, always the same.

    It is a linear congruential generator modulo 2**32 from 0 on. From the
    first n states the next n follow at once: each is n steps further.
    """
    multiplier, increment = MULTIPLIER, INCREMENT
    states = np.array([increment], np.uint32)
    while len(states) < count:
        steps = np.uint32(multiplier), np.uint32(increment)
        states = np.concatenate([states, states * steps[0] + steps[1]])
        increment = increment * (multiplier + 1) % 2**32
        multiplier = multiplier**2 % 2**32
    return (states[:count] % 255).astype(np.uint8)
