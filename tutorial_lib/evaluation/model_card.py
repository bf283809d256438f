"""Measure the tiny models on images that nothing was trained on."""

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.evaluation.captioned_images import CaptionedImages
from tutorial_lib.evaluation.judges import Judges, read_attributes
from tutorial_lib.evaluation.named_concepts import measure_names, measure_ways
from tutorial_lib.evaluation.ordering import measure_order
from tutorial_lib.evaluation.pairs import measure_pairs
from tutorial_lib.evaluation.psnr import measure_psnr
from tutorial_lib.evaluation.ruler import (
    SOURCES,
    decode_again,
    measure_identity,
    measure_reader,
)
from tutorial_lib.evaluation.statistics import Share, estimate_share
from tutorial_lib.evaluation.zero_shot import measure_zero_shot
from tutorial_lib.figures import make_grid
from tutorial_lib.files import write_json
from tutorial_lib.generation import (
    embed_images,
    embed_texts,
    generate,
)
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import Models
from tutorial_lib.world import (
    label_scene,
    render_scene,
    sample_captioned_scene,
)

NUM_RETRIEVAL = 512
PATTERN_ATTRIBUTES = ("motif", "color", "background")
SHEET_ROWS, SHEET_COLUMNS = 3, 12
BATCH_SIZE = 16
STYLE_WORDS = {
    "photo": ("photo", "picture"),
    "pencil drawing": ("pencil",),
    "anime illustration": ("anime", "illustration"),
    "watercolour": ("watercolour",),
}


def write_card(
    models: Models,
    judges: Judges,
    held_out: CaptionedImages,
    num_captions: int,
    path: Path,
) -> dict[str, Any]:
    """Measure everything, write it as JSON and return it.

    `held_out` are captioned images that nothing was trained on;
    `num_captions` is how many new captions Stable Diffusion generates. The
    first of these images, below what they should show, become sheet.jpg
    beside the card.
    """
    captions = sample_captions(num_captions, models.profile.size)
    generated = generate_from_captions(models, captions)
    save_sheet(captions, generated, path.with_name("sheet.jpg"))
    card = {
        "vae_psnr_db": estimate_share(
            measure_psnr(models.pipeline.vae, held_out, models.device)
        ),
        "clip_right_caption_first_of_512": measure_retrieval(models, held_out),
        "clip_zero_shot": measure_zero_shot(models),
        "judges_read_drawn": measure_reading(
            judges, list_images(held_out), held_out.labels
        ),
        "judges_read_decoded": measure_reading(
            judges,
            decode_again(models, list_images(held_out)),
            held_out.labels,
        ),
        "judges_read_generated": measure_reading(
            judges, generated, captions.labels
        ),
        "identity_of_generated_names": {
            kind: measure_names(models, judges, kind) for kind in KINDS
        },
        "corgi_shows_three_ways": measure_ways(models, judges),
        "two_names_found": measure_pairs(models, judges),
    }
    card = round_all(card | measure_ruler(models, judges))
    write_json(path, card)
    return card


def measure_ruler(models: Models, judges: Judges) -> dict[str, Any]:
    """Measure the judges themselves, by the kind of concept."""
    identities = {
        kind: measure_identity(models, judges, kind) for kind in KINDS
    }
    card: dict[str, Any] = {
        f"identity_of_{source}": {
            kind: identities[kind][source] for kind in KINDS
        }
        for source in SOURCES
    }
    card["judges_order_pairs"] = {
        kind: measure_order(judges, kind) for kind in KINDS
    }
    if judges.attributes.numbers:
        card["judges_are_off"] = {
            kind: measure_reader(models, judges, kind) for kind in KINDS
        }
    return card


def list_images(images: CaptionedImages) -> list[Image.Image]:
    """Return the images without their captions and labels."""
    return [Image.fromarray(pixels) for pixels in images.pixels]


def measure_retrieval(models: Models, held_out: CaptionedImages) -> Share:
    """Return how often the right caption is the nearest of 512."""
    images = list_images(held_out)[:NUM_RETRIEVAL]
    captions = held_out.captions[:NUM_RETRIEVAL]
    image_features = embed_images(models, images)
    text_features = embed_texts(models, captions)
    best = (image_features @ text_features.T).argmax(1).tolist()
    return estimate_share(
        [captions[b] == captions[i] for i, b in enumerate(best)]
    )


def measure_reading(
    judges: Judges,
    images: list[Image.Image],
    labels: list[dict[str, Any]],
) -> dict[str, Share]:
    """Return, by attribute, how often the judge reads what is shown.

    A pattern that a corgi wears or lies on shows little of itself, so its
    attributes are counted apart there.
    """
    readings = read_attributes(judges.attributes, images)
    hits: dict[str, list[bool]] = defaultdict(list)
    for reading, label in zip(readings, labels, strict=True):
        for name in judges.attributes.labels:
            if name in label:
                is_small = name in PATTERN_ATTRIBUTES and "way" in label
                row = f"{name} on a corgi" if is_small else name
                hits[row].append(reading[name] == label[name])
    return {name: estimate_share(row) for name, row in sorted(hits.items())}


def sample_captions(count: int, size: int) -> CaptionedImages:
    """Sample captions that no training saw, and render what they should show.

    Some leave an attribute out, but each names its style, and none leaves
    open how a corgi wears a pattern.
    """
    rng = random.Random("card")
    pixels: list[np.ndarray] = []
    captions: list[str] = []
    labels: list[dict[str, Any]] = []
    while len(captions) < count:
        scene, caption = sample_captioned_scene(rng)
        label = label_scene(scene)
        if names_style(caption, scene.style) and "way" not in label:
            pixels.append(np.asarray(render_scene(scene, size)))
            captions.append(caption)
            labels.append(label)
    return CaptionedImages(np.stack(pixels), captions, labels)


def names_style(caption: str, style: str) -> bool:
    """Say whether a caption asks for the style that its image has."""
    return any(word in caption for word in STYLE_WORDS[style])


def generate_from_captions(
    models: Models, captions: CaptionedImages
) -> list[Image.Image]:
    """Generate one image for each caption."""
    images = []
    for start in tqdm(
        range(0, len(captions.captions), BATCH_SIZE),
        desc="Generating from captions",
    ):
        prompts = captions.captions[start : start + BATCH_SIZE]
        images += generate(models, prompts, seed=start, progress=False)
    return images


def save_sheet(
    captions: CaptionedImages,
    generated: list[Image.Image],
    path: Path,
) -> None:
    """Save rows of rendered images, below each row what was generated.

    Nothing is picked: they are the first captions, each with its noise.
    """
    rendered = list_images(captions)
    sheet = []
    for start in range(0, SHEET_ROWS * SHEET_COLUMNS, SHEET_COLUMNS):
        row = slice(start, start + SHEET_COLUMNS)
        sheet += rendered[row] + generated[row]
    grid = make_grid(sheet, columns=SHEET_COLUMNS)
    grid.save(path, quality=88, optimize=True)


def round_all(value: Any) -> Any:
    """Round every number in nested dicts to three places."""
    if isinstance(value, dict):
        return {key: round_all(inner) for key, inner in value.items()}
    return round(value, 3)
