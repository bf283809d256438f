"""Lesson 05: typical wrong answers get a message that names the mistake."""

import pytest
import torch

from tutorial_lib import devices
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


def change_the_mean(mean, std, noise, scale):
    """Change what was given."""
    mean += std * noise
    return mean * scale


def compute(vectors, latents, noise, timesteps, encode, add_noise, unet):
    """Compute the paper's loss."""
    noisy = add_noise(latents, noise, timesteps)
    noise_pred = unet(noisy, timesteps, encode(vectors))
    return (noise_pred - noise).square().mean()


def compute_with(measure, show=lambda noisy, latents, noise: noisy):
    """Return an answer that measures another error, or shows other latents."""

    def answer(vectors, latents, noise, timesteps, encode, add_noise, unet):
        """Compute a loss that may be wrong."""
        noisy = add_noise(latents, noise, timesteps)
        shown = show(noisy, latents, noise)
        noise_pred = unet(shown, timesteps, encode(vectors))
        return measure(noise_pred, noise, latents, noisy)

    return answer


def square(noise_pred, noise, *_):
    """Return the mean squared error."""
    return (noise_pred - noise).square().mean()


def swap(vectors, latents, noise, timesteps, encode, add_noise, unet):
    """Give latents and noise in the wrong order."""
    noisy = add_noise(noise, latents, timesteps)
    return (unet(noisy, timesteps, encode(vectors)) - noise).square().mean()


def compute_small(vectors, *given):
    """Compute something else where the vectors are as long as CLIP's."""
    return compute(vectors, *given) * (1 if vectors.shape[1] < 100 else 2)


def train(vectors, losses, lrs, **wrong):
    """Take the training steps of X, right or wrong."""
    x = vectors.clone().requires_grad_(True)
    kind = wrong.get("kind", torch.optim.Adam)
    optimizer = kind([x], lr=lrs[0])
    for loss, lr in zip(losses, lrs, strict=True):
        if wrong.get("anew"):
            optimizer = kind([x], lr=lr)
        if not wrong.get("even"):
            optimizer.param_groups[0]["lr"] = lr
        if not wrong.get("adds_up"):
            optimizer.zero_grad()
        (wrong.get("sign", 1) * loss(x)).backward()
        optimizer.step()
    return x if wrong.get("keep") else x.detach()


def train_wrongly(**wrong):
    """Return an answer with some mistake."""
    return lambda *given: train(*given, **wrong)


def train_small(vectors, losses, lrs):
    """Train otherwise where the vectors are as long as CLIP's."""
    x = train(vectors, losses, lrs)
    return x if x.shape[1] < 100 else x + 0.01


def train_on_the_given(vectors, losses, lrs):
    """Have the given vectors themselves ask for a gradient."""
    vectors.requires_grad_(True)
    losses[0](vectors).backward()
    return vectors.detach() - lrs[0] * vectors.grad


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


LOSS, TRAIN = lesson.check_compute_loss, lesson.check_train
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
    (LOSS, lambda *given: compute(*given).detach(), "no gradient leads back"),
    (LOSS, compute_with(lambda p, n, z, t: square(p, z)), "with the latents"),
    (LOSS, compute_with(lambda p, n, z, t: square(p, t)), "not with the mix"),
    (LOSS, compute_with(square, lambda t, z, n: z), "*noisy* latents"),
    (LOSS, compute_with(square, lambda t, z, n: n), "sees pure noise"),
    (LOSS, swap, "are swapped"),
    (LOSS, compute_with(lambda p, n, *_: (p - n).abs().mean()), "square them"),
    (LOSS, compute_with(lambda p, n, *_: ((p - n) ** 2).sum()), "the sum"),
    (LOSS, compute_with(lambda *g: square(*g).sqrt()), "no root"),
    (LOSS, compute_with(lambda p, n, *_: (p - n).mean()), "cancel out"),
    (LOSS, compute_with(lambda p, n, *_: (p - n) ** 2), "have shape ()"),
    (LOSS, lambda *given: compute(*given).item(), "a tensor is wanted"),
    (LOSS, lambda *given: 2 * compute(*given), "not the mean squared error"),
    (LOSS, compute_small, "the tiny U-Net's loss and the library's differ"),
    (TRAIN, train_wrongly(sign=-1), "you go up the loss"),
    (TRAIN, train_wrongly(adds_up=True), "call `optimizer.zero_grad()`"),
    (TRAIN, train_wrongly(anew=True), "make one, before the loop"),
    (TRAIN, train_wrongly(kind=torch.optim.SGD), "Adam is wanted"),
    (TRAIN, train_wrongly(kind=torch.optim.AdamW), "pass `weight_decay=0`"),
    (TRAIN, train_wrongly(even=True), "the first one's learning rate"),
    (TRAIN, train_wrongly(keep=True), "return `x.detach()`"),
    (TRAIN, lambda v, f, lrs: train(v, f[:-1], lrs[:-1]), "step is missing"),
    (TRAIN, lambda v, f, lrs: v.clone(), "X has not moved"),
    (TRAIN, train_on_the_given, "now asks for a gradient"),
    (TRAIN, train_small, "your X and the library's differ"),
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
    for _ in range(3):
        check(answer)
        assert said in capsys.readouterr().out


@pytest.mark.parametrize("has_bfloat16", [False, True])
def test_the_right_loss_and_steps_are_the_library_s(
    capsys, monkeypatch, has_bfloat16
):
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda: has_bfloat16)
    LOSS(compute)
    TRAIN(train)
    loss, steps = capsys.readouterr().out.splitlines()
    assert loss.startswith("Right. On a batch of the library's your loss is")
    assert steps.startswith("Right. On the batches of the library's trainer")
