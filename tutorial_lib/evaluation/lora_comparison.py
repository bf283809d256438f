"""X beside a LoRA: how well each learns, and what happens to other words.

Both learn the same unseen patterns, by the same loss, in as many steps. Then
patterns that the models have a name for are generated once more.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib import world
from tutorial_lib.arguments import read_path, read_seeds
from tutorial_lib.evaluation.gallery import Gallery, GalleryBuilder
from tutorial_lib.evaluation.judges import Judges
from tutorial_lib.evaluation.point_files import load_points
from tutorial_lib.evaluation.scores import measure_cosines, rank_first
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.files import write_json
from tutorial_lib.generation import generate
from tutorial_lib.images import Concept
from tutorial_lib.inversion import (
    DenoisingLoss,
    add_lora,
    fit_parameters,
    remove_lora,
)
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import Models, fingerprint_models
from tutorial_lib.words import LearnedWord, initialize_word

PROMPT = KINDS["pattern"].prompts[0].text  # on a T-shirt
STEPS, BATCH_SIZE = 50, 8  # of both
LORA_LR, RANK, RARE_WORD = 2e-3, 4, "sks"  # for the tiny models
NUM_NAMES = 8
COUNT = 8  # images of X, and as many with the LoRA


@dataclass(frozen=True)
class LoraPoint:
    """What X and a LoRA made of one unseen pattern.

    By method, "X" or "LoRA": `hits`, how many of `count` images show the
    pattern (the nearest of 100), and `likeness`, their mean cosine with it.
    `own` and `leaked` are about images of the named patterns, "before"
    anything was learned and with the "LoRA" on: their mean cosine with each
    name's own pattern, and with the unseen one.
    """

    seed: int
    count: int
    hits: dict[str, int]
    likeness: dict[str, float]
    own: dict[str, float]
    leaked: dict[str, float]


@dataclass
class LoraComparison:
    """The points of some patterns, and the models they belong to."""

    models: str
    names: list[str]
    points: list[LoraPoint] = field(default_factory=list)

    def seeds(self) -> list[int]:
        """Return the patterns that were compared."""
        return [point.seed for point in self.points]


def list_named_patterns(
    count: int = NUM_NAMES,
) -> dict[str, world.Pattern | world.Person]:
    """Return the first patterns that the models have a name for, by name.

    Taught in notebooks/12_the_map.ipynb.
    """
    named = world.named_concepts("pattern")
    return {name: named[name] for name in list(named)[:count]}


# --- one pattern -----------------------------------------------------------


def learn_x(models: Models, concept: Concept) -> LearnedWord:
    """Learn X from "pattern" on, by the denoising loss."""
    word = initialize_word(models, "X", "pattern", num_vectors=1)
    loss = make_loss(models, concept, word)
    fit_parameters(loss, [word.vectors], STEPS, models.profile.denoising_lr)
    word.vectors.requires_grad_(False)
    return word


def learn_lora(models: Models, concept: Concept) -> LearnedWord:
    """Train a LoRA on the U-Net, and return the rare word it listens to."""
    word = initialize_word(models, "X", RARE_WORD, num_vectors=1)
    word.vectors.requires_grad_(False)
    loss = make_loss(models, concept, word)
    fit_parameters(loss, add_lora(models.pipeline.unet, RANK), STEPS, LORA_LR)
    return word


def make_loss(
    models: Models, concept: Concept, word: LearnedWord
) -> DenoisingLoss:
    """Return the denoising loss on a concept's images and a word."""
    return DenoisingLoss(
        models,
        concept.images,
        KINDS["pattern"].templates,
        word,
        batch_size=BATCH_SIZE,
        progress=False,
    )


def measure_lora_point(
    models: Models,
    judges: Judges,
    builder: GalleryBuilder,
    seed: int,
    before: Sequence[Image.Image],
) -> LoraPoint:
    """Learn an unseen pattern both ways, generate, and judge.

    `before` are the images of the named patterns, one each. The U-Net is
    without a LoRA again when this is done.
    """
    concept = render_training_images("pattern", seed, models.profile.size)
    truth = world.new_concept("pattern", seed)
    gallery = builder.build(truth)
    named = list_named_patterns()
    known = [builder.embed(truth), *map(builder.embed, named.values())]
    others = Gallery(truth, torch.stack(known))
    judge = judges.pattern
    x_images = generate_with(models, learn_x(models, concept))
    try:
        lora_images = generate_with(models, learn_lora(models, concept))
        after = generate_named(models)
    finally:
        remove_lora(models.pipeline.unet)
    drawn = {"X": x_images, "LoRA": lora_images}
    cosines = {
        name: measure_cosines(judge, images, gallery)
        for name, images in drawn.items()
    }
    tables = {
        name: measure_cosines(judge, images, others)
        for name, images in {"before": before, "LoRA": after}.items()
    }
    return LoraPoint(
        seed,
        COUNT,
        hits={n: rank_first(t).count(1) for n, t in cosines.items()},
        likeness={n: round_mean(t[:, 0]) for n, t in cosines.items()},
        own={n: round_mean(t[:, 1:].diagonal()) for n, t in tables.items()},
        leaked={n: round_mean(t[:, 0]) for n, t in tables.items()},
    )


def round_mean(cosines: torch.Tensor) -> float:
    """Return a mean, as it is stored."""
    return round(cosines.mean().item(), 4)


def generate_with(models: Models, word: LearnedWord) -> list[Image.Image]:
    """Generate the images of a method that are judged."""
    return generate(
        models,
        PROMPT.format(word.word),
        words=[word],
        count=COUNT,
        progress=False,
    )


def generate_named(models: Models) -> list[Image.Image]:
    """Generate an image of each named pattern."""
    prompts = [PROMPT.format(name) for name in list_named_patterns()]
    return generate(models, prompts, seed=0, progress=False)


# --- all of them -----------------------------------------------------------


def run_lora_comparison(
    models: Models,
    judges: Judges,
    seeds: int | Sequence[int],
    path: str | Path,
    measure: Callable[..., LoraPoint] = measure_lora_point,
) -> LoraComparison:
    """Compare X and a LoRA on some unseen patterns, and keep the points.

    The file is written after each point, so a run that was stopped goes on
    where it was. Points of other models are not kept.
    """
    seeds, path = read_seeds(seeds), read_path(path)
    comparison = LoraComparison(
        fingerprint_models(models), list(list_named_patterns())
    )
    if os.path.exists(path):
        stored = load_lora_comparison(path)
        if stored.models == comparison.models:
            comparison = stored
    missing = [seed for seed in seeds if seed not in comparison.seeds()]
    builder = GalleryBuilder(judge=judges.pattern, kind="pattern")
    before = generate_named(models) if missing else []
    for seed in tqdm(missing, desc="X beside a LoRA"):
        point = measure(models, judges, builder, seed, before)
        comparison.points.append(point)
        write_json(path, asdict(comparison))
    return comparison


def load_lora_comparison(path: str | Path) -> LoraComparison:
    """Read a comparison that `run_lora_comparison` wrote.

    Raises TutorialError, naming the file, if it holds something else.
    Taught in notebooks/12_the_map.ipynb.
    """
    return load_points(path, make_comparison, "compare")


def make_comparison(stored: dict[str, Any]) -> LoraComparison:
    """Make a comparison of what its file holds."""
    points = [LoraPoint(**point) for point in stored.pop("points")]
    return LoraComparison(points=points, **stored)
