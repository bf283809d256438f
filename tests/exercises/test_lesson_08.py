"""Lesson 08: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib.exercises import lesson_08 as lesson


def take_the_farthest(colors, count=6):
    """Choose those farthest from photo 0."""
    distances = torch.cdist(colors, colors)
    return [0, *distances[0].topk(count - 1).indices.tolist()]


def choose_by(measure, again):
    """Return a function that chooses the photo farthest by a measure."""

    def choose(colors, count=6):
        distances, chosen = torch.cdist(colors, colors), [0]
        while len(chosen) < count:
            far = measure(distances[chosen]).clone()
            if not again:
                far[chosen] = -1
            chosen.append(int(far.argmax()))
        return chosen

    return choose


def choose_twice(colors, count=6):
    """Choose the nearest, again and again."""
    return [0] * count


def count_any(people, told):
    """Count people with one of the features."""
    return sum(any(p[k] == v for k, v in told.items()) for p in people)


def list_fitting(people, told):
    """Return the people instead of their number."""
    return [p for p in people if all(p[k] == v for k, v in told.items())]


def forget_the_unsaid(people, told):
    """Let a description of nothing fit nobody."""
    if not told:
        return 0
    return len(list_fitting(people, told))


def sift(people, told):
    """Throw those out of the list that do not fit."""
    people[:] = list_fitting(people, told)
    return len(people)


def compare_some(places):
    """Return a function that compares the first photo with some others."""

    def find(photos):
        others = [photos[i] for i in places] if len(photos) > 1 else []
        return {
            k: v
            for k, v in photos[0].items()
            if all(p.get(k) == v for p in others)
        }

    return find


def ignore_the_first(photos):
    """Find what all but the first photo share."""
    return {
        k: v
        for k, v in photos[-1].items()
        if all(p.get(k) == v for p in photos[1:])
    }


def trust_the_names(photos):
    """Look up a name that a photo may lack."""
    return {
        k: v for k, v in photos[0].items() if all(p[k] == v for p in photos)
    }


def change_the_first(photos):
    """Throw out of the first photo what it does not share."""
    for name, value in want_two_photos(photos).items():
        photos[0].pop(name, value)
    return photos[0]


def look_at_the_first(photos):
    """Take the first photo for all."""
    return photos[0]


def let_most_decide(photos):
    """Take what more than half of the photos show."""

    def count(name, value):
        return sum(p.get(name) == value for p in photos)

    return {
        k: v for k, v in photos[0].items() if count(k, v) > len(photos) / 2
    }


def list_names(photos):
    """Return names of features without their values."""
    return [
        k for k, v in photos[0].items() if all(p.get(k) == v for p in photos)
    ]


def skip_what_is_missing(photos):
    """Compare only the photos that have the feature."""
    return {
        k: v
        for k, v in photos[0].items()
        if all(p[k] == v for p in photos if k in p)
    }


def want_two_photos(photos):
    """Share nothing if there is but one photo."""
    if len(photos) == 1:
        return {}
    return {
        k: v
        for k, v in photos[0].items()
        if all(p.get(k) == v for p in photos)
    }


def forget_to_return(photos):
    """Find it, and keep it for oneself."""
    want_two_photos(photos)


WRONG = [
    (lesson.check_choose_varied, take_the_farthest, "every photo"),
    (
        lesson.check_choose_varied,
        choose_by(lambda d: d.sum(0), False),
        "add up the distances",
    ),
    (
        lesson.check_choose_varied,
        choose_by(lambda d: d.mean(0), True),
        "add up the distances",
    ),
    (
        lesson.check_choose_varied,
        choose_by(lambda d: d.amax(0), True),
        "the farthest photo chosen",
    ),
    (
        lesson.check_choose_varied,
        choose_by(lambda d: d.amax(0), False),
        "the farthest photo chosen",
    ),
    (
        lesson.check_choose_varied,
        choose_by(lambda d: d[-1], True),
        "chosen last alone",
    ),
    (
        lesson.check_choose_varied,
        choose_by(lambda d: d[-1], False),
        "chosen last alone",
    ),
    (lesson.check_choose_varied, choose_twice, "twice"),
    (lesson.check_count_fitting, count_any, "must have all"),
    (lesson.check_count_fitting, list_fitting, "not who"),
    (lesson.check_count_fitting, forget_the_unsaid, "fits everybody"),
    (lesson.check_count_fitting, sift, "has changed"),
    (lesson.check_find_shared, compare_some([-1]), "do not agree"),
    (lesson.check_find_shared, compare_some([1]), "do not agree"),
    (lesson.check_find_shared, compare_some([1, 2, 3, 5]), "not agree"),
    (lesson.check_find_shared, ignore_the_first, "do not agree"),
    (lesson.check_find_shared, trust_the_names, "`photo.get(name)`"),
    (lesson.check_find_shared, change_the_first, "has changed"),
    (lesson.check_find_shared, look_at_the_first, "of the first photo"),
    (lesson.check_find_shared, let_most_decide, "most is not all"),
    (lesson.check_find_shared, list_names, "a dict such as"),
    (lesson.check_find_shared, skip_what_is_missing, "is not shared"),
    (lesson.check_find_shared, want_two_photos, "a single photo"),
    (lesson.check_find_shared, forget_to_return, "returns nothing"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        line = capsys.readouterr().out.replace("\n", " ")
        assert said in line
