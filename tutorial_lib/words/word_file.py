"""The file of a learned word, ours or another program's.

Ours is safetensors with a single tensor, named after the placeholder token,
so that diffusers and other programs read it as well. What others write is in
`tutorial_lib/words/file_forms.py`.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor

from tutorial_lib.arguments import read_choice, read_path
from tutorial_lib.errors import WordError
from tutorial_lib.files import write_atomically
from tutorial_lib.words.file_forms import (
    FORMS,
    StoredWord,
    encode_word,
    interpret_content,
)
from tutorial_lib.words.torch_files import read_torch_file
from tutorial_lib.words.word_pictures import read_picture

MAX_VECTORS = 75  # CLIP reads 77 tokens, two of them start and end
MAX_WIDTH = 2**14  # of a vector; the widest text encoders have 4,096
MAX_BYTES = 2**26  # of a file: a picture with a word in it has a tenth
SUFFIX = ".safetensors"
MAX_DIGITS = 18  # of a count; Python itself refuses thousands of them
PICKLES = (".pt", ".bin", ".pth", ".ckpt", ".pkl")
PNG_START, ARCHIVE_START = b"\x89PNG\r\n\x1a\n", b"PK\x03\x04"
DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


def complete_name(path: str | Path, form: str) -> Path:
    """Return the path of a file to be written in a form, with its suffix.

    Raises WordError for the suffix of another format.
    """
    path, suffix = read_path(path), FORMS[form].suffix
    if path.suffix.lower() == suffix or not path.name:
        return path
    if path.suffix.lower() in (SUFFIX, *PICKLES):
        is_webui = form == "diffusers" and path.suffix.lower() == ".pt"
        hint = 'say form="a1111" for webui\'s file, or ' if is_webui else ""
        raise WordError(
            f'In the form "{form}" the name of a file ends in {suffix}, and '
            f"'{path}' does not; {hint}call it '{path.with_suffix(suffix)}'."
        )
    return path.with_name(path.name + suffix)


def read_dtype(dtype: Any) -> torch.dtype:
    """Return the number format of a file, given as torch's or by its name.

    Raises ArgumentError for one that is not in DTYPES.
    """
    name = str(dtype) if isinstance(dtype, torch.dtype) else dtype
    if isinstance(name, str):
        name = name.removeprefix("torch.")
    return DTYPES[read_choice(name, "dtype", DTYPES)]


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
    form: str,
    token: str,
    tensors: Sequence[Float[Tensor, "num_vectors _"]],
    metadata: dict[str, str],
    dtype: torch.dtype,
) -> None:
    """Write vectors to a file, a tensor for each text encoder.

    The file is written whole or not at all. Raises WordError if the number
    format cannot hold the vectors.
    """
    tensors = [tensor.detach().to("cpu", dtype) for tensor in tensors]
    if not all(torch.isfinite(tensor).all() for tensor in tensors):
        raise WordError(
            f"'{path}' was not written: the vectors hold numbers too large "
            f"for {dtype}; save them in float32."
        )
    content = encode_word(form, token, tensors, metadata)
    with write_atomically(path) as unfinished:
        unfinished.write_bytes(content)


def read_word_file(path: Path) -> StoredWord:
    """Read the word in a file of any form; nothing in it is run.

    What it is, is seen from how it begins, not from its suffix. Raises
    WordError if the file is missing, broken, too large or of another kind.
    """
    if not os.path.isfile(path):
        raise WordError(
            f"There is no learned word at '{path}'; check the name of the "
            "file, or learn the word first."
        )
    if path.stat().st_size > MAX_BYTES:
        raise WordError(
            f"'{path}' has {path.stat().st_size:,} bytes, far more than a "
            "word, as if it were a whole model; give the word's own file."
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WordError(explain_broken(path, error)) from None
    metadata: dict[str, str] = {}
    if content.startswith(PNG_START):
        stored = read_picture(content, path)
    elif content.startswith(ARCHIVE_START):
        stored = read_torch_file(content, path)
    else:
        check_no_bare_pickle(content, path)
        stored, metadata = read_safetensors(path)
    return interpret_content(stored, metadata, path)


def check_no_bare_pickle(content: bytes, path: Path) -> None:
    """Raise WordError for a pickle that is in no archive of torch's.

    Nothing says how much memory it would take. A safetensors file is told
    from it by the brace after eight bytes.
    """
    if path.suffix.lower() in PICKLES and content[8:9] != b"{":
        raise WordError(
            f"'{path}' is cut short, or a pickle as torch wrote them before "
            "2020, which is not read here; copy it again, or look for a "
            "safetensors file of the same word."
        )


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a safetensors file."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            return tensors, file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WordError(explain_broken(path, error)) from None


def explain_broken(path: Path, error: Exception) -> str:
    """Return the sentence that says that a file cannot be read."""
    return (
        f"'{path}' is cut short or no safetensors file ({error}); copy it "
        "again, or learn the word again."
    )


def check_tensors(
    tensors: Sequence[Tensor], path: Path
) -> list[Float[Tensor, "num_vectors _"]]:
    """Return a file's vectors for each text encoder, in float32.

    Raises WordError if they cannot be a word's, or differ in number.
    """
    tables = [check_vectors(tensor, path) for tensor in tensors]
    counts = [len(table) for table in tables]
    if len(set(counts)) > 1:
        raise WordError(
            f"'{path}' holds {counts[0]} vectors for the first text encoder "
            f"and {counts[1]} for the second, where a word has as many for "
            "each; get the file anew from where it came."
        )
    return tables


def check_vectors(
    tensor: Tensor, path: Path
) -> Float[Tensor, "num_vectors width"]:
    """Return a tensor read from a file as a word's vectors, in float32.

    Raises WordError if it cannot be a word's.
    """
    is_plain = tensor.layout == torch.strided and not tensor.is_nested
    is_plain = is_plain and tensor.device.type == "cpu"
    is_fraction = is_plain and tensor.is_floating_point()
    if is_fraction and tensor.ndim == 1:
        tensor = tensor[None]  # some programs leave the first axis out
    if (
        not is_fraction
        or tensor.ndim != 2
        or not 1 <= tensor.shape[0] <= MAX_VECTORS
        or not 1 <= tensor.shape[1] <= MAX_WIDTH
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
    vectors = tensor.detach().float().contiguous()
    if not torch.isfinite(vectors).all():
        raise WordError(
            f"The vectors in '{path}' hold numbers that are not finite, so "
            "its learning went wrong; learn the word again at a lower lr."
        )
    return vectors


def parse_count(text: str | None) -> int:
    """Return a number in a file's metadata, 0 if there is none."""
    is_count = text and text.isdecimal() and len(text) <= MAX_DIGITS
    return int(text) if text and is_count else 0
