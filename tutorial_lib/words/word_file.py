"""The file of a learned word, ours or another program's.

It is safetensors with a single tensor, named after the placeholder token, so
that diffusers and other programs read it as well.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from tutorial_lib.arguments import read_path
from tutorial_lib.errors import WordError
from tutorial_lib.files import write_atomically

MAX_VECTORS = 75  # CLIP reads 77 tokens, two of them start and end
SUFFIX = ".safetensors"
MAX_DIGITS = 18  # of a count; Python itself refuses thousands of them
PICKLES = (".pt", ".bin", ".pth", ".ckpt", ".pkl")


def complete_name(path: str | Path) -> Path:
    """Return the path of a file to be written, with its suffix.

    Raises WordError for the suffix of another format.
    """
    path = read_path(path)
    if path.suffix.lower() in PICKLES:
        raise WordError(
            f"A word is saved as safetensors, and '{path}' would look like a "
            f"pickle; call it '{path.with_suffix(SUFFIX)}'."
        )
    if path.suffix.lower() != SUFFIX and path.name:
        path = path.with_name(path.name + SUFFIX)
    return path


def find_word_file(path: str | Path) -> Path:
    """Return the path of a word's file, whose suffix may have been left out.

    Raises WordError for a folder.
    """
    path = read_path(path)
    if os.path.isfile(path) or not path.name:
        return path
    with_suffix = path.with_name(path.name + SUFFIX)
    if os.path.isfile(with_suffix):
        return with_suffix
    if os.path.isdir(path):
        raise WordError(f"'{path}' is a folder; name a word's file in it.")
    return path


def read_vectors(
    vectors: Any, word: str
) -> Float[Tensor, "num_vectors width"]:
    """Return the vectors of a word, which may be an array, as a tensor.

    One row may be given without its first axis. Raises WordError for
    anything else.
    """
    if not isinstance(vectors, Tensor):
        try:
            vectors = torch.as_tensor(np.asarray(vectors, dtype=np.float32))
        except Exception:  # strangers' classes can raise nearly anything
            vectors = torch.empty(0)
    if vectors.ndim == 1 and len(vectors):
        vectors = vectors[None]
    is_table = vectors.ndim == 2 and min(vectors.shape) > 0
    is_fraction = vectors.is_floating_point() and vectors.element_size() > 1
    if not is_table or not is_fraction or not torch.isfinite(vectors).all():
        raise WordError(
            f'The vectors of "{word}" must be a table of finite fractions, '
            "one row for each vector; give a tensor, as torch.zeros(1, 192)."
        )
    return vectors


def write_word_file(
    path: Path,
    token: str,
    vectors: Float[Tensor, "num_vectors width"],
    metadata: dict[str, str],
) -> None:
    """Write vectors to a safetensors file as one float32 tensor.

    The file is written whole or not at all.
    """
    vectors = vectors.detach().to("cpu", torch.float32)
    content = save({token: vectors.clone().contiguous()}, metadata=metadata)
    with write_atomically(path) as unfinished:
        unfinished.write_bytes(content)


def read_word_file(path: Path) -> tuple[str, Tensor, dict[str, str]]:
    """Read the single tensor of a safetensors file.

    Returns its name, the tensor and the metadata. Raises WordError if the
    file is missing, broken or of another kind.
    """
    if not os.path.isfile(path):
        raise WordError(
            f"There is no learned word at '{path}'; check the name of the "
            "file, or learn the word first."
        )
    if path.suffix.lower() in PICKLES:
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
            tensor = file.get_tensor(names[0])
            return names[0], tensor, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WordError(
            f"'{path}' is cut short or no safetensors file ({error}); copy "
            "it again, or learn the word again."
        ) from None


def check_vectors(
    tensor: Tensor, path: Path
) -> Float[Tensor, "num_vectors width"]:
    """Return a tensor read from a file as a word's vectors, in float32.

    Raises WordError if it cannot be a word's.
    """
    if tensor.is_floating_point() and tensor.ndim == 1:
        tensor = tensor[None]  # some programs leave the first axis out
    if (
        not tensor.is_floating_point()
        or tensor.ndim != 2
        or not 1 <= tensor.shape[0] <= MAX_VECTORS
        or tensor.shape[1] == 0
    ):
        shape = " x ".join(str(size) for size in tensor.shape)
        raise WordError(
            f"'{path}' is no learned word: its tensor is {shape} "
            f"{tensor.dtype}, where a word has one row of fractions for "
            "each of its vectors; choose another file."
        )
    if tensor.element_size() == 1:
        raise WordError(
            f"The vectors in '{path}' are {tensor.dtype}, too coarse for a "
            "word; look for the same word in float16 or float32."
        )
    if not torch.isfinite(tensor).all():
        raise WordError(
            f"The vectors in '{path}' hold numbers that are not finite, so "
            "its learning went wrong; learn the word again at a lower lr."
        )
    return tensor.float().contiguous()


def parse_count(text: str | None) -> int:
    """Return a number in a file's metadata, 0 if there is none."""
    is_count = text and text.isdecimal() and len(text) <= MAX_DIGITS
    return int(text) if text and is_count else 0
