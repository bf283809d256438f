"""Lesson 05: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib.exercises import textual_inversion as lesson


def forget_to_scale_the_noise(mean, deviation, noise, scale):
    """Scale the mean alone."""
    return mean * scale + deviation * noise


def forget_scale(mean, deviation, noise, scale):
    """Leave the latents as the VAE gives them."""
    return mean + deviation * noise


def divide(mean, deviation, noise, scale):
    """Go the other way."""
    return (mean + deviation * noise) / scale


def take_the_mean(mean, deviation, noise, scale):
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


def keep_fractions(count, total):
    """Forget that timesteps are whole."""
    return (torch.arange(count) + torch.rand(count)) * total / count


WRONG = [
    (lesson.check_sample_latents, forget_to_scale_the_noise, "as well"),
    (lesson.check_sample_latents, forget_scale, "is missing"),
    (lesson.check_sample_latents, divide, "do not divide"),
    (lesson.check_sample_latents, take_the_mean, "no noise"),
    (lesson.check_take_step, walk_uphill, "uphill"),
    (lesson.check_take_step, forget_lr, "learning rate"),
    (lesson.check_take_step, change_in_place, "have changed"),
    (lesson.check_take_step, keep_the_graph, "the graph"),
    (lesson.check_spread_times, pick_freely, "left out"),
    (lesson.check_spread_times, take_middles, "the same"),
    (lesson.check_spread_times, move_together, "of its own"),
    (lesson.check_spread_times, keep_fractions, "whole numbers"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        assert said in capsys.readouterr().out
