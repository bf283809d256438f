"""Lesson 04: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib.exercises import lesson_04 as lesson


def column(alpha_cumprod):
    """Return one share for each row, ready to multiply latents."""
    return alpha_cumprod[:, None, None, None]


def mix(latents, noise, alpha_cumprod):
    """Mix latents and noise as it should be."""
    return alpha_cumprod**0.5 * latents + (1 - alpha_cumprod) ** 0.5 * noise


def clean(noisy, noise_pred, alpha_cumprod):
    """Take the predicted noise out."""
    return (
        noisy - (1 - alpha_cumprod) ** 0.5 * noise_pred
    ) / alpha_cumprod**0.5


def forget_roots(latents, noise, alpha_cumprod):
    """Mix variances as if they were amplitudes."""
    alpha_cumprod = column(alpha_cumprod)
    return alpha_cumprod * latents + (1 - alpha_cumprod) * noise


def root_too_early(latents, noise, alpha_cumprod):
    """Take one minus the root."""
    root = column(alpha_cumprod) ** 0.5
    return root * latents + (1 - root) * noise


def keep_latents(latents, noise, alpha_cumprod):
    """Only add noise."""
    return latents + (1 - column(alpha_cumprod)) ** 0.5 * noise


def change_latents(latents, noise, alpha_cumprod):
    """Change what was given."""
    latents *= column(alpha_cumprod) ** 0.5
    return latents + (1 - column(alpha_cumprod)) ** 0.5 * noise


def change_without(without, first, second, scale):
    """Change what was given."""
    without += scale * (first + second - 2 * without)
    return without


def add_fresh_noise(noisy, noise_pred, alpha_cumprod, next_alpha_cumprod):
    """Do as DDPM does."""
    fresh = torch.randn_like(noise_pred)
    return mix(
        clean(noisy, noise_pred, alpha_cumprod), fresh, next_alpha_cumprod
    )


def step_without_roots(noisy, noise_pred, alpha_cumprod, next_alpha_cumprod):
    """Forget all square roots."""
    latents = (noisy - (1 - alpha_cumprod) * noise_pred) / alpha_cumprod
    return next_alpha_cumprod * latents + (1 - next_alpha_cumprod) * noise_pred


def step_undivided(noisy, noise_pred, alpha_cumprod, next_alpha_cumprod):
    """Forget to divide by the root of alpha_cumprod."""
    latents = noisy - (1 - alpha_cumprod) ** 0.5 * noise_pred
    return mix(latents, noise_pred, next_alpha_cumprod)


def step_full_size(noisy, noise_pred, alpha_cumprod, next_alpha_cumprod):
    """Forget to shrink the clean prediction again."""
    latents = clean(noisy, noise_pred, alpha_cumprod)
    return latents + (1 - next_alpha_cumprod) ** 0.5 * noise_pred


def step_small(noisy, noise_pred, alpha_cumprod, next_alpha_cumprod):
    """Draw other pictures than on small examples."""
    latents = clean(noisy, noise_pred, alpha_cumprod)
    if noisy.shape[-1] > 5:
        latents = latents * 0.9
    return mix(latents, noise_pred, next_alpha_cumprod)


ADD, GUIDE = lesson.check_add_noise, lesson.check_guide_by_two
STEP = lesson.check_step_ddim
WRONG = [
    (ADD, forget_roots, "square root"),
    (ADD, root_too_early, "not one minus the root"),
    (ADD, keep_latents, "have to shrink"),
    (ADD, change_latents, "has changed"),
    (
        ADD,
        lambda a, n, s: mix(a, 0 * n, column(s)) + (1 - column(s)) * n,
        "only `alpha_cumprod` has its square root",
    ),
    (
        ADD,
        lambda a, n, s: column(s) * a + mix(0 * a, n, column(s)),
        "only `1 - alpha_cumprod` has its square root",
    ),
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
    (STEP, step_small, "in the loop your picture and diffusers' differ"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out


def test_right_answers_are_right(capsys):
    ADD(lambda a, n, s: mix(a, n, column(s)))
    GUIDE(lambda w, a, b, s: w + s * (a - w) + s * (b - w))
    STEP(lambda x, g, s, n: mix(clean(x, g, s), g, n))
    added, guided, stepped = capsys.readouterr().out.splitlines()
    assert (added, guided) == ("Right.", "Right.")
    assert stepped.startswith("Right. A picture of 20 of your steps is that")
