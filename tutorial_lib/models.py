"""Loading the models: CLIP and Stable Diffusion, frozen.

The tiny ones are files of this repository. All others come from a hub or
from the reader's own folder; each profile says their licence.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import diffusers
import open_clip
import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.checkpoint import checkpoint
from transformers.utils import logging as transformers_logging

from tutorial_lib.arguments import describe
from tutorial_lib.devices import (
    choose_dtype,
    keep_vae_in_range,
    read_device,
)
from tutorial_lib.errors import ArgumentError, DataError
from tutorial_lib.hub import INDEX, fetch_clip, fetch_pipeline, get_variant
from tutorial_lib.pipelines import (
    Pipeline,
    let_unet_read_pooled_text,
    list_networks,
    list_text_encoders,
    pick_pipeline_class,
)
from tutorial_lib.settings import (
    PROFILES,
    Profile,
    find_data,
    name_place,
    pick_profile,
)
from tutorial_lib.single_files import load_single_file

SMALL_IMAGE = 128  # pixels on each side


@dataclass
class Models:
    """The frozen models of one profile, on one device.

    `pipeline` is a diffusers pipeline, `clip` the open_clip model whose
    text encoder it uses, `preprocess` turns an image into CLIP's input.
    """

    profile: Profile
    device: str
    pipeline: Pipeline
    clip: open_clip.CLIP
    preprocess: Callable[[Image.Image], Tensor]
    clip_tokenizer: open_clip.SimpleTokenizer


def load_models(
    name: str | Profile | None = None, device: str | None = None
) -> Models:
    """Load CLIP and Stable Diffusion, frozen and ready for use.

    `name` is a profile's ("tiny", "sd15", "sd2", "sdxl") or a Profile; without
    it the environment variable TUTORIAL_MODEL decides. TUTORIAL_SD15 names a
    folder or file of your own for "sd15", and so on (`place_models`); else
    these come from the hub, once. `device` is "cpu",
    "cuda" or "mps" (`choose_device`). CLIP is float32 everywhere, the
    pipeline as `choose_dtype` says. Raises TutorialError for an unknown name,
    ArgumentError for a device that is not there, DataError for files that
    are not, or are of another kind, FetchError for what the hub does not
    give. Taught in notebooks/01_clip_similarity.ipynb.
    """
    profile = name if isinstance(name, Profile) else pick_profile(name)
    device = read_device(device)
    check_files(profile)
    pipeline = load_pipeline(profile, device=device)
    clip_weights = fetch_clip(profile)
    clip, _, preprocess = open_clip.create_model_and_transforms(
        profile.clip_model,
        pretrained=str(clip_weights or "") or profile.clip_pretrained,
        device=device,
    )
    clip_tokenizer = open_clip.get_tokenizer(profile.clip_model)
    pool_at_end_of_text(clip, clip_tokenizer)
    for part in (clip, *list_networks(pipeline)):
        part.eval().requires_grad_(False)
    return Models(
        profile=take_size(profile, pipeline),
        device=device,
        pipeline=pipeline,
        clip=clip,
        preprocess=preprocess,
        clip_tokenizer=clip_tokenizer,
    )


def check_models(models: object) -> None:
    """Raise ArgumentError for anything that `load_models` did not return."""
    if not isinstance(models, Models):
        raise ArgumentError(
            f"`models` cannot be {describe(models)}; give what "
            "`load_models()` returns."
        )


def load_pipeline(profile: Profile, device: str) -> Pipeline:
    """Load a profile's diffusers pipeline onto a device, quietly.

    What is fetched from the hub is announced, with bars. Raises FetchError if
    it cannot be had, DataError for a file or folder of the reader's that is
    of another kind.
    """
    place = fetch_pipeline(profile) if profile.revision else profile.pipeline
    # diffusers called the argument `torch_dtype` before version 0.40.
    major, minor = diffusers.__version__.split(".")[:2]
    is_new = (int(major), int(minor)) >= (0, 40)
    name = "dtype" if is_new else "torch_dtype"
    settings = {name: choose_dtype(device)}
    with quiet_libraries():
        if Path(profile.pipeline).is_file():
            pipeline = load_single_file(profile, settings)
        else:
            pipeline = pick_pipeline_class(profile).from_pretrained(
                place,
                local_files_only=True,
                variant=get_variant(profile),
                **settings,
            )
    encoders = list_text_encoders(pipeline)
    widths = [encoder.config.hidden_size for encoder in encoders]
    if widths != list(profile.embedding_widths):
        theirs = " and ".join(map(str, widths))
        ours = " and ".join(map(str, profile.embedding_widths))
        raise DataError(
            f"'{profile.pipeline}' is no \"{profile.name}\": its words have "
            f"{theirs} numbers and not {ours}; name other models in "
            f"{name_place(profile)}."
        )
    if len(encoders) > 1:
        let_unet_read_pooled_text(pipeline)
    pipeline.set_progress_bar_config(disable=True)
    keep_vae_in_range(pipeline.vae)
    return pipeline.to(device)


def take_size(profile: Profile, pipeline: StableDiffusionPipeline) -> Profile:
    """Return a profile with the size of image that a pipeline was made for.

    One of the reader's may differ from the hub's in that: Stable Diffusion
    2.1 is there for 512 pixels and for 768.
    """
    if profile.hub is None:
        return profile
    size = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
    return replace(profile, size=size)


def use_short_attention(
    models: Models,
) -> contextlib.AbstractContextManager:
    """Return a context in which a CPU computes attention step by step.

    For images as small as the tiny models' the fused kernel's backward
    pass makes a learning step a quarter slower. Larger images need that
    kernel: step by step, their attention would fill the memory.
    """
    on_cpu = torch.device(models.device).type == "cpu"
    if on_cpu and models.profile.size <= SMALL_IMAGE:
        return sdpa_kernel([SDPBackend.MATH])
    return contextlib.nullcontext()


@contextlib.contextmanager
def use_gradient_checkpointing(models: Models, is_on: bool) -> Iterator[None]:
    """Let the U-Net's blocks be computed again in the backward pass.

    Within the `with` block its forward pass keeps little more than what goes
    into each block. Nothing in it is random, so the gradient is the same.
    """
    if not is_on:
        yield
        return

    def compute_twice(block: Callable, *args: Any) -> Any:
        """Compute a block now, and again, as now, in the backward pass."""
        return checkpoint(
            block,
            *args,
            use_reentrant=False,
            preserve_rng_state=False,
            context_fn=lambda: (
                contextlib.nullcontext(),
                use_short_attention(models),
            ),
        )

    unet = models.pipeline.unet
    unet.enable_gradient_checkpointing(compute_twice)
    try:
        yield
    finally:
        unet.disable_gradient_checkpointing()


def pool_at_end_of_text(
    clip: open_clip.CLIP, clip_tokenizer: open_clip.SimpleTokenizer
) -> None:
    """Let CLIP read its text vector at the end-of-text token.

    open_clip's default is the largest id, which a learned word has.
    """
    clip.text_pool_type = "eos"
    clip.text_eos_id = clip_tokenizer.eot_token_id


def check_files(profile: Profile) -> None:
    """Raise DataError if a profile's own files are not there."""
    if profile.revision is None:
        check_place(profile)
    if profile.clip_model.startswith("local-dir:"):
        folder = Path(profile.clip_model.removeprefix("local-dir:"))
        check_file(profile, folder, "open_clip_config.json")


def check_place(profile: Profile) -> None:
    """Raise DataError unless a pipeline can lie where a profile says."""
    path = Path(profile.pipeline)
    if not path.is_file():
        check_file(profile, path, INDEX)
        check_family(profile, path)
    elif path.suffix != ".safetensors":
        raise DataError(
            f"'{path}' is no .safetensors file, and other files may run code "
            f"when they are read; name one, or a folder that diffusers wrote, "
            f"in {name_place(profile)}."
        )


def check_family(profile: Profile, folder: Path) -> None:
    """Raise DataError if a pipeline has one text encoder too many or few.

    Those of Stable Diffusion 1 and XL read the same vectors with the first.
    """
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        count = 1 + ("text_encoder_2" in index)
    except (OSError, ValueError, TypeError):
        raise DataError(
            f"'{folder / INDEX}' cannot be read; copy the models again, or "
            f"name others in {name_place(profile)}."
        ) from None
    wanted = len(profile.embedding_widths)
    if count != wanted:
        raise DataError(
            f"'{folder}' is no \"{profile.name}\": the number of its text "
            f"encoders is {count} and not {wanted}; name other models in "
            f"{name_place(profile)}."
        )


def check_file(profile: Profile, folder: Path, name: str) -> None:
    """Raise DataError unless a folder holds the file that describes it."""
    if (folder / name).is_file():
        return
    if profile.name in PROFILES and PROFILES[profile.name].revision:
        raise DataError(
            f"The models of \"{profile.name}\" are not at '{folder}', for "
            f"there is no {name}; mend {name_place(profile)}, or unset it to "
            "have them from the hub."
        )
    find_data()
    raise DataError(
        f"The models of \"{profile.name}\" are not at '{folder}'; fetch the "
        "whole repository, or train them with `textual-inversion models`."
    )


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep diffusers' and transformers' bars and remarks off the screen.

    Their errors still show, and so do Python's own warnings. What was set
    before is set again afterwards. Taught in notebooks/11_your_own_x.ipynb.
    """
    loggers = (diffusers_logging, transformers_logging)
    before = [
        (logger, logger.get_verbosity(), logger.is_progress_bar_enabled())
        for logger in loggers
    ]
    for logger in loggers:
        logger.set_verbosity_error()
        logger.disable_progress_bar()
    try:
        yield
    finally:
        for logger, verbosity, has_bar in before:
            logger.set_verbosity(verbosity)
            if has_bar:
                logger.enable_progress_bar()


def fingerprint_models(models: Models) -> str:
    """Return twelve digits that tell one set of trained weights from another.

    Only the first 64 numbers of the first row of each weight of CLIP and
    the pipeline are read, so that large models need not be read whole.
    Taught in notebooks/10_more_pictures_more_steps.ipynb.
    """
    digest = hashlib.sha256()
    for part in (models.clip, *list_networks(models.pipeline)):
        for name, weight in part.state_dict().items():
            row = weight if weight.ndim < 2 else weight[0]
            start = row.flatten()[:64].float().cpu()
            digest.update(name.encode() + start.numpy().tobytes())
    return digest.hexdigest()[:12]
