"""Checks of the exercises in lesson 08: pictures, descriptions, starts."""

import random

import torch
from torch import nn

from tutorial_lib.exercises.checking import (
    Mistake,
    expect_tensor,
    is_close,
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
def check_start_between(start_between) -> None:
    """Check a function that starts X as the mean of some rows.

    Taught in notebooks/08_face_photo.ipynb.
    """
    table = nn.Embedding(50, 8)
    before, ids = table.weight.detach().clone(), [3, 17, 41]
    start = expect_tensor(start_between(table, ids), (1, 8))
    if not is_close(start.detach(), before[ids].mean(0)[None]):
        if is_close(start.detach(), before[ids].sum(0)[None]):
            raise Mistake("that is the sum of the rows; take the mean.")
        raise Mistake("the start is not the mean of the rows 3, 17 and 41.")
    if not start.requires_grad:
        raise Mistake("X cannot learn: the start asks for no gradient.")
    if not start.is_leaf:
        raise Mistake(
            "the start is still tied to the table, so a gradient flows into "
            "its rows; detach it first."
        )
