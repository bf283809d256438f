"""The layouts in which programs keep a learned word.

They differ in the names of the tensors, and in what else lies beside them.
Each was read in its program's own source, which is named below by repository
and path.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors.torch import save
from torch import Tensor

from tutorial_lib.arguments import describe, read_choice
from tutorial_lib.errors import WordError
from tutorial_lib.words.torch_files import StoredParameters

MAX_LISTED = 4  # names of tensors that an error quotes


@dataclass(frozen=True)
class FileForm:
    """A layout of a word's file, and who reads it.

    `keys` are the names of its tensors, one for each text encoder; None
    stands for the word's placeholder token. `use` says where
    the file goes, or how the word is called there.
    """

    suffix: str
    keys: tuple[str | None, ...]
    programs: str
    use: str


# By name; the first is the tutorial's own.
FORMS = {
    # huggingface/diffusers, src/diffusers/loaders/textual_inversion.py and
    # examples/textual_inversion/textual_inversion.py (save_progress).
    "diffusers": FileForm(
        suffix=".safetensors",
        keys=(None,),
        programs="diffusers, AUTOMATIC1111, Forge, ComfyUI",
        use="diffusers calls it by its token, the others by the file's name.",
    ),
    # AUTOMATIC1111/stable-diffusion-webui,
    # modules/textual_inversion/textual_inversion.py (Embedding.save).
    "a1111": FileForm(
        suffix=".pt",
        keys=("*",),
        programs="AUTOMATIC1111, Forge, ComfyUI, InvokeAI",
        use="It goes into embeddings/, and the file's name is the word.",
    ),
    # kohya-ss/sd-scripts, train_textual_inversion.py (save_weights);
    # invoke-ai/InvokeAI, invokeai/backend/textual_inversion.py. InvokeAI
    # does not know the form "diffusers": it takes the first size of that
    # tensor for the width (backend/model_manager/configs there).
    "kohya": FileForm(
        suffix=".safetensors",
        keys=("emb_params",),
        programs="kohya's sd-scripts, InvokeAI",
        use="InvokeAI imports it; sd-scripts goes on from it (--weights).",
    ),
    # Nerogar/OneTrainer, modules/modelSaver/stableDiffusion/
    # StableDiffusionEmbeddingSaver.py. The key is spelled so there.
    "onetrainer": FileForm(
        suffix=".safetensors",
        keys=("emp_params",),
        programs="OneTrainer",
        use="It is the base embedding of a training there.",
    ),
    # kohya-ss/sd-scripts, sdxl_train_textual_inversion.py; the same keys in
    # OneTrainer, webui (create_embedding_from_data), InvokeAI and ComfyUI
    # (comfy/sd1_clip.py, load_embed).
    "sdxl": FileForm(
        suffix=".safetensors",
        keys=("clip_l", "clip_g"),
        programs="all of these, with SDXL",
        use="It goes where the word of a single text encoder goes.",
    ),
}
TWO_ENCODERS = FORMS["sdxl"].keys
NAMELESS = ("emb_params", "emp_params", *TWO_ENCODERS)  # keys, not words


@dataclass(frozen=True)
class StoredWord:
    """What a file holds: a name, a tensor for each text encoder, notes.

    The name is empty if the file has none but its own.
    """

    name: str
    tensors: tuple[Tensor, ...]
    metadata: dict[str, str] = field(default_factory=dict)


# --- writing ---------------------------------------------------------------


def pick_form(form: str | None, num_encoders: int, word: str) -> str:
    """Return the name of a form, by default the usual one for the word.

    Raises WordError if it has room for more or fewer text encoders.
    """
    usual = "diffusers" if num_encoders == 1 else "sdxl"
    form = usual if form is None else read_choice(form, "form", FORMS)
    if len(FORMS[form].keys) != num_encoders:
        counts = {1: "one text encoder", 2: "two text encoders, as SDXL has"}
        raise WordError(
            f'The word "{word}" has vectors for {counts[num_encoders]}, and '
            f'the form "{form}" is for {counts[len(FORMS[form].keys)]}; say '
            f'form="{usual}".'
        )
    return form


def encode_word(
    form: str,
    token: str,
    tensors: Sequence[Float[Tensor, "num_vectors _"]],
    metadata: dict[str, str],
) -> bytes:
    """Return the content of a word's file.

    webui's form has no place for all of the metadata; the rest is left out.
    """
    tensors = [tensor.clone().contiguous() for tensor in tensors]
    if form == "a1111":
        return encode_for_webui(tensors[0], metadata)
    keys = [token if key is None else key for key in FORMS[form].keys]
    return save(dict(zip(keys, tensors, strict=True)), metadata=metadata)


def encode_for_webui(
    vectors: Float[Tensor, "num_vectors width"], metadata: dict[str, str]
) -> bytes:
    """Return a pickle as webui's Embedding.save writes it.

    265 is the token id of "*", the name that the file's only word has inside.
    """
    steps = metadata["steps"]
    content = {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": vectors},
        "name": metadata["word"],
        "step": int(steps) if steps.isdecimal() else None,
        "sd_checkpoint": None,
        "sd_checkpoint_name": metadata["base_model"] or None,
    }
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


# --- reading ---------------------------------------------------------------


def interpret_content(
    content: Any, metadata: dict[str, str], path: Path
) -> StoredWord:
    """Return the word in what was read from a file of any form.

    Raises WordError if there is none, or more than one.
    """
    if not isinstance(content, dict):
        raise WordError(explain_no_word(path))
    if "string_to_param" in content:
        return interpret_webui(content, path)
    if not all(isinstance(value, Tensor) for value in content.values()):
        raise WordError(explain_no_word(path))
    keys = [str(key) for key in content]
    if any(key.endswith("_out") and key[:-4] in NAMELESS for key in keys):
        raise WordError(
            f"'{path}' holds an output embedding of OneTrainer's, which "
            "comes behind the text encoder and is no word in a prompt; "
            "train it there without that option."
        )
    if set(keys) == set(TWO_ENCODERS):
        tensors = tuple(content[key] for key in TWO_ENCODERS)
        return StoredWord("", tensors, metadata)
    check_is_one(keys, path)
    name = "" if keys[0] in NAMELESS else keys[0]
    return StoredWord(name, tuple(content.values()), metadata)


def interpret_webui(content: dict[str, Any], path: Path) -> StoredWord:
    """Return the word in a file or picture of webui's.

    In the first such files (rinongal/textual_inversion,
    ldm/modules/embedding_manager.py, save) the vectors lie in a
    ParameterDict, and the word has no name but its key.
    """
    parameters = content["string_to_param"]
    if isinstance(parameters, StoredParameters):
        parameters = parameters.tensors
    if not isinstance(parameters, dict):
        raise WordError(explain_no_word(path))
    check_is_one([str(key) for key in parameters], path)
    ((key, tensor),) = parameters.items()
    if not isinstance(tensor, Tensor):
        raise WordError(explain_no_word(path))
    names = [content.get("name"), None if key == "*" else key]
    texts = [name for name in names if name and isinstance(name, str)]
    metadata = {}
    for field_name, key in NOTES_OF_WEBUI.items():
        note = content.get(key)
        if isinstance(note, str) or (type(note) is int and note < 2**53):
            metadata[field_name] = str(note)
    return StoredWord(texts[0] if texts else "", (tensor,), metadata)


NOTES_OF_WEBUI = {"steps": "step", "base_model": "sd_checkpoint_name"}


def check_is_one(keys: list[str], path: Path) -> None:
    """Raise WordError unless there is just one tensor."""
    if len(keys) == 1:
        return
    listed = ", ".join(describe(key) for key in keys[:MAX_LISTED])
    if len(keys) > MAX_LISTED:
        listed += ", ..."
    raise WordError(
        f"'{path}' holds {len(keys)} tensors{f' ({listed})' if keys else ''} "
        "where a learned word holds one, or clip_l and clip_g; give the file "
        "of a single word."
    )


def explain_no_word(path: Path) -> str:
    """Return the sentence that says that a file is something else."""
    return (
        f"'{path}' is no learned word of a form that is known here; choose "
        "another file, or a safetensors file of the same word."
    )
