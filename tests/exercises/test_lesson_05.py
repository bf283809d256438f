"""Lesson 05: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib.exercises import lesson_05 as lesson


def forget_to_scale_the_noise(mean, std, noise, scale):
    """Scale the mean alone."""
    return mean * scale + std * noise


def forget_scale(mean, std, noise, scale):
    """Leave the latents as the VAE gives them."""
    return mean + std * noise


def divide(mean, std, noise, scale):
    """Go the other way."""
    return (mean + std * noise) / scale


def take_the_mean(mean, std, noise, scale):
    """Leave out chance."""
    return mean * scale


def find_gradient(loss_of, vectors):
    """Return the gradient at the vectors."""
    leaf = vectors.detach().clone().requires_grad_()
    return torch.autograd.grad(loss_of(leaf), leaf)[0]


def walk_uphill(loss_of, vectors, lr):
    """Add the gradient."""
    return vectors + lr * find_gradient(loss_of, vectors)


def forget_lr(loss_of, vectors, lr):
    """Take the whole gradient."""
    return vectors - find_gradient(loss_of, vectors)


def change_in_place(loss_of, vectors, lr):
    """Change what was given."""
    vectors -= lr * find_gradient(loss_of, vectors)
    return vectors


def change_the_mean(mean, std, noise, scale):
    """Change what was given."""
    mean += std * noise
    return mean * scale


def ask_the_given(loss_of, vectors, lr):
    """Have the given vectors themselves ask for a gradient."""
    vectors.requires_grad_()
    loss_of(vectors).backward()
    return vectors.detach() - lr * vectors.grad


def keep_the_graph(loss_of, vectors, lr):
    """Return a result that is still tied to the leaf."""
    leaf = vectors.clone().requires_grad_()
    return leaf - lr * torch.autograd.grad(loss_of(leaf), leaf)[0]


def pick_freely(count, total):
    """Pick timesteps one by one."""
    return torch.randint(total, (count,))


def take_middles(count, total):
    """Leave nothing to chance."""
    return (torch.arange(count) + 0.5).mul(total / count).long()


def move_together(count, total):
    """Use one random number for all shares."""
    return ((torch.arange(count) + torch.rand(1)) * total / count).long()


def take_lower_halves(count, total):
    """Leave the upper half of each share out."""
    return (
        (torch.arange(count) + torch.rand(count) / 2) * total / count
    ).long()


def take_upper_halves(count, total):
    """Leave the lower half of each share out."""
    return (
        (torch.arange(1, count + 1) - torch.rand(count) / 2) * total / count
    ).long()


def spread_over_lines(count, total):
    """Add a random number that is not stretched."""
    return (torch.linspace(0, total - 1, count) + torch.rand(count)).long()


def round_too_early(count, total):
    """Drop the fractions of numbers below one."""
    return ((torch.arange(count) + torch.rand(count)) / count).long() * total


def spread_eight(count, total):
    """Use the numbers of the example."""
    return ((torch.arange(8) + torch.rand(8)) * 125).long()


def keep_fractions(count, total):
    """Forget that timesteps are whole."""
    return (torch.arange(count) + torch.rand(count)) * total / count


WRONG = [
    (lesson.check_sample_latents, forget_to_scale_the_noise, "as well"),
    (lesson.check_sample_latents, forget_scale, "is missing"),
    (lesson.check_sample_latents, divide, "do not divide"),
    (lesson.check_sample_latents, take_the_mean, "no noise"),
    (lesson.check_sample_latents, change_the_mean, "has changed"),
    (
        lesson.check_sample_latents,
        lambda m, d, n, s: (m + d**2 * n) * s,
        "do not square",
    ),
    (
        lesson.check_sample_latents,
        lambda m, d, n, s: (m + d**0.5 * n) * s,
        "no root",
    ),
    (lesson.check_take_step, walk_uphill, "uphill"),
    (lesson.check_take_step, forget_lr, "learning rate"),
    (lesson.check_take_step, change_in_place, "has changed"),
    (lesson.check_take_step, ask_the_given, "now asks for a gradient"),
    (
        lesson.check_take_step,
        lambda f, v, lr: lr * find_gradient(f, v),
        "subtract it from",
    ),
    (
        lesson.check_take_step,
        lambda f, v, lr: -lr * find_gradient(f, v),
        "add it to",
    ),
    (
        lesson.check_take_step,
        lambda f, v, lr: find_gradient(f, v),
        "the gradient alone",
    ),
    (lesson.check_take_step, keep_the_graph, "the graph"),
    (lesson.check_spread_times, pick_freely, "left out"),
    (lesson.check_spread_times, take_middles, "the same"),
    (lesson.check_spread_times, move_together, "of its own"),
    (lesson.check_spread_times, keep_fractions, "whole numbers"),
    (lesson.check_spread_times, take_lower_halves, "each share should be"),
    (lesson.check_spread_times, take_upper_halves, "each share should be"),
    (lesson.check_spread_times, spread_over_lines, "each share should be"),
    (lesson.check_spread_times, round_too_early, "all are 0"),
    (lesson.check_spread_times, spread_eight, "should have shape (5,)"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
