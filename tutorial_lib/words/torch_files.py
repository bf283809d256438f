"""Files that torch.save wrote, read without running what they ask for.

They are pickles in an archive, and a pickle can name any function to be
called. torch's own restricted reader builds tensors, dicts and the like, and
refuses all else.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.serialization import (
    get_unsafe_globals_in_checkpoint,
    safe_globals,
)

from tutorial_lib.arguments import describe
from tutorial_lib.errors import WordError

PARAMETER_DICT = "torch.nn.modules.container.ParameterDict"


class StoredParameters:
    """Stands in for a ParameterDict in a file: its tensors, no methods."""

    tensors: dict[str, Tensor]

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Keep what a ParameterDict's state says of its tensors."""
        self.tensors = dict(state["_parameters"])


def read_torch_file(content: bytes, path: Path) -> Any:
    """Return what torch.save wrote to a file; nothing in it is run.

    `content` are its bytes, `path` its name for errors. Raises WordError if
    it is broken, packed, or asks for more than tensors.
    """
    check_not_packed(content, path)
    try:
        with safe_globals([(StoredParameters, PARAMETER_DICT)]):
            return torch.load(
                io.BytesIO(content), map_location="cpu", weights_only=True
            )
    except Exception as error:  # a broken file can raise nearly anything
        wanted = list_unsafe_names(content)
        if wanted:
            raise WordError(
                f"'{path}' asks for {wanted}, which could run a stranger's "
                "program, so it was not read; look for a safetensors file "
                "of the same word."
            ) from None
        raise WordError(explain_broken(path, error)) from None


def check_not_packed(content: bytes, path: Path) -> None:
    """Raise WordError if an archive could unpack to more than it weighs.

    torch.save packs nothing, but torch.load would unpack.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
    except Exception as error:  # a broken file can raise nearly anything
        raise WordError(explain_broken(path, error)) from None
    size = sum(entry.file_size for entry in entries)
    is_packed = any(entry.compress_type for entry in entries)
    if is_packed or size > len(content):
        raise WordError(
            f"'{path}' is packed and would grow to {size:,} bytes, as no "
            "program writes a word; get it anew from where it came."
        )


def list_unsafe_names(content: bytes) -> str:
    """Return what a pickle asks for beyond tensors, "" for nothing."""
    try:
        names = get_unsafe_globals_in_checkpoint(io.BytesIO(content))
    except Exception:  # a broken file can raise nearly anything
        return ""
    names = sorted(set(names) - {PARAMETER_DICT})
    return describe(", ".join(names)).strip('"') if names else ""


def explain_broken(path: Path, error: Exception) -> str:
    """Return the sentence that says that a file of torch's is broken."""
    return (
        f"'{path}' is cut short or no file that torch wrote "
        f"({type(error).__name__}); copy it again, or look for a safetensors "
        "file of the same word."
    )
