"""Checks of the exercises in lesson 08: pictures, descriptions, features."""

import random
from collections.abc import Callable

import torch
from torch import Tensor

from tutorial_lib.exercises.checking import Mistake, tells_mistakes


@tells_mistakes
def check_choose_varied(choose_varied) -> None:
    """Check a function that chooses photos with varied backgrounds.

    Taught in notebooks/08_face_photo.ipynb.
    """
    rounds = [torch.rand(40, 3) * 255 for _ in range(5)]
    found = [[int(i) for i in choose_varied(each, 6)] for each in rounds]
    distances = [torch.cdist(each, each) for each in rounds]
    truth = [choose_by(each, take_nearest) for each in distances]
    if found == truth:
        return
    for sentence, rule in WRONG_DISTANCES.items():
        for again in (False, True):
            if found == [choose_by(each, rule, again) for each in distances]:
                raise Mistake(sentence)
    for chosen, right in zip(found, truth, strict=True):
        if len(chosen) != 6:
            raise Mistake(f"six photos are asked for, and you chose {chosen}.")
        if len(set(chosen)) < len(chosen):
            raise Mistake(f"you chose a photo twice: {chosen}.")
        if chosen[0] != 0:
            raise Mistake("photo 0 is to be the first.")
        if chosen != right:
            raise Mistake(f"{right} was expected, and you chose {chosen}.")


def choose_by(
    distances: Tensor, measure: Callable, again: bool = True
) -> list[int]:
    """Choose six photos, each the farthest as measured from those chosen.

    `measure` gives one number a photo, from the rows of those chosen. With
    `again` a photo may be chosen twice.
    """
    chosen = [0]
    while len(chosen) < 6:
        far = measure(distances[chosen]).clone()
        if not again:
            far[chosen] = -1
        chosen.append(int(far.argmax()))
    return chosen


def take_nearest(rows: Tensor) -> Tensor:
    """Return each photo's distance to the nearest one chosen."""
    return rows.amin(0)


WRONG_DISTANCES = {
    "yours are all far from photo 0, but may be near to each other; look at "
    "the distance to every photo chosen so far.": lambda rows: rows[0],
    "you add up the distances; a photo may then be close to one that is "
    "chosen. Take the distance to the nearest one.": lambda rows: rows.sum(0),
    "you take the distance to the farthest photo chosen (`max`); take that "
    "to the nearest one (`min`).": lambda rows: rows.amax(0),
    "you look at the photo chosen last alone; look at the distance to every "
    "photo chosen so far.": lambda rows: rows[-1],
}  # fmt: skip


@tells_mistakes
def check_count_fitting(count_fitting) -> None:
    """Check a function that counts the people a description fits.

    Taught in notebooks/08_face_photo.ipynb.
    """
    values = {"hair": "abc", "glasses": "ab", "eyes": "abcd"}
    people = [
        {name: random.choice(each) for name, each in values.items()}
        for _ in range(200)
    ]
    for told in ({"hair": "a", "glasses": "b"}, {"eyes": "c"}, {}):
        fits = [[p[name] == told[name] for name in told] for p in people]
        truth, found = sum(map(all, fits)), count_fitting(people, told)
        if found == truth:
            continue
        if isinstance(found, list):
            raise Mistake("how many fit is asked for, and not who.")
        if not told:
            raise Mistake(
                "a description that tells nothing fits everybody; you have "
                f"{found}."
            )
        if found == sum(map(any, fits)):
            raise Mistake(
                "you count people who have *one* of the features; they must "
                "have all."
            )
        raise Mistake(f"{told} fits {truth} people, and you count {found}.")


@tells_mistakes
def check_find_shared(find_shared) -> None:
    """Check a function that finds what all photos have in common.

    Taught in notebooks/08_face_photo.ipynb.
    """
    rounds = [make_photos(odd, odd * (odd % 2)) for odd in range(6)]
    for photos in (*rounds, make_photos(1, 0)[:1]):
        shared = {
            name: value
            for name, value in photos[0].items()
            if all(photo.get(name) == value for photo in photos)
        }
        try:
            found = find_shared(photos)
        except KeyError as error:
            raise Mistake(
                f"not every photo has a {error.args[0]}; use "
                "`photo.get(name)`."
            ) from None
        if found == shared:
            continue
        if not isinstance(found, dict):
            raise Mistake(
                "what the photos share is asked for with its values: a dict "
                f"such as {shared}, not a {type(found).__name__}."
            )
        _name_wrong_features(found, shared, photos)
        raise Mistake(f"{shared} was expected, and you have {found}.")


def make_photos(odd: int, capped: int) -> list[dict]:
    """Make six photos' features, all with the same shirt.

    The photo `odd` has another wall, and the photo `capped` alone a cap.
    """
    shirt, wall, other = random.sample(["red", "green", "blue", "grey"], 3)
    photos = [{"shirt": shirt, "wall": wall} for _ in range(6)]
    photos[odd]["wall"] = other
    photos[capped]["cap"] = "yes"
    return photos


def _name_wrong_features(found: dict, shared: dict, photos: list) -> None:
    """Raise Mistake for a feature that is too much, or one that is missing."""
    if found == photos[0] and "cap" in found:
        raise Mistake(
            "that is all of the first photo; keep what the others show, too."
        )
    for name in found:
        values = [photo.get(name) for photo in photos]
        if name not in shared and None in values:
            raise Mistake(
                f"only some photos say anything of the {name}; a feature "
                "that one photo lacks is not shared."
            )
        if name not in shared:
            raise Mistake(
                f"the photos do not agree on the {name} ({values}); most is "
                "not all."
            )
    missing = sorted(set(shared) - set(found))
    if missing:
        raise Mistake(
            f"all photos have the same {missing[0]}, and it is missing in "
            f"your answer{' for a single photo' * (len(photos) == 1)}."
        )
