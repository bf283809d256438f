"""Lesson 04: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib.exercises import lesson_04 as lesson


def column(signal):
    """Return one share for each row, ready to multiply latents."""
    return signal[:, None, None, None]


def mix(latents, noise, signal):
    """Mix latents and noise as it should be."""
    return signal**0.5 * latents + (1 - signal) ** 0.5 * noise


def clean(noisy, guess, signal):
    """Take the guessed noise out."""
    return (noisy - (1 - signal) ** 0.5 * guess) / signal**0.5


def forget_roots(latents, noise, signal):
    """Mix variances as if they were amplitudes."""
    signal = column(signal)
    return signal * latents + (1 - signal) * noise


def root_too_early(latents, noise, signal):
    """Take one minus the root."""
    root = column(signal) ** 0.5
    return root * latents + (1 - root) * noise


def keep_latents(latents, noise, signal):
    """Only add noise."""
    return latents + (1 - column(signal)) ** 0.5 * noise


def change_latents(latents, noise, signal):
    """Change what was given."""
    latents *= column(signal) ** 0.5
    return latents + (1 - column(signal)) ** 0.5 * noise


def change_without(without, first, second, scale):
    """Change what was given."""
    without += scale * (first + second - 2 * without)
    return without


def add_fresh_noise(noisy, guess, signal, next_signal):
    """Do as DDPM does."""
    fresh = torch.randn_like(guess)
    return mix(clean(noisy, guess, signal), fresh, next_signal)


def step_without_roots(noisy, guess, signal, next_signal):
    """Forget all square roots."""
    found = (noisy - (1 - signal) * guess) / signal
    return next_signal * found + (1 - next_signal) * guess


def step_undivided(noisy, guess, signal, next_signal):
    """Forget to divide by the root of the signal."""
    found = noisy - (1 - signal) ** 0.5 * guess
    return mix(found, guess, next_signal)


def step_full_size(noisy, guess, signal, next_signal):
    """Forget to shrink the clean guess again."""
    found = clean(noisy, guess, signal)
    return found + (1 - next_signal) ** 0.5 * guess


ADD, GUIDE = lesson.check_add_noise, lesson.check_guide_by_two
STEP = lesson.check_step_ddim
WRONG = [
    (ADD, forget_roots, "square root"),
    (ADD, root_too_early, "not one minus the root"),
    (ADD, keep_latents, "have to shrink"),
    (ADD, change_latents, "has changed"),
    (ADD, lambda a, n, s: mix(a, 0 * n, column(s)) + (1 - column(s)) * n,
     "only `signal` has its square root"),
    (ADD, lambda a, n, s: column(s) * a + mix(0 * a, n, column(s)),
     "only `1 - signal` has its square root"),
    (ADD, lambda a, n, s: column(s) ** 0.5 * a + n, "shrink as well"),
    (ADD, lambda a, n, s: mix(n, a, column(s)), "swapped"),
    (ADD, mix, "follows the columns"),
    (ADD, lambda a, n, s: None, "`return` missing"),
    (GUIDE, lambda w, a, b, s: 2 * w + s * (a + b - 2 * w), "counts twice"),
    (GUIDE, lambda w, a, b, s: w - s * (a + b - 2 * w), "lead away"),
    (GUIDE, lambda w, a, b, s: s * (a + b - 2 * w), "add `without`"),
    (GUIDE, lambda w, a, b, s: w + s * ((a + b) / 2 - w), "half as far"),
    (GUIDE, lambda w, a, b, s: w + s * (b - a), "with each other"),
    (GUIDE, lambda w, a, b, s: w + s * (a - w), "only one"),
    (GUIDE, lambda w, a, b, s: s * (a + b), "not yet"),
    (GUIDE, change_without, "has changed"),
    (STEP, lambda x, g, s, n: clean(x, g, s), "put some of the noise back"),
    (STEP, lambda x, g, s, n: mix(clean(x, g, s), g, s), "nothing has chang"),
    (STEP, lambda x, g, s, n: mix(clean(x, g, n), g, n), "nothing has chang"),
    (STEP, lambda x, g, s, n: mix(clean(x, g, n), g, s), "are swapped"),
    (STEP, add_fresh_noise, "no fresh noise"),
    (STEP, step_without_roots, "square roots"),
    (STEP, step_undivided, "still shrunk"),
    (STEP, step_full_size, "shrink again"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out


def test_right_answers_are_right(capsys):
    ADD(lambda a, n, s: mix(a, n, column(s)))
    GUIDE(lambda w, a, b, s: w + s * (a - w) + s * (b - w))
    STEP(lambda x, g, s, n: mix(clean(x, g, s), g, n))
    assert capsys.readouterr().out == "Right.\n" * 3
