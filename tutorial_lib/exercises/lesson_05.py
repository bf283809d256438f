"""Checks of the exercises of lesson 05: loss, steps, a sample, timesteps."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tutorial_lib.exercises.checking import (
    Mistake,
    Mistakes,
    expect_tensor,
    is_close,
    name_mistake,
    tells_mistakes,
)
from tutorial_lib.exercises.tiny_models import (
    compare_with_library,
    load_tiny_models,
    make_random_vectors,
)
from tutorial_lib.exercises.training_loops import (
    Loss,
    Vectors,
    list_loop_mistakes,
    run_loop,
)
from tutorial_lib.generation import encode_token_ids
from tutorial_lib.images import load_concept
from tutorial_lib.inversion import (
    DenoisingLoss,
    TextualInversionTrainer,
    TrainingConfig,
)
from tutorial_lib.models import Models
from tutorial_lib.words import LearnedWord, tokenize_prompts

Latents = Float[Tensor, "batch channels height width"]
Timesteps = Int[Tensor, " batch"]
PromptEmbeds = Float[Tensor, "batch tokens width"]
Functions = tuple[  # `encode_text`, `add_noise` and `unet`
    Callable[[Vectors], PromptEmbeds],
    Callable[[Latents, Latents, Timesteps], Latents],
    Callable[[Latents, Timesteps, PromptEmbeds], Latents],
]
ComputeLoss = Callable[..., Float[Tensor, ""]]  # see the check
Train = Callable[[Vectors, Sequence[Loss], Sequence[float]], Vectors]
TEMPLATE = "a photo of a T-shirt in the style of {}"
NUM_STEPS = 3  # of the library's trainer, whose vectors are kept after each
# What the library is compared with: in bfloat16 two ways would differ.
BATCH: dict[str, Any] = {"batch_size": 4, "autocast": False}
LOOP_TOLERANCE = 1e-6


@tells_mistakes
def check_compute_loss(compute_loss: ComputeLoss) -> str:
    """Check a function that computes the paper's loss.

    `compute_loss(vectors, latents, noise, timesteps, encode_text, add_noise,
    unet)` is to return the mean squared error of the predicted noise. At
    last it gets a batch of the library's, and loss and gradient are compared.
    Taught in notebooks/05_textual_inversion.ipynb.
    """
    latents, noise = torch.randn(2, 3, 4, 5, 5, dtype=torch.float64)
    vectors = torch.randn(1, 6, dtype=torch.float64).requires_grad_(True)
    timesteps = torch.randint(100, 900, (3,))
    functions = encode_toy_text, add_toy_noise, predict_toy_noise
    loss = expect_tensor(
        compute_loss(vectors, latents, noise, timesteps, *functions), ()
    )
    embeds = encode_toy_text(vectors)
    noisy = add_toy_noise(latents, noise, timesteps)
    error = predict_toy_noise(noisy, timesteps, embeds) - noise
    if not is_close(loss.detach(), error.detach().square().mean()):
        mistakes = list_loss_mistakes(latents, noise, timesteps, embeds)
        name_mistake(loss.detach(), mistakes)
        raise Mistake("the loss is not the mean squared error of the noise.")
    if not loss.requires_grad:
        raise Mistake(
            "the number is right, but no gradient leads back to X; compute it "
            "without `torch.no_grad()`, `detach()` or `item()`."
        )
    return compare_with_loss(compute_loss)


def encode_toy_text(vectors: Vectors) -> PromptEmbeds:
    """Make three texts of two tokens from X's vectors."""
    return torch.stack([vectors.tanh(), vectors.sin()], dim=1).repeat(3, 1, 1)


def add_toy_noise(
    latents: Latents, noise: Latents, timesteps: Timesteps
) -> Latents:
    """Mix latents and noise."""
    share = (timesteps / 1000)[:, None, None, None]
    return (1 - share).sqrt() * latents + share.sqrt() * noise


def predict_toy_noise(
    noisy: Latents, timesteps: Timesteps, embeds: PromptEmbeds
) -> Latents:
    """Predict something of all that a U-Net is given."""
    told = embeds.mean(dim=(1, 2)) + timesteps / 1000
    return (noisy + told[:, None, None, None]).sin()


def list_loss_mistakes(
    latents: Latents,
    noise: Latents,
    timesteps: Timesteps,
    embeds: PromptEmbeds,
) -> Mistakes:
    """List wrong losses with the mistakes behind them."""
    embeds = embeds.detach()
    noisy = add_toy_noise(latents, noise, timesteps)
    noise_pred = predict_toy_noise(noisy, timesteps, embeds)
    of_clean = predict_toy_noise(latents, timesteps, embeds)
    of_noise = predict_toy_noise(noise, timesteps, embeds)
    swapped = add_toy_noise(noise, latents, timesteps)
    of_swapped = predict_toy_noise(swapped, timesteps, embeds)
    error = noise_pred - noise
    return [
        (
            (noise_pred - latents).square().mean(),
            "the U-Net predicts the noise, and you compare with the latents.",
        ),
        (
            (noise_pred - noisy).square().mean(),
            "compare with the noise that was mixed in, not with the mixture.",
        ),
        (
            (of_clean - noise).square().mean(),
            "the U-Net has to see the *noisy* latents; yours sees the clean "
            "ones.",
        ),
        (
            (of_noise - noise).square().mean(),
            "the U-Net sees pure noise; mix the latents in with `add_noise`.",
        ),
        (
            (of_swapped - noise).square().mean(),
            "latents and noise are swapped in `add_noise`; the latents come "
            "first.",
        ),
        (error.square().sum(), "that is the sum; take the mean."),
        (error.abs().mean(), "those are absolute errors; square them."),
        (error.square().mean().sqrt(), "no root: the mean square is wanted."),
        (error.mean(), "errors up and down cancel out; square them first."),
    ]


def compare_with_loss(compute_loss: ComputeLoss) -> str:
    """Compute the loss of a batch of the library's, and compare."""
    models = load_tiny_models()
    paper = replace(models.profile, middle_timesteps=None)
    vectors = make_random_vectors(models.profile.embedding_width)
    vectors.requires_grad_(True)
    word = LearnedWord(word="X", vectors=vectors)
    library = DenoisingLoss(
        replace(models, profile=paper),
        load_concept("tshirt").images[:4],
        [TEMPLATE],
        word,
        progress=False,
        **BATCH,
    )
    batch = library.sample_batch(torch.Generator().manual_seed(0))
    theirs = library.compute_on(*batch)
    [gradient] = torch.autograd.grad(theirs, vectors)
    mine = compute_loss(vectors, *batch[:3], *list_functions(models, word))
    [own_gradient] = torch.autograd.grad(mine, vectors)
    compare_with_library(mine, theirs, "the tiny U-Net's loss")
    difference = compare_with_library(own_gradient, gradient, "its gradient")
    return (
        f"On a batch of the library's your loss is {mine.item():.6f}, the "
        f"library's {theirs.item():.6f}; X's gradients differ by at most "
        f"{difference:.1g}."
    )


def list_functions(models: Models, word: LearnedWord) -> Functions:
    """Return `encode_text`, `add_noise` and `unet` of the tiny models."""
    token_ids = tokenize_prompts(
        models.pipeline.tokenizer, [TEMPLATE.format("X")] * 4, words=[word]
    )

    def encode_text(vectors: Vectors) -> PromptEmbeds:
        """Encode the sentence with X, whose vectors these are."""
        now = replace(word, vectors=vectors)
        return encode_token_ids(models, token_ids, words=[now])

    def add_noise(
        latents: Latents, noise: Latents, timesteps: Timesteps
    ) -> Latents:
        """Mix latents and noise as the schedule says."""
        scheduler = models.pipeline.scheduler
        return scheduler.add_noise(latents, noise, timesteps)

    def unet(
        noisy: Latents, timesteps: Timesteps, prompt_embeds: PromptEmbeds
    ) -> Latents:
        """Let the U-Net predict the noise."""
        return models.pipeline.unet(
            noisy, timesteps, encoder_hidden_states=prompt_embeds
        ).sample

    return encode_text, add_noise, unet


@tells_mistakes
def check_train(train: Train) -> str:
    """Check a function that takes the training steps of X.

    `train(vectors, losses, lrs)` is to return X's vectors after a step of
    AdamW down each loss. At last the losses are those of the library's
    trainer, on its batches, and X is compared with its X. Taught in
    notebooks/05_textual_inversion.ipynb.
    """
    matrix = torch.randn(6, 6, dtype=torch.float64)

    def make_loss(target: Vectors) -> Loss:
        """Make the loss of a batch."""
        return lambda vectors: (
            ((vectors @ matrix).sin() - target).square().sum()
        )

    for lrs in ([0.03, 0.02, 0.01], [0.2, 0.1]):
        vectors = torch.randn(2, 6, dtype=torch.float64)
        losses = [make_loss(torch.randn(2, 6).double()) for _ in lrs]
        trained = expect_tensor(train(vectors, losses, lrs), (2, 6))
        given = vectors, losses, lrs
        if not is_close(trained.detach(), run_loop(*given), LOOP_TOLERANCE):
            name_mistake(trained.detach(), list_loop_mistakes(*given))
            raise Mistake("the vectors are not those of AdamW's steps.")
        if trained.requires_grad:
            raise Mistake("X still asks for a gradient; return `x.detach()`.")
    return compare_with_trainer(train)


def compare_with_trainer(train: Train) -> str:
    """Take the steps of the library's trainer with `train`; compare X."""
    models, images = load_tiny_models(), load_concept("tshirt").images[:4]
    config = TrainingConfig(
        recipe="denoising",
        kind="pattern",
        templates=[TEMPLATE],
        steps=NUM_STEPS,
        **BATCH,
    )
    trainer = TextualInversionTrainer(models, images, config, progress=False)
    begun = trainer.start.clone()
    trainer.fit()
    history = trainer.history
    loss = DenoisingLoss(
        models, images, [TEMPLATE], trainer.word, progress=False, **BATCH
    )
    generator = torch.Generator().manual_seed(config.seed)
    batches = [loss.sample_batch(generator) for _ in range(NUM_STEPS)]

    def make_loss(number: int) -> Loss:
        """Make the loss on the batch of a step, as it depends on X."""

        def lose(vectors: Vectors) -> Float[Tensor, ""]:
            """Return the loss on the batch, with these vectors as X's."""
            loss.word = replace(trainer.word, vectors=vectors)
            return loss.compute_on(*batches[number])

        return lose

    losses = [make_loss(number) for number in range(NUM_STEPS)]
    lrs = [history[step]["lr"] for step in range(1, NUM_STEPS + 1)]
    trained = train(begun, losses, lrs)
    theirs = history[NUM_STEPS]["vectors"]
    difference = compare_with_library(trained, theirs, "your X")
    moved = (theirs - begun).abs().max().item()
    return (
        f"On the batches of the library's trainer X moved by up to "
        f"{moved:.3f} in {NUM_STEPS} steps; yours and the library's differ "
        f"by at most {difference:.1g}."
    )


@tells_mistakes
def check_sample_latents(
    sample_latents: Callable[[Latents, Latents, Latents, float], Latents],
) -> None:
    """Check a function that samples latents from what the VAE described.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    shape, scale = (3, 4, 5, 3), 0.18
    mean, std, noise = torch.randn(3, *shape, dtype=torch.float64)
    std = std.abs()
    truth = (mean + std * noise) * scale
    latents = expect_tensor(sample_latents(mean, std, noise, scale), shape)
    if is_close(latents, truth):
        return
    mistakes = [
        (
            mean * scale + std * noise,
            "the std needs the scaling factor as well.",
        ),
        (mean + std * noise, "the scaling factor is missing."),
        (
            truth / scale**2,
            "multiply by the scaling factor, do not divide.",
        ),
        (mean * scale, "that is the mean; no noise has come in."),
        (
            (mean + noise) * scale,
            "the noise is to be as wide as the std.",
        ),
        (
            (mean + std.sqrt() * noise) * scale,
            "you are given the std, no variance: no root.",
        ),
        (
            (mean + std.square() * noise) * scale,
            "you are given the std; do not square it.",
        ),
    ]
    name_mistake(latents, mistakes)
    raise Mistake("the sample is not right.")


@tells_mistakes
def check_spread_times(
    spread_times: Callable[[int, int], Int[Tensor, " count"]],
) -> None:
    """Check a function that spreads timesteps over the schedule.

    Taught in notebooks/05_textual_inversion.ipynb.
    """
    for count, total in ((8, 1000), (5, 600)):
        calls = [spread_times(count, total) for _ in range(40)]
        timesteps = torch.stack(
            [expect_tensor(result, (count,)) for result in calls]
        )
        if timesteps.is_floating_point():
            raise Mistake("timesteps are whole numbers; end with `.long()`.")
        if (timesteps == 0).all():
            raise Mistake(
                "all are 0: stretch the sum to `total` first, and end with "
                "`.long()`."
            )
        if timesteps.min() < 0 or timesteps.max() >= total:
            raise Mistake(
                f"of {total}, timesteps go from 0 to {total - 1}, and yours "
                f"from {timesteps.min()} to {timesteps.max()}."
            )
        if (timesteps == timesteps[0]).all():
            raise Mistake(
                "each call gives the same; pick at random in a share, and "
                "end with `.long()`."
            )
        compare_shares(timesteps, count, total)


def compare_shares(
    timesteps: Int[Tensor, "calls count"], count: int, total: int
) -> None:
    """Raise Mistake unless each call's timesteps are spread over shares."""
    timesteps = timesteps.sort(dim=1).values
    if (timesteps * count // total != torch.arange(count)).any():
        raise Mistake(
            "some share of the schedule was left out, another picked twice: "
            "one timestep in each."
        )
    within = timesteps * count / total - torch.arange(count)
    if (within.std(dim=1) < 0.01).all():
        raise Mistake("each share needs a random number of its own.")
    if within.amax(0).min() < 0.7 or within.amin(0).max() > 0.3:
        raise Mistake("any timestep of each share should be possible.")
