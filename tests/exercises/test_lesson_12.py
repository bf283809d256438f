"""Lesson 12: typical wrong answers get a message that names the mistake."""

import pytest

from tutorial_lib.exercises import lesson_12 as lesson


def mix_lora(frozen=1, factor=lambda alpha, rank: alpha / rank, share=1):
    """Return a layer whose parts count more or less than they should."""

    def apply(inputs, weight, down, up, alpha):
        change = inputs @ down.T @ up.T
        scale = factor(alpha, len(down))
        return frozen * (inputs @ weight.T) + share * scale * change

    return apply


def scale_all(inputs, weight, down, up, alpha):
    """Scale the frozen layer too."""
    return alpha / len(down) * (inputs @ weight.T + inputs @ down.T @ up.T)


def forget_to_transpose(inputs, weight, down, up, alpha):
    """Multiply matrices that do not fit."""
    return inputs @ weight


def count(number):
    """Return a function that adds up a number of each shape and the rank."""
    return lambda shapes, rank: sum(number(*shape, rank) for shape in shapes)


def step(out=lambda now, later: now, into=lambda now, later: later):
    """Return a step that takes out and mixes in the noise of other alphas."""

    def step_back(latents, noise, alpha_now, alpha_next):
        alpha = out(alpha_now, alpha_next)
        x0 = (latents - (1 - alpha) ** 0.5 * noise) / alpha**0.5
        alpha = into(alpha_now, alpha_next)
        return alpha**0.5 * x0 + (1 - alpha) ** 0.5 * noise

    return step_back


def mix_in_alone(latents, noise, alpha_now, alpha_next):
    """Take no noise out."""
    return alpha_next**0.5 * latents + (1 - alpha_next) ** 0.5 * noise


def take_out_alone(latents, noise, alpha_now, alpha_next):
    """Mix no noise in."""
    return (latents - (1 - alpha_now) ** 0.5 * noise) / alpha_now**0.5


def leave_out_roots(latents, noise, alpha_now, alpha_next):
    """Take shares of the variance for those of the numbers."""
    x0 = (latents - (1 - alpha_now) * noise) / alpha_now
    return alpha_next * x0 + (1 - alpha_next) * noise


def mix_in_too_little(latents, noise, alpha_now, alpha_next):
    """Mix in the noise that was taken out."""
    x0 = take_out_alone(latents, noise, alpha_now, alpha_next)
    return alpha_next**0.5 * x0 + (1 - alpha_now) ** 0.5 * noise


def scale_alone(latents, noise, alpha_now, alpha_next):
    """Scale the image down and leave the noise out."""
    x0 = take_out_alone(latents, noise, alpha_now, alpha_next)
    return alpha_next**0.5 * x0


WRONG = [
    (lesson.check_apply_lora, mix_lora(share=0), "the LoRA is missing"),
    (lesson.check_apply_lora, mix_lora(frozen=0), "the LoRA alone; it"),
    (
        lesson.check_apply_lora,
        mix_lora(factor=lambda alpha, rank: 1),
        "alpha / rank is missing",
    ),
    (
        lesson.check_apply_lora,
        mix_lora(factor=lambda alpha, rank: alpha),
        "divided by the rank",
    ),
    (
        lesson.check_apply_lora,
        mix_lora(factor=lambda alpha, rank: rank / alpha),
        "turned it over",
    ),
    (lesson.check_apply_lora, scale_all, "belongs to the LoRA alone"),
    (lesson.check_apply_lora, forget_to_transpose, "raised RuntimeError"),
    (
        lesson.check_apply_lora,
        mix_lora(share=-1),
        "the outputs are not right",
    ),
    (
        lesson.check_count_lora,
        count(lambda rows, columns, rank: rows * columns),
        "frozen matrices",
    ),
    (
        lesson.check_count_lora,
        count(lambda rows, columns, rank: rank * rows * columns),
        "not times both",
    ),
    (
        lesson.check_count_lora,
        count(lambda rows, columns, rank: rank * rows),
        "`up` alone",
    ),
    (
        lesson.check_count_lora,
        count(lambda rows, columns, rank: rank * columns),
        "`down` alone",
    ),
    (
        lesson.check_count_lora,
        count(lambda rows, columns, rank: rows + columns),
        "the rank is missing",
    ),
    (
        lesson.check_count_lora,
        lambda shapes, rank: rank * sum(shapes[0]),
        "first matrix alone",
    ),
    (
        lesson.check_count_lora,
        count(lambda rows, columns, rank: 4 * rank * (rows + columns)),
        "bytes",
    ),
    (lesson.check_count_lora, lambda shapes, rank: 797_184, "you say 797184"),
    (lesson.check_step_back, take_out_alone, "mix the new amount in"),
    (
        lesson.check_step_back,
        step(lambda now, later: later, lambda now, later: now),
        "towards the image",
    ),
    (lesson.check_step_back, mix_in_alone, "take out the noise"),
    (lesson.check_step_back, mix_in_too_little, "that of `alpha_next`"),
    (lesson.check_step_back, scale_alone, "the noise is missing"),
    (lesson.check_step_back, leave_out_roots, "square roots"),
    (
        lesson.check_step_back,
        lambda latents, *_: latents,
        "the latents are not right",
    ),
]
RIGHT = [
    (lesson.check_apply_lora, mix_lora()),
    (
        lesson.check_count_lora,
        count(lambda rows, columns, rank: rank * (rows + columns)),
    ),
    (lesson.check_step_back, step()),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(20):
        check(answer)
        assert said in capsys.readouterr().out


@pytest.mark.parametrize(("check", "answer"), RIGHT)
def test_a_right_answer_is_right(check, answer, capsys):
    for _ in range(20):
        check(answer)
        assert capsys.readouterr().out == "Right.\n"
