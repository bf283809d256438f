"""Checks of the exercises of lesson 08: pictures, descriptions, features."""

import random
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.exercises.checking import Mistake, tells_mistakes

Features = dict[str, str]
# What a photo's distances to the photos chosen so far amount to.
DistanceRule = Callable[
    [Float[Tensor, "chosen photos"]], Float[Tensor, " photos"]
]
NUM_CHOSEN = 6


@tells_mistakes
def check_choose_varied(
    choose_varied: Callable[[Float[Tensor, "photos 3"], int], list[int]],
) -> None:
    """Check a function that chooses photos with varied backgrounds.

    Taught in notebooks/08_face_photo.ipynb.
    """
    rounds = [torch.rand(40, 3) * 255 for _ in range(5)]
    answers = [
        [int(i) for i in choose_varied(colors, NUM_CHOSEN)]
        for colors in rounds
    ]
    tables = [torch.cdist(colors, colors) for colors in rounds]
    truth = [choose_by(distances, take_nearest) for distances in tables]
    if answers == truth:
        return
    for rule, sentence in WRONG_RULES:
        for again in (False, True):
            if answers == [choose_by(table, rule, again) for table in tables]:
                raise Mistake(sentence)
    for chosen, right in zip(answers, truth, strict=True):
        if len(chosen) != NUM_CHOSEN:
            raise Mistake(f"six photos are asked for, and you chose {chosen}.")
        if len(set(chosen)) < len(chosen):
            raise Mistake(f"you chose a photo twice: {chosen}.")
        if chosen[0] != 0:
            raise Mistake("photo 0 is to be the first.")
        if chosen != right:
            raise Mistake(f"{right} was expected, and you chose {chosen}.")


def choose_by(
    distances: Float[Tensor, "photos photos"],
    rule: DistanceRule,
    again: bool = True,
) -> list[int]:
    """Choose six photos, each the farthest by a rule from those chosen.

    With `again` a photo may be chosen twice.
    """
    chosen = [0]
    while len(chosen) < NUM_CHOSEN:
        far = rule(distances[chosen]).clone()
        if not again:
            far[chosen] = -1
        chosen.append(int(far.argmax()))
    return chosen


def take_nearest(
    rows: Float[Tensor, "chosen photos"],
) -> Float[Tensor, " photos"]:
    """Return each photo's distance to the nearest one chosen."""
    return rows.amin(0)


WRONG_RULES: list[tuple[DistanceRule, str]] = [
    (
        lambda rows: rows[0],
        "yours are all far from photo 0, but may be near to each other; look "
        "at the distance to every photo chosen so far.",
    ),
    (
        lambda rows: rows.sum(0),
        "you add up the distances; a photo may then be close to one that is "
        "chosen. Take the distance to the nearest one.",
    ),
    (
        lambda rows: rows.amax(0),
        "you take the distance to the farthest photo chosen (`max`); take "
        "that to the nearest one (`min`).",
    ),
    (
        lambda rows: rows[-1],
        "you look at the photo chosen last alone; look at the distance to "
        "every photo chosen so far.",
    ),
]


@tells_mistakes
def check_count_fitting(
    count_fitting: Callable[[list[Features], Features], int],
) -> None:
    """Check a function that counts the people a description fits.

    Taught in notebooks/08_face_photo.ipynb.
    """
    choices = {"hair": "abc", "glasses": "ab", "eyes": "abcd"}
    people = [
        {name: random.choice(values) for name, values in choices.items()}
        for _ in range(200)
    ]
    descriptions: tuple[Features, ...] = (
        {"hair": "a", "glasses": "b"},
        {"eyes": "c"},
        {},
    )
    for told in descriptions:
        fits = [[p[name] == told[name] for name in told] for p in people]
        truth, count = sum(map(all, fits)), count_fitting(people, told)
        if count == truth:
            continue
        if isinstance(count, list):
            raise Mistake("how many fit is asked for, and not who.")
        if not told:
            raise Mistake(
                "a description that tells nothing fits everybody; you have "
                f"{count}."
            )
        if count == sum(map(any, fits)):
            raise Mistake(
                "you count people who have *one* of the features; they must "
                "have all."
            )
        raise Mistake(f"{told} fits {truth} people, and you count {count}.")


@tells_mistakes
def check_find_shared(
    find_shared: Callable[[list[Features]], Features],
) -> None:
    """Check a function that finds what all photos have in common.

    Taught in notebooks/08_face_photo.ipynb.
    """
    rounds = [make_photos(odd, odd * (odd % 2)) for odd in range(6)]
    for photos in (*rounds, make_photos(1, 0)[:1]):
        truth = {
            name: value
            for name, value in photos[0].items()
            if all(photo.get(name) == value for photo in photos)
        }
        try:
            shared = find_shared(photos)
        except KeyError as error:
            raise Mistake(
                f"not every photo has a {error.args[0]}; use "
                "`photo.get(name)`."
            ) from None
        if shared == truth:
            continue
        if not isinstance(shared, dict):
            raise Mistake(
                "what the photos share is asked for with its values: a dict "
                f"such as {truth}, not a {type(shared).__name__}."
            )
        _name_wrong_features(shared, truth, photos)
        raise Mistake(f"{truth} was expected, and you have {shared}.")


def make_photos(odd: int, capped: int) -> list[Features]:
    """Make six photos' features, all with the same shirt.

    The photo `odd` has another wall, and the photo `capped` alone a cap.
    """
    shirt, wall, other = random.sample(["red", "green", "blue", "grey"], 3)
    photos = [{"shirt": shirt, "wall": wall} for _ in range(6)]
    photos[odd]["wall"] = other
    photos[capped]["cap"] = "yes"
    return photos


def _name_wrong_features(
    shared: Features, truth: Features, photos: list[Features]
) -> None:
    """Raise Mistake for a feature too many, or one that is missing."""
    if shared == photos[0] and "cap" in shared:
        raise Mistake(
            "that is all of the first photo; keep what the others show, too."
        )
    for name in shared:
        values = [photo.get(name) for photo in photos]
        if name not in truth and None in values:
            raise Mistake(
                f"only some photos say anything of the {name}; a feature "
                "that one photo lacks is not shared."
            )
        if name not in truth:
            raise Mistake(
                f"the photos do not agree on the {name} ({values}); most is "
                "not all."
            )
    missing = sorted(set(truth) - set(shared))
    if missing:
        raise Mistake(
            f"all photos have the same {missing[0]}, and it is missing in "
            f"your answer{' for a single photo' * (len(photos) == 1)}."
        )
