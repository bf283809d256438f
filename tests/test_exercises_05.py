"""Lesson 05: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib.exercises import textual_inversion as lesson


def stretch(signal):
    """Stretch (n,) over pictures."""
    return signal[:, None, None, None]


def forget_roots(latents, noise, signal):
    """Mix without square roots."""
    return stretch(signal) * latents + (1 - stretch(signal)) * noise


def swap(latents, noise, signal):
    """Take the noise for the picture."""
    signal = stretch(signal)
    return signal**0.5 * noise + (1 - signal) ** 0.5 * latents


def stretch_wrongly(latents, noise, signal):
    """Stretch along the last axis."""
    return signal**0.5 * latents + (1 - signal) ** 0.5 * noise


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


def stop_at_once(errors, window=4):
    """Stop whenever the last error is no better."""
    return len(errors) > 1 and errors[-1] >= errors[-2]


def stop_without_a_new_best(errors, window=4):
    """Forget the two per cent."""
    if len(errors) <= window:
        return False
    return min(errors[-window:]) >= min(errors[:-window])


WRONG = [
    (lesson.check_mix_noise, forget_roots, "square roots"),
    (lesson.check_mix_noise, swap, "changed places"),
    (lesson.check_mix_noise, stretch_wrongly, "last axis"),
    (lesson.check_take_step, walk_uphill, "uphill"),
    (lesson.check_take_step, forget_lr, "learning rate"),
    (lesson.check_take_step, change_in_place, "have changed"),
    (lesson.check_take_step, keep_the_graph, "the graph"),
    (lesson.check_is_time_to_stop, lambda e, window=4: False, "time to stop"),
    (lesson.check_is_time_to_stop, stop_at_once, "it is time to stop|so few"),
    (lesson.check_is_time_to_stop, stop_without_a_new_best, "2 %"),
]


@pytest.mark.parametrize(("check", "answer", "said"), WRONG)
def test_a_typical_mistake_is_named(check, answer, said, capsys):
    for _ in range(5):
        check(answer)
        line = capsys.readouterr().out
        assert any(each in line for each in said.split("|"))
