"""Checks of the exercises in lesson 08: pictures, descriptions, features."""

import random

import torch

from tutorial_lib.exercises.checking import (
    Mistake,
    tells_mistakes,
)


@tells_mistakes
def check_choose_varied(choose_varied) -> None:
    """Check a function that chooses photos with varied backgrounds.

    Taught in notebooks/08_face_photo.ipynb.
    """
    for _ in range(5):
        colors = torch.rand(40, 3) * 255
        distances = torch.cdist(colors, colors)
        truth, by_sum = [0], [0]
        while len(truth) < 6:
            truth.append(int(distances[truth].min(0).values.argmax()))
            sums = distances[by_sum].sum(0)
            sums[by_sum] = -1
            by_sum.append(int(sums.argmax()))
        found = choose_varied(colors, 6)
        if found == truth:
            continue
        if len(found) != 6:
            raise Mistake(f"six photos are asked for, and you chose {found}.")
        if len(set(found)) < len(found):
            raise Mistake(f"you chose a photo twice: {found}.")
        if found[0] != 0:
            raise Mistake("photo 0 is to be the first.")
        if found == distances[0].topk(6).indices.tolist() or (
            found[1:] == distances[0].topk(5).indices.tolist()
        ):
            raise Mistake(
                "yours are all far from photo 0, but may be near to each "
                "other; look at the distance to every photo chosen so far."
            )
        if found == by_sum:
            raise Mistake(
                "you add up the distances; a photo may then be close to one "
                "that is chosen. Take the distance to the nearest one."
            )
        raise Mistake(f"{truth} was expected, and you chose {found}.")


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
    for few in (False, True):
        photos = _make_photos(few)
        shared = {
            name: value for name, value in photos[0].items()
            if all(photo.get(name) == value for photo in photos)
        }
        found = find_shared([dict(photo) for photo in photos])
        if found == shared:
            continue
        if found is None:
            raise Mistake("your function returns nothing; return a dict.")
        if not isinstance(found, dict):
            raise Mistake(
                "what the photos share is asked for with its values: a dict "
                f"such as {shared}, not a {type(found).__name__}."
            )
        _name_wrong_features(found, shared, photos)
        raise Mistake(f"{shared} was expected, and you have {found}.")


def _make_photos(few: bool) -> list[dict]:
    """Make six photos' features: shirt shared, wall varied, cap in one."""
    shirt, wall, other = random.sample(["red", "green", "blue", "grey"], 3)
    photos = [{"shirt": shirt, "wall": wall} for _ in range(6)]
    photos[random.randrange(1, 6)]["wall"] = other
    photos[0]["cap"] = "yes"
    return photos[:1] if few else photos


def _name_wrong_features(found: dict, shared: dict, photos: list) -> None:
    """Raise Mistake for a feature that is too much, or one that is missing."""
    if found == photos[0]:
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
