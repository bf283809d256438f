"""Images of a reader's own: from files, folders, arrays and tensors.

Photos lie on their side, logos are transparent, phones write other colours
than screens show. Whichever door they come in by, they become ordinary RGB
images: upright, in sRGB, on white.
"""

from tutorial_lib.images.concepts import (
    Concept,
    check_size,
    list_files,
    load_concept,
)
from tutorial_lib.images.dreambench import list_prompts, list_subjects
from tutorial_lib.images.inputs import (
    ImageLike,
    Images,
    as_concept,
    as_image,
    as_images,
)
from tutorial_lib.images.normalize import crop_to_square
from tutorial_lib.images.places import SHIPPED, find_folder
from tutorial_lib.images.reading import read_image
from tutorial_lib.images.report import (
    FileEntry,
    FolderReport,
    make_printable,
)

__all__ = [
    "Concept",
    "FileEntry",
    "FolderReport",
    "ImageLike",
    "Images",
    "SHIPPED",
    "as_concept",
    "as_image",
    "as_images",
    "check_size",
    "crop_to_square",
    "find_folder",
    "list_files",
    "list_prompts",
    "list_subjects",
    "load_concept",
    "make_printable",
    "read_image",
]
