"""Images, and a reader's folder of them, for the tests."""

import numpy as np
from PIL import Image

from tutorial_lib.images import load_concept


def make_image(width=80, height=80, mode="RGB"):
    """Make an image: red on the left, green right, blue at the lower left."""
    values = np.zeros((height, width, 3), np.uint8)
    values[:, : width // 2, 0] = 255
    values[:, width // 2 :, 1] = 255
    values[height // 2 :, : width // 2] = (0, 0, 255)
    return Image.fromarray(values).convert(mode)


def pixel(image, x, y):
    """Return the colour at a place given as fractions of the size."""
    return image.getpixel((int(x * image.width), int(y * image.height)))


def notes_on(folder, file, **options):
    """Load a folder and return what the report says about one file."""
    report = load_concept(folder, **options).report
    return " ".join(
        *[entry.notes for entry in report.entries if entry.file == file]
    )


def make_folder(place):
    """Make a folder of the reader's that holds one good picture."""
    folder = place / "my pictures"
    folder.mkdir()
    make_image().save(folder / "good.png")
    return folder
