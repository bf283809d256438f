"""Measure the judges themselves: on images whose truth is known.

Whatever is drawn, and drawn and sent through the VAE, they should find and
read; what they miss there is the ruler's own error.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator

from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.evaluation.deviations import (
    Deviation,
    Truth,
    compare_readings,
    learn_truth,
)
from tutorial_lib.evaluation.gallery import GalleryBuilder, render_references
from tutorial_lib.evaluation.judge_networks import AttributeJudge
from tutorial_lib.evaluation.judges import Judges, read_images
from tutorial_lib.evaluation.scores import identity
from tutorial_lib.evaluation.statistics import Share, estimate_share
from tutorial_lib.generation import decode_latents, encode_images
from tutorial_lib.models import Models
from tutorial_lib.world import (
    Concept,
    named_concepts,
    new_concept,
    render_concept,
)

READ_SEEDS = range(700_000_000, 700_000_020)  # concepts of the card alone
IMAGES_PER_CONCEPT = 8
REFERENCES, REFERENCE_SEED = 24, 97  # drawn images that give the truth
SOURCES = ("drawn", "decoded")

Shares = dict[str, Share]


def decode_again(
    models: Models, images: list[Image.Image]
) -> list[Image.Image]:
    """Send images through the VAE and back."""
    return decode_latents(models, encode_images(models, images))


def list_ruled(kind: str) -> dict[str, list[Concept]]:
    """Return new concepts of a kind, and named ones."""
    named = list(named_concepts(kind).values())[: len(READ_SEEDS)]
    new = [new_concept(kind, seed) for seed in READ_SEEDS]
    return {"new": new, "named": named}


def render_ruled(
    models: Models, concept: Concept, carrier: str | None = None
) -> dict[str, list[Image.Image]]:
    """Render a concept in any style, and send the images through the VAE.

    `carrier` "corgi" shows a pattern on a corgi, None on any other thing.
    """
    drawn = render_concept(
        concept,
        IMAGES_PER_CONCEPT,
        seed=99,
        size=models.profile.size,
        style=None,
        carrier=carrier,
    )
    return {"drawn": drawn, "decoded": decode_again(models, drawn)}


def measure_identity(
    models: Models, judges: Judges, kind: str
) -> dict[str, Shares]:
    """Return the identity of drawn and of decoded images, by source.

    For concepts that are new and for named ones, and for new patterns on a
    corgi: the ceiling of the judges.
    """
    judge = judges.of_kind(kind)
    builder = GalleryBuilder(judge, kind)
    hits: dict[tuple[str, str], list[bool]] = defaultdict(list)
    clusters: dict[tuple[str, str], list[int]] = defaultdict(list)
    for group, concepts in list_ruled(kind).items():
        for number, concept in enumerate(
            tqdm(concepts, desc=f"Finding {group} {kind}s", leave=False)
        ):
            gallery = builder.build(concept)
            for place, source, images in _list_places(
                models, kind, group, concept
            ):
                hits[source, place] += identity(judge, images, gallery)
                clusters[source, place] += [number] * len(images)
    shares: dict[str, Shares] = {source: {} for source in SOURCES}
    for (source, place), row in hits.items():
        numbers = clusters[source, place]
        shares[source][place] = estimate_share(row, numbers)
    return shares


def _list_places(
    models: Models, kind: str, group: str, concept: Concept
) -> Iterator[tuple[str, str, list[Image.Image]]]:
    """Yield a group's name, the source and the images of a concept."""
    places: dict[str, str | None] = {group: None}
    if (kind, group) == ("pattern", "new"):
        places["new_on_a_corgi"] = "corgi"
    for place, carrier in places.items():
        for source, images in render_ruled(models, concept, carrier).items():
            yield place, source, images


def measure_reader(
    models: Models, judges: Judges, kind: str
) -> dict[str, Shares]:
    """Return how far off the reader is, on drawn and on decoded images.

    Means over single images of new concepts, with their intervals: of labels
    the share that is right, of numbers the absolute difference from what
    other drawn images of the concept give.
    """
    read: dict[str, dict[Hashable, list[Deviation]]]
    read = {source: {} for source in SOURCES}
    for number, seed in enumerate(
        tqdm(READ_SEEDS, desc=f"Reading {kind}s", leave=False)
    ):
        concept = new_concept(kind, seed)
        truth = learn_drawn_truth(judges.attributes, concept)
        for source, images in render_ruled(models, concept).items():
            read[source][number] = compare_readings(
                read_images(judges.attributes, images), truth
            )
    return {source: average(by_number) for source, by_number in read.items()}


def learn_drawn_truth(judge: AttributeJudge, concept: Concept) -> Truth:
    """Return the truth about a concept, as new drawn images of it are read."""
    size = judge.trunk.size
    drawn = render_references(concept, REFERENCES, REFERENCE_SEED, size)
    return learn_truth(judge, concept, drawn)


def average(by_number: dict[Hashable, list[Deviation]]) -> Shares:
    """Return the means of deviations that are known by their concept.

    They are those of `measure_reader`, each with its interval; the share of
    right labels has the label's name and " right".
    """
    values: dict[str, list[float]] = defaultdict(list)
    clusters: dict[str, list[Hashable]] = defaultdict(list)
    for number, deviations in by_number.items():
        for deviation in deviations:
            rights = {f"{k} right": v for k, v in deviation.right.items()}
            offs = {k: abs(v) for k, v in deviation.off.items()}
            for name, value in (rights | offs).items():
                values[name].append(value)
                clusters[name].append(number)
    return {
        name: estimate_share(row, clusters[name])
        for name, row in values.items()
    }
