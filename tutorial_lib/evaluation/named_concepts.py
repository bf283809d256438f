"""Measure what Stable Diffusion makes of the names it was trained with."""

from tqdm.auto import tqdm

from tutorial_lib.evaluation.gallery import GalleryBuilder
from tutorial_lib.evaluation.judges import Judges, read_attributes
from tutorial_lib.evaluation.scores import identity
from tutorial_lib.evaluation.statistics import Share, estimate_share
from tutorial_lib.generation import generate
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import Models
from tutorial_lib.world import named_concepts

NUM_NAMES = 20
MIN_WAYS = 3


def measure_names(
    models: Models, judges: Judges, kind: str, count: int = 8
) -> Share:
    """Return the identity of generated images of named concepts.

    There are `count` images for each name.
    """
    judge, prompt = judges.of_kind(kind), KINDS[kind].prompts[0].text
    builder = GalleryBuilder(judge, kind)
    hits, clusters = [], []
    concepts = list(named_concepts(kind).items())[:NUM_NAMES]
    for name, concept in tqdm(concepts, desc=f"Generating names, {kind}"):
        images = generate(
            models, prompt.format(name), count=count, progress=False
        )
        hits += identity(judge, images, builder.build(concept))
        clusters += [name] * count
    return estimate_share(hits, clusters)


def measure_ways(models: Models, judges: Judges, count: int = 16) -> Share:
    """Return for what share of names a vague corgi shows three ways.

    "Corgi with NAME" is generated `count` times for each name; the judge
    reads whether the pattern came as scarf, coat, rug or wall.
    """
    varied = []
    names = list(named_concepts("pattern"))[: NUM_NAMES // 2]
    for name in tqdm(names, desc="Generating corgis"):
        images = generate(
            models, f"Corgi with {name}", count=count, progress=False
        )
        readings = read_attributes(judges.attributes, images)
        ways = {reading["way"] for reading in readings} - {"none"}
        varied.append(len(ways) >= MIN_WAYS)
    return estimate_share(varied)
