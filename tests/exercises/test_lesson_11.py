"""Lesson 11: typical wrong answers get a message that names the mistake."""

import numpy as np
import pytest

from tutorial_lib.exercises import lesson_11 as lesson


def compare_with_itself(photos):
    """Forget to leave the photo out."""
    return (photos @ photos.T).mean(1).tolist()


def keep_itself_in_the_sum(photos):
    """Divide by the others, and add the photo itself."""
    return ((photos @ photos.T).sum(1) / (len(photos) - 1)).tolist()


def divide_by_all(photos):
    """Leave the photo out of the sum alone."""
    cosines = photos @ photos.T
    return ((cosines.sum(1) - cosines.diagonal()) / len(photos)).tolist()


def add_up(photos):
    """Return sums."""
    cosines = photos @ photos.T
    return (cosines.sum(1) - cosines.diagonal()).tolist()


def take_one_mean(photos):
    """Return one number for all."""
    return divide_by_all(photos)[0]


def return_all_cosines(photos):
    """Return the table."""
    return photos @ photos.T


def take_the_nearest(photos):
    """Compare with the most similar one alone."""
    cosines = photos @ photos.T
    return (cosines - 2 * cosines.diagonal().diag()).amax(1).tolist()


def resample(draw, ends=(2.5, 97.5)):
    """Return a function that takes means of what `draw` chooses."""

    def interval(cosines):
        rng = np.random.default_rng(0)
        return np.percentile(
            [draw(rng, cosines).mean() for _ in range(2000)], ends
        )

    return interval


def draw_prompts(rng, cosines):
    """Draw whole prompts."""
    return cosines[rng.integers(len(cosines), size=len(cosines))]


def draw_pictures(rng, cosines):
    """Draw single pictures."""
    return rng.choice(cosines.ravel(), size=cosines.size)


def draw_within_prompts(rng, cosines):
    """Keep the prompts, and draw pictures of each."""
    columns = rng.integers(cosines.shape[1], size=cosines.shape)
    return np.take_along_axis(cosines, columns, axis=1)


def draw_one_prompt(rng, cosines):
    """Draw a single prompt."""
    return cosines[rng.integers(len(cosines))]


def spread_of_prompts(cosines):
    """Take no draws at all."""
    return np.percentile(cosines.mean(1), [2.5, 97.5])


def return_mean(cosines):
    """Return one number."""
    return float(cosines.mean())


def ignore_parts(batch_size, image, free):
    """Take what fits, whether it divides the batch or not."""
    return min(batch_size, int(free // image))


def take_divisor(fits, otherwise=0):
    """Return a function that takes the largest part that `fits`."""

    def choose(batch_size, image, free):
        sizes = [n for n in range(1, batch_size + 1) if batch_size % n == 0]
        return max(
            (n for n in sizes if fits(n * image, free)), default=otherwise
        )

    return choose


def count_parts(batch_size, image, free):
    """Return the number of parts."""
    size = take_divisor(lambda wanted, free: wanted <= free)(
        batch_size, image, free
    )
    return batch_size // size if size else 0


WRONG = [
    (lesson.check_compare_photos, compare_with_itself, "always 1"),
    (lesson.check_compare_photos, keep_itself_in_the_sum, "in the sum"),
    (lesson.check_compare_photos, divide_by_all, "number of the others"),
    (lesson.check_compare_photos, add_up, "not their sum"),
    (lesson.check_compare_photos, take_one_mean, "one number for each photo"),
    (lesson.check_compare_photos, return_all_cosines, "as many numbers"),
    (lesson.check_compare_photos, take_the_nearest, "was expected"),
    (lesson.check_resample_prompts, resample(draw_pictures), "whole prompts"),
    (
        lesson.check_resample_prompts,
        resample(draw_within_prompts),
        "whole prompts",
    ),
    (
        lesson.check_resample_prompts,
        resample(draw_prompts, (5, 95)),
        "middle 95 %",
    ),
    (lesson.check_resample_prompts, resample(draw_one_prompt), "spread"),
    (lesson.check_resample_prompts, spread_of_prompts, "spread"),
    (lesson.check_resample_prompts, return_mean, "two numbers"),
    (lesson.check_choose_micro_batch, ignore_parts, "equal parts"),
    (
        lesson.check_choose_micro_batch,
        take_divisor(lambda wanted, free: wanted < free),
        "`<=`",
    ),
    (
        lesson.check_choose_micro_batch,
        take_divisor(lambda wanted, free: wanted <= free, otherwise=1),
        "return 0",
    ),
    (lesson.check_choose_micro_batch, count_parts, "how many parts"),
    (
        lesson.check_choose_micro_batch,
        lambda batch_size, image, free: batch_size,
        "do not fit",
    ),
    (lesson.check_choose_micro_batch, lambda *sizes: 1, "4 fit"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        line = capsys.readouterr().out.replace("\n", " ")
        assert line.startswith("Not yet: ") and said in line
