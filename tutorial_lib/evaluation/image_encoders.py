"""Networks that took no part in learning X, to say how good it is.

What was learned with a CLIP cannot be judged by that CLIP: it is what X was
fitted to. DINO, DINOv2 and another CLIP look at the pictures instead. Their
weights come from a hub, pinned to one commit each, or from a folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from tutorial_lib.arguments import read_choice
from tutorial_lib.devices import read_device
from tutorial_lib.errors import FetchError
from tutorial_lib.images import Images, as_images
from tutorial_lib.models import quiet_libraries
from tutorial_lib.settings import ENCODERS_FOLDER

BATCH_SIZE = 32


@dataclass(frozen=True)
class EncoderSource:
    """Where an encoder comes from, and what it is.

    `repository` and `revision` are a hub's id and the 40 hexadecimal digits
    of a commit; `megabytes` is the size of the download.
    """

    name: str
    label: str
    repository: str
    revision: str
    megabytes: int
    license: str


SOURCES = {
    source.name: source
    for source in (
        # Caron et al. (2021): the one DreamBench measures with.
        EncoderSource(
            name="dino",
            label="DINO ViT-S/16",
            repository="facebook/dino-vits16",
            revision="abe3b354cb6a9b6f146096b14a4a9d7eecbcb4bd",
            megabytes=87,
            license="Apache-2.0",
        ),
        # Oquab et al. (2023).
        EncoderSource(
            name="dinov2",
            label="DINOv2 ViT-S/14",
            repository="facebook/dinov2-small",
            revision="ed25f3a31f01632728cabb09d1542f84ab7b0056",
            megabytes=88,
            license="Apache-2.0",
        ),
        # Radford et al. (2021). Stable Diffusion 1.5 reads with ViT-L/14.
        EncoderSource(
            name="clip",
            label="CLIP ViT-B/32",
            repository="openai/clip-vit-base-patch32",
            revision="3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268",
            megabytes=605,
            license="MIT",
        ),
    )
}


@dataclass
class ImageEncoder:
    """A frozen network with what prepares its input, on one device.

    `tokenizer` is None for a network that reads no text.
    """

    source: EncoderSource
    model: Any
    processor: Any
    tokenizer: Any
    device: str


def load_encoder(name: str, device: str | None = None) -> ImageEncoder:
    """Load "dino", "dinov2" or "clip", frozen and in fp32.

    The weights come from TUTORIAL_ENCODERS, a folder that has one of that
    name, or else from the hub, which keeps them on this machine. Raises
    FetchError, which says the remedy, if they cannot be had.
    """
    source = SOURCES[read_choice(name, "name", SOURCES)]
    device = read_device(device)
    place: str | Path = source.repository
    options: dict[str, Any] = {"revision": source.revision}
    if ENCODERS_FOLDER is not None:
        place = Path(ENCODERS_FOLDER).expanduser() / source.name
        options = {"local_files_only": True}
    try:
        with quiet_libraries():
            model = AutoModel.from_pretrained(place, **options)
            processor = AutoImageProcessor.from_pretrained(place, **options)
            tokenizer = None
            if hasattr(model, "get_text_features"):
                tokenizer = AutoTokenizer.from_pretrained(place, **options)
    except Exception as error:  # a hub can fail in nearly any way
        raise FetchError(explain_failure(source, error)) from None
    model.float().eval().requires_grad_(False)
    return ImageEncoder(source, model.to(device), processor, tokenizer, device)


def explain_failure(source: EncoderSource, error: Exception) -> str:
    """Return why an encoder could not be loaded, and the remedy."""
    reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    if ENCODERS_FOLDER is not None:
        return (
            f"{source.label} cannot be loaded from '{source.name}' in "
            f"TUTORIAL_ENCODERS={ENCODERS_FOLDER} ({reason.rstrip('.')}); "
            f"save {source.repository} there with `save_pretrained`, its "
            "processor too, or unset TUTORIAL_ENCODERS to use the hub."
        )
    return (
        f"{source.label} ({source.repository}, {source.megabytes} MB, "
        f"{source.license}) cannot be loaded from the hub "
        f"({reason.rstrip('.')}); go online once, for it is kept then, or "
        f"put it into the folder '{source.name}' of a folder that "
        "TUTORIAL_ENCODERS names."
    )


@torch.no_grad()
def embed_with_encoder(
    encoder: ImageEncoder, images: Images
) -> Float[Tensor, "num_images width"]:
    """Turn images into an encoder's vectors, of length one, on the CPU.

    CLIP's are those that it compares with texts; DINO's are the last layer's
    class token, as DreamBench takes it.
    """
    images = as_images(images)
    batches = []
    for i in range(0, len(images), BATCH_SIZE):
        pixels = prepare_pixels(encoder, images[i : i + BATCH_SIZE])
        if encoder.tokenizer is not None:
            output = encoder.model.get_image_features(pixel_values=pixels)
            features = output.pooler_output
        else:
            output = encoder.model(pixel_values=pixels)
            features = output.last_hidden_state[:, 0]
        batches.append(functional.normalize(features, dim=-1).cpu())
    return torch.cat(batches)


def prepare_pixels(
    encoder: ImageEncoder, images: list[Image.Image]
) -> Float[Tensor, "num_images channels height width"]:
    """Scale, crop and normalize images as the encoder's own files say."""
    inputs = encoder.processor(images=images, return_tensors="pt")
    return inputs["pixel_values"].to(encoder.device)


@torch.no_grad()
def embed_texts_with_encoder(
    encoder: ImageEncoder, texts: Sequence[str]
) -> Float[Tensor, "num_texts width"]:
    """Turn texts into CLIP's vectors, of length one, on the CPU.

    What is longer than CLIP reads is cut off.
    """
    inputs = encoder.tokenizer(
        list(texts), padding=True, truncation=True, return_tensors="pt"
    ).to(encoder.device)
    features = encoder.model.get_text_features(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
    ).pooler_output
    return functional.normalize(features, dim=-1).cpu()
