"""Reading the file of a learned word, ours or another program's."""

import torch
from safetensors import SafetensorError, safe_open

from tutorial_lib.errors import WordError

MAX_VECTORS = 75  # CLIP reads 77 tokens, two of them start and end


def read_word_file(path):
    """Read the single tensor of a safetensors file.

    Returns its name, the tensor and the metadata. Raises WordError.
    """
    if not path.is_file():
        raise WordError(
            f"There is no learned word at '{path}'; check the name of the "
            "file, or learn the word first."
        )
    if path.suffix in (".pt", ".bin", ".pth", ".ckpt"):
        raise WordError(
            f"'{path}' is a pickle, which could run a stranger's program; "
            "look for a safetensors file of the same word."
        )
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            if len(names) != 1:
                raise WordError(
                    f"'{path}' holds {len(names)} tensors where a learned "
                    "word holds one; give the file of a single word, "
                    "learned for one text encoder."
                )
            vectors = file.get_tensor(names[0])
            return names[0], vectors, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WordError(
            f"'{path}' is cut short or no safetensors file ({error}); copy "
            "it again, or learn the word again."
        ) from None


def check_vectors(vectors, path):
    """Return vectors read from a file as (num_vectors, width) float32.

    Raises WordError if they cannot be a word's.
    """
    if vectors.is_floating_point() and vectors.ndim == 1:
        vectors = vectors[None]  # some programs leave the first axis out
    if (
        not vectors.is_floating_point()
        or vectors.ndim != 2
        or not 1 <= vectors.shape[0] <= MAX_VECTORS
        or vectors.shape[1] == 0
    ):
        shape = " x ".join(str(size) for size in vectors.shape)
        raise WordError(
            f"'{path}' is no learned word: its tensor is {shape} "
            f"{vectors.dtype}, where a word has one row of fractions for "
            "each of its vectors; choose another file."
        )
    if not torch.isfinite(vectors).all():
        raise WordError(
            f"The vectors in '{path}' hold numbers that are not finite, so "
            "its learning went wrong; learn the word again at a lower lr."
        )
    return vectors.float().contiguous()


def read_number(text):
    """Return a whole number out of a file's notes, 0 if there is none."""
    return int(text) if text and text.isdecimal() else 0
