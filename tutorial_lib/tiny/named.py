"""Measure what Stable Diffusion makes of the names it was trained with."""

import random

from PIL import Image
from tqdm.auto import tqdm

from tutorial_lib.drawing import draw
from tutorial_lib.judging import (
    Judges, LineupMaker, identity, read_attributes, share,
)
from tutorial_lib.models import Models
from tutorial_lib.prompts import PROMPTS
from tutorial_lib.world import named_concepts
from tutorial_lib.world.scenes import draw_scene, person_scene

PAIR_KINDS = ("person", "pattern")
NUM_NAMES = 20
NUM_PAIRS = 10
PAIR_PROMPT = "a photo of {} wearing a T-shirt in the style of {}"


def measure_names(
    models: Models, judges: Judges, kind: str, count: int = 8,
) -> dict[str, float]:
    """Draw names the models were trained with; return the share found.

    Found means: nearest among 100 concepts, for `count` pictures each.
    """
    judge, prompt = judges.of_kind(kind), PROMPTS[kind][0].text
    maker = LineupMaker(judge, kind)
    hits, owners = [], []
    names = list(named_concepts(kind).items())[:NUM_NAMES]
    for name, concept in tqdm(names, desc=f"drawing names, {kind}"):
        pictures = draw(models, prompt.format(name), count=count,
                        progress=False)
        hits += identity(judge, pictures, maker.make(concept))
        owners += [name] * count
    return share(hits, owners)


def measure_ways(
    models: Models, judges: Judges, count: int = 16,
) -> dict[str, float]:
    """Return for what share of names a vague corgi shows three ways.

    "Corgi with NAME" is drawn `count` times for each name; the judge reads
    whether the pattern came as scarf, coat, rug or wall.
    """
    varied = []
    names = list(named_concepts("pattern"))[:NUM_NAMES // 2]
    for name in tqdm(names, desc="drawing corgis"):
        pictures = draw(models, f"Corgi with {name}", count=count,
                        progress=False)
        seen = read_attributes(judges.attributes, pictures)
        ways = {reading["way"] for reading in seen} - {"none"}
        varied.append(len(ways) >= 3)
    return share(varied)


def measure_pairs(
    models: Models, judges: Judges, count: int = 8,
) -> dict[str, dict[str, float]]:
    """Show people wearing patterns, by two names; return who is found.

    For each pair of names `count` pictures by Stable Diffusion and, for
    comparison, by the world. Found means: nearest among 100, the person by
    one judge and the pattern by another; "both" asks it of one picture.
    """
    people, patterns = (
        list(named_concepts(kind).items())[:NUM_PAIRS] for kind in PAIR_KINDS
    )
    makers = [LineupMaker(judges.of_kind(kind), kind) for kind in PAIR_KINDS]
    hits = {"drawn": [], "generated": []}
    pairs = list(zip(people, patterns, strict=True))
    for names in tqdm(pairs, desc="drawing pairs"):
        lineups = [
            maker.make(concept)
            for maker, (_, concept) in zip(makers, names, strict=True)
        ]
        for row, pictures in show_pair(models, *names, count).items():
            seen = [
                identity(judges.of_kind(kind), pictures, lineup)
                for kind, lineup in zip(PAIR_KINDS, lineups, strict=True)
            ]
            hits[row] += zip(*seen, strict=True)
    return {row: share_pairs(seen, count) for row, seen in hits.items()}


def show_pair(
    models: Models, person: tuple, pattern: tuple, count: int,
) -> dict[str, list[Image.Image]]:
    """Draw a person wearing a pattern, each given as (name, concept)."""
    rng = random.Random(f"pair {person[0]} {pattern[0]}")
    scenes = [
        person_scene(person[1], rng, style="photo", pattern=pattern[1])
        for _ in range(count)
    ]
    prompt = PAIR_PROMPT.format(person[0], pattern[0])
    return {
        "drawn": [draw_scene(scene, models.profile.size) for scene in scenes],
        "generated": draw(models, prompt, count=count, progress=False),
    }


def share_pairs(hits: list[tuple[bool, bool]], count: int) -> dict[str, dict]:
    """Return the shares of pictures with person, pattern, both found.

    `hits` holds `count` pictures of one pair, then of the next.
    """
    pairs = [number // count for number in range(len(hits))]
    person, pattern = zip(*hits, strict=True)
    both = [all(each) for each in hits]
    return {
        "person": share(person, pairs), "pattern": share(pattern, pairs),
        "both": share(both, pairs),
    }
