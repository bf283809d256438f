"""A pipeline in one .safetensors file, as fine-tuned models are passed on.

Such a file holds weights and says nearly nothing about them. What it is can
be read from their names and shapes, before anything large is loaded. Source
of the names: the first programs for Stable Diffusion 1, 2 and XL, which
diffusers converts (loaders/single_file_utils.py).
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers import DDPMScheduler
from safetensors import SafetensorError, safe_open
from transformers import CLIPTokenizer

from tutorial_lib.errors import DataError
from tutorial_lib.pipelines import (
    Pipeline,
    list_networks,
    pick_pipeline_class,
)
from tutorial_lib.settings import (
    PROFILES,
    Profile,
    SingleFile,
    find_data,
    name_place,
)

UNET = "model.diffusion_model."
VAE = "first_stage_model."
# What other files are, by the names of their weights; the first that fits.
OTHER_CONTENTS = {
    r"lora": "a LoRA",
    r"control_model\.": "a ControlNet",
    r"(double|joint)_blocks\.": "a model of a later kind, such as FLUX",
    r"^(encoder|decoder|first_stage_model)\.": "a VAE",
    r"^(down_blocks|text_model)\.": "one network of a diffusers folder",
}
# Tensors that name a noise schedule other than Stable Diffusion's.
OTHER_SCHEDULES = {"ztsnr", "edm_mean", "edm_vpred.sigma_max"}


@dataclass(frozen=True)
class FileHeader:
    """The names and shapes of a file's weights, and what it says of itself."""

    shapes: dict[str, list[int]]
    metadata: dict[str, str]

    def has_weights(self, beginning: str) -> bool:
        """Return whether the name of any weight begins like this."""
        return any(name.startswith(beginning) for name in self.shapes)


def load_single_file(profile: Profile, settings: dict[str, Any]) -> Pipeline:
    """Load a pipeline from one .safetensors file, without a network.

    The sizes of its networks are in the folder data/NAME, and the tokenizer
    is CLIP's, as everywhere. `settings` go to diffusers' `from_single_file`.
    Raises DataError for a file with other contents.
    """
    path, form = profile.pipeline, profile.single_file
    if form is None:
        raise DataError(
            f"'{path}' is one file, and \"{profile.name}\" is read from "
            "folders only; name one that diffusers wrote."
        )
    header = read_header(profile)
    check_contents(profile, form, header)
    kind = read_prediction_type(profile, form, header)
    config = find_data() / profile.name
    try:
        pipeline = pick_pipeline_class(profile).from_single_file(
            path,
            config=str(config),
            local_files_only=True,
            scheduler=DDPMScheduler.from_pretrained(
                config / "scheduler", prediction_type=kind
            ),
            **make_tokenizers(form),
            **settings,
        )
        check_weights(pipeline)
    except Exception as error:  # other contents can raise nearly anything
        raise refuse_file(profile, type(error).__name__) from error
    if kind == "v_prediction" and form.velocity_size is not None:
        size = form.velocity_size // pipeline.vae_scale_factor
        pipeline.unet.register_to_config(sample_size=size)
    return pipeline


def read_header(profile: Profile) -> FileHeader:
    """Read the names and shapes of a file's weights, and its metadata.

    Raises DataError for a file that is cut off, or no .safetensors file.
    """
    try:
        with safe_open(profile.pipeline, framework="pt") as file:
            return FileHeader(
                shapes={
                    name: file.get_slice(name).get_shape()
                    for name in file.keys()
                },
                metadata=file.metadata() or {},
            )
    except (OSError, SafetensorError) as error:
        raise refuse_file(profile, type(error).__name__) from error


def refuse_file(profile: Profile, reason: str) -> DataError:
    """Return the error for a file that cannot be read."""
    return DataError(
        f"'{profile.pipeline}' cannot be read as \"{profile.name}\" "
        f"({reason}); copy or download it again, or name another whole model "
        f"in {name_place(profile)}."
    )


def check_contents(
    profile: Profile, form: SingleFile, header: FileHeader
) -> None:
    """Raise DataError unless a file is a whole model of a profile's family.

    The families are told apart by how wide the text is that the U-Net's
    cross-attention reads.
    """
    path, place = profile.pipeline, name_place(profile)
    width = find_text_width(header)
    if width is None:
        raise DataError(
            f"'{path}' is {describe_contents(header)}; name a whole "
            f'"{profile.name}" model in {place}.'
        )
    if width != sum(profile.embedding_widths):
        raise DataError(
            f"'{path}' is no \"{profile.name}\": {name_family(width)} name "
            f"another file in {place}."
        )
    channels = header.shapes.get(f"{UNET}input_blocks.0.0.weight", [0, 4])[1]
    if channels != 4:
        raise DataError(
            f"'{path}' is a model for changing pictures (inpainting, for "
            f"example): its U-Net reads {channels} channels and not 4; name "
            f"one that draws from noise alone in {place}."
        )
    for beginning in (VAE, *form.text_encoders):
        if not header.has_weights(beginning):
            raise DataError(
                f"'{path}' is no whole model: it has no weights "
                f'"{beginning}..."; name one with U-Net, text encoder and VAE '
                f"in {place}."
            )


def find_text_width(header: FileHeader) -> int | None:
    """Return how many numbers a token has for a file's U-Net.

    None for a file without a U-Net that reads text.
    """
    for name, shape in header.shapes.items():
        if name.startswith(UNET) and name.endswith("attn2.to_k.weight"):
            return shape[-1]
    return None


def name_family(width: int) -> str:
    """Say of which family a model is whose texts have this width."""
    for other in PROFILES.values():
        if other.single_file and width == sum(other.embedding_widths):
            return (
                f'it is "{other.name}"; name it in {name_place(other)} and '
                f'say load_models("{other.name}"), or'
            )
    return f"its texts have {width} numbers a token;"


def describe_contents(header: FileHeader) -> str:
    """Say what a file without a whole model holds."""
    for pattern, contents in OTHER_CONTENTS.items():
        if any(re.search(pattern, name) for name in header.shapes):
            return contents
    if 0 < len(header.shapes) <= 2:
        return "a learned word"
    return "no Stable Diffusion"


def read_prediction_type(
    profile: Profile, form: SingleFile, header: FileHeader
) -> str:
    """Return what a file's U-Net predicts, "epsilon" or "v_prediction".

    It stands in the metadata as `modelspec.prediction_type` (Stability AI's
    ModelSpec), is shown by a tensor called `v_pred`, or stands in a .yaml file
    of the same name, as webui asks for it. Without any of these it is
    noise, in families that have nothing else. Raises DataError where that
    cannot be said, and for models with a noise schedule of their own.
    """
    path, place = Path(profile.pipeline), name_place(profile)
    if OTHER_SCHEDULES & set(header.shapes):
        raise DataError(
            f"'{path}' has a noise schedule of its own, which one file does "
            f"not describe; name a folder that diffusers wrote in {place}."
        )
    said = header.metadata.get("modelspec.prediction_type", "").lower()
    if "v_pred" in header.shapes or said.startswith("v"):
        return "v_prediction"
    yaml = path.with_suffix(".yaml")
    if not said and yaml.is_file():
        text = yaml.read_text(encoding="utf-8", errors="replace")
        is_velocity = re.search(r"parameterization:\s*[\"']?v\b", text)
        return "v_prediction" if is_velocity else "epsilon"
    if said or form.velocity_size is None:
        return "epsilon"
    raise DataError(
        f"'{path}' does not say whether it predicts noise or velocities; put "
        f"'{yaml.name}' beside it, with the line `parameterization: v` for "
        "velocities or `parameterization: eps` for noise, or name a folder "
        f"that diffusers wrote in {place}."
    )


def make_tokenizers(form: SingleFile) -> dict[str, CLIPTokenizer]:
    """Make the tokenizers of a pipeline, by their names in diffusers."""
    folder = find_data() / "tiny" / "stable-diffusion" / "tokenizer"
    names = ("tokenizer", "tokenizer_2")
    return {
        name: CLIPTokenizer.from_pretrained(
            folder, model_max_length=77, pad_token=pad_token
        )
        for name, pad_token in zip(names, form.pad_tokens, strict=False)
    }


def check_weights(pipeline: Pipeline) -> None:
    """Raise ValueError if a pipeline's file had no numbers for a weight."""
    for network in list_networks(pipeline):
        for name, weight in network.named_parameters():
            if weight.is_meta:
                raise ValueError(f"{name} is missing")
