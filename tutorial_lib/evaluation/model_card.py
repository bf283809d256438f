"""Measure the tiny models on pictures that nothing was trained on."""

import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.evaluation.captioned_images import CaptionedImages
from tutorial_lib.evaluation.gallery import GalleryBuilder
from tutorial_lib.evaluation.judges import Judges, read_attributes
from tutorial_lib.evaluation.named_concepts import measure_names, measure_ways
from tutorial_lib.evaluation.pairs import measure_pairs
from tutorial_lib.evaluation.psnr import measure_psnr
from tutorial_lib.evaluation.scores import identity
from tutorial_lib.evaluation.statistics import estimate_share
from tutorial_lib.evaluation.zero_shot import measure_zero_shot
from tutorial_lib.figures import make_grid
from tutorial_lib.generation import (
    decode_latents,
    embed_images,
    embed_texts,
    encode_images,
    generate,
)
from tutorial_lib.models import Models
from tutorial_lib.world import (
    label_scene,
    named_concepts,
    new_concept,
    render_concept,
    render_scene,
    sample_captioned_scene,
)

RETRIEVAL = 512
PATTERN_PARTS = ("motif", "color", "background")
SHEET_ROWS, SHEET_COLUMNS = 3, 12
READ_SEEDS = range(700_000_000, 700_000_020)  # concepts of the card alone


def write_card(
    models: Models,
    judges: Judges,
    held_out: CaptionedImages,
    drawn: int,
    path: Path,
) -> dict:
    """Measure everything, write it as JSON and return it.

    `held_out` are captioned pictures that nothing was trained on; `drawn`
    is how many new captions Stable Diffusion draws. The first of these
    pictures, below what they should show, become sheet.jpg beside the card.
    """
    captions = sample_captions(drawn, models.profile.size)
    generated = generate_from_captions(models, captions)
    save_sheet(captions, generated, path.with_name("sheet.jpg"))
    card = {
        "vae_psnr_db": estimate_share(
            measure_psnr(models.pipeline.vae, held_out, models.device)
        ),
        "clip_right_caption_first_of_512": measure_retrieval(models, held_out),
        "clip_zero_shot": measure_zero_shot(models),
        "judges_read_drawn": measure_reading(
            judges, as_images(held_out), held_out.labels
        ),
        "judges_read_decoded": measure_reading(
            judges, decode_images(models, held_out), held_out.labels
        ),
        "judges_read_generated": measure_reading(
            judges, generated, captions.labels
        ),
        "identity_of_drawn": {
            kind: measure_identity(judges, kind)
            for kind in ("pattern", "person")
        },
        "identity_of_generated_names": {
            kind: measure_names(models, judges, kind)
            for kind in ("pattern", "person")
        },
        "corgi_shows_three_ways": measure_ways(models, judges),
        "two_names_found": measure_pairs(models, judges),
    }
    card = round_all(card)
    path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return card


def as_images(images: CaptionedImages) -> list[Image.Image]:
    """Return arrays as pictures."""
    return [Image.fromarray(pixels) for pixels in images.pixels]


def decode_images(
    models: Models, images: CaptionedImages
) -> list[Image.Image]:
    """Send pictures through the VAE and back."""
    latents = encode_images(models, as_images(images))
    return decode_latents(models, latents)


def measure_retrieval(
    models: Models, held_out: CaptionedImages
) -> dict[str, float]:
    """Return how often the right caption is the nearest of 512."""
    images = embed_images(models, as_images(held_out)[:RETRIEVAL])
    captions = held_out.captions[:RETRIEVAL]
    texts = embed_texts(models, captions)
    best = (images @ texts.T).argmax(1).tolist()
    right = [captions[b] == captions[i] for i, b in enumerate(best)]
    return estimate_share(right)


def measure_reading(
    judges: Judges,
    images: list[Image.Image],
    labels: list[dict],
) -> dict[str, dict]:
    """Return, by attribute, how often the judge reads what is shown.

    A pattern that a corgi wears or lies on shows little of itself, so what
    it is made of is counted apart there.
    """
    readings = read_attributes(judges.attributes, images)
    rights = defaultdict(list)
    for reading, label in zip(readings, labels, strict=True):
        for name in judges.attributes.labels:
            if name in label:
                small = name in PATTERN_PARTS and "way" in label
                row = f"{name} on a corgi" if small else name
                rights[row].append(reading[name] == label[name])
    return {
        name: estimate_share(right) for name, right in sorted(rights.items())
    }


def sample_captions(count: int, size: int) -> CaptionedImages:
    """Write captions that no training saw, and draw what they should show.

    Some leave an attribute out, but each names its style, and none leaves
    open how a corgi wears a pattern.
    """
    rng = random.Random("card")
    pixels, captions, labels = [], [], []
    while len(captions) < count:
        scene, caption = sample_captioned_scene(rng)
        label = label_scene(scene)
        if names_style(caption, scene.style) and "way" not in label:
            pixels.append(np.asarray(render_scene(scene, size)))
            captions.append(caption)
            labels.append(label)
    return CaptionedImages(np.stack(pixels), captions, labels)


def generate_from_captions(
    models: Models, captions: CaptionedImages
) -> list[Image.Image]:
    """Let Stable Diffusion draw each caption once."""
    images = []
    for start in tqdm(
        range(0, len(captions.captions), 16), desc="drawing captions"
    ):
        part = captions.captions[start : start + 16]
        images += generate(models, part, seed=start, progress=False)
    return images


def save_sheet(
    captions: CaptionedImages,
    generated: list[Image.Image],
    path: Path,
) -> None:
    """Save rows of drawn pictures, below each row what was generated.

    Nothing is picked: they are the first captions, each with its noise.
    """
    drawn, sheet = as_images(captions), []
    for start in range(0, SHEET_ROWS * SHEET_COLUMNS, SHEET_COLUMNS):
        row = slice(start, start + SHEET_COLUMNS)
        sheet += drawn[row] + generated[row]
    make_grid(sheet, columns=SHEET_COLUMNS, side=96).save(path, quality=90)


def names_style(caption: str, style: str) -> bool:
    """Say whether a caption asks for the style that its picture has."""
    words = {
        "photo": ("photo", "picture"),
        "pencil drawing": ("pencil",),
        "anime illustration": ("anime", "illustration"),
        "watercolour": ("watercolour",),
    }
    return any(word in caption for word in words[style])


def measure_identity(judges: Judges, kind: str) -> dict[str, dict]:
    """Return how often drawn pictures find their concept among 100.

    For concepts that are new and for named ones: the judges' ceiling.
    """
    judge = judges.of_kind(kind)
    builder = GalleryBuilder(judge, kind)
    named = list(named_concepts(kind).values())[: len(READ_SEEDS)]
    groups = {
        "new": [new_concept(kind, seed) for seed in READ_SEEDS],
        "named": named,
    }
    found = {}
    for name, concepts in groups.items():
        hits, owners = [], []
        for number, concept in enumerate(concepts):
            images = render_concept(
                concept,
                8,
                seed=99,
                size=judge.trunk.size,
                style=None,
                carrier=None,
            )
            hits += identity(judge, images, builder.make(concept))
            owners += [number] * len(images)
        found[name] = estimate_share(hits, owners)
    return found


def round_all(value):
    """Round every number in nested dicts to three places."""
    if isinstance(value, dict):
        return {key: round_all(each) for key, each in value.items()}
    return round(value, 3)
