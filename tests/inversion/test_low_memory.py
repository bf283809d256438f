"""Saving memory changes neither the loss nor its gradient, and is said."""

import pytest
import torch
from mini_models import learn

from tutorial_lib.errors import WordError
from tutorial_lib.inversion import DenoisingLoss, SimilarityLoss, trainer
from tutorial_lib.inversion.step_plans import StepPlan
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import use_gradient_checkpointing

SMALLEST = StepPlan(1, gradient_checkpointing=True)


def compute_gradient(models, images, make_word, **settings):
    """Return loss and gradient of one batch, always the same one."""
    word = make_word("X")
    word.vectors.requires_grad_(True)
    loss = DenoisingLoss(
        models,
        images,
        KINDS["pattern"].templates,
        word,
        batch_size=4,
        autocast=False,
        **settings,
    )
    values = []
    for part in loss.compute_parts(torch.Generator().manual_seed(5)):
        part.backward()
        values.append(part.item())
    return sum(values), word.vectors.grad


@pytest.mark.parametrize(
    "settings",
    [
        {"gradient_checkpointing": True},
        {"micro_batch_size": 2},
        {"micro_batch_size": 3},
        {"micro_batch_size": 1, "gradient_checkpointing": True},
    ],
)
def test_loss_and_gradient_are_those_of_the_whole_batch(
    models, images, make_word, settings
):
    value, gradient = compute_gradient(models, images, make_word)
    other, other_gradient = compute_gradient(
        models, images, make_word, **settings
    )
    assert other == pytest.approx(value, rel=1e-5)
    assert gradient.norm() > 0
    assert torch.allclose(other_gradient, gradient, rtol=1e-3, atol=1e-7)


def test_a_compiled_unet_gives_the_same_loss_and_gradient(
    models, images, make_word, monkeypatch
):
    compiled = []
    compile_module = torch.compile

    def compile_quickly(module):
        """Trace the module, without a C++ compiler."""
        compiled.append(compile_module(module, backend="eager"))
        return compiled[-1]

    monkeypatch.setattr(torch, "compile", compile_quickly)
    value, gradient = compute_gradient(models, images, make_word)
    assert not compiled
    other, other_gradient = compute_gradient(
        models, images, make_word, compile=True
    )
    assert len(compiled) == 1
    assert other == pytest.approx(value, rel=1e-5)
    assert torch.allclose(other_gradient, gradient, rtol=1e-3, atol=1e-7)


def test_the_models_are_left_without_checkpointing(models, images):
    blocks = [
        module
        for module in models.pipeline.unet.modules()
        if hasattr(module, "gradient_checkpointing")
    ]
    assert blocks
    with use_gradient_checkpointing(models, True):
        assert all(block.gradient_checkpointing for block in blocks)
    learn(
        models,
        images,
        recipe="denoising",
        steps=2,
        gradient_checkpointing=True,
        micro_batch_size=2,
    )
    assert not any(block.gradient_checkpointing for block in blocks)


def test_the_word_is_learned_as_from_the_whole_batch(models, images):
    given = {"recipe": "denoising", "steps": 3, "autocast": False}
    word = learn(models, images, **given)
    other = learn(models, images, **given, micro_batch_size=2)
    assert torch.allclose(word.vectors, other.vectors, atol=1e-3)
    losses, other_losses = (
        [entry["loss"] for entry in learned.history[1:]]
        for learned in (word, other)
    )
    assert other_losses == pytest.approx(losses, rel=1e-4)


# --- memory that is full


@pytest.fixture
def full_memory(monkeypatch):
    """Let a step fit into memory only with some plans; return what it says.

    `fits` decides on a plan. The error is torch's own.
    """
    said = []
    compute_on = DenoisingLoss.compute_on
    state = {
        "fits": lambda plan: True,
        "tries": [],
        "error": torch.cuda.OutOfMemoryError("CUDA out of memory."),
    }

    def compute(loss, *batch):
        if torch.is_grad_enabled():
            state["tries"].append(loss.plan)
            if not state["fits"](loss.plan):
                raise state["error"]
        return compute_on(loss, *batch)

    monkeypatch.setattr(DenoisingLoss, "compute_on", compute)
    monkeypatch.setattr(trainer.tqdm, "write", said.append)
    return state, said


def test_full_memory_leads_to_the_next_plan_which_is_said(
    models, images, full_memory
):
    state, said = full_memory
    state["fits"] = lambda plan: plan.micro_batch_size <= 2
    given = {"recipe": "denoising", "steps": 3, "autocast": False}
    word = learn(models, images, **given)
    assert state["tries"][:3] == [
        StepPlan(4, False),
        StepPlan(4, True),
        StepPlan(2, True),
    ]
    assert set(state["tries"][2:]) == {StepPlan(2, True)}
    assert len(said) == 2 and "micro_batch_size=2" in said[-1]
    # No step is lost, and no noise is drawn anew.
    other = learn(models, images, **given, micro_batch_size=2)
    assert [e["step"] for e in word.history] == [0, 1, 2, 3]
    assert torch.allclose(word.vectors, other.vectors, atol=1e-3)


def test_a_mac_s_full_memory_leads_to_the_next_plan_too(
    models, images, full_memory
):
    state, said = full_memory
    state["error"] = RuntimeError("MPS backend out of memory (MPS allocated")
    state["fits"] = lambda plan: plan.gradient_checkpointing
    word = learn(models, images, recipe="denoising", steps=3)
    assert state["tries"][:2] == [StepPlan(4, False), StepPlan(4, True)]
    assert word.steps == 3 and len(said) == 1


def test_another_error_is_raised_as_it_is(models, images, full_memory):
    state, said = full_memory
    state["error"] = RuntimeError("shapes cannot be multiplied")
    state["fits"] = lambda plan: False
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        learn(models, images, recipe="denoising", steps=3)
    assert len(state["tries"]) == 1 and not said


def test_memory_that_fills_up_later_is_noticed_too(
    models, images, full_memory
):
    state, said = full_memory
    state["fits"] = lambda plan: len(state["tries"]) < 3 or plan == SMALLEST
    word = learn(models, images, recipe="denoising", steps=4)
    assert word.steps == 4
    assert state["tries"][0] == StepPlan(4, False)
    assert state["tries"][-1] == SMALLEST and said


@pytest.mark.parametrize(
    "settings", [{}, {"micro_batch_size": 4, "gradient_checkpointing": False}]
)
def test_memory_that_is_too_small_for_any_plan_is_an_error(
    models, images, full_memory, settings
):
    state, _ = full_memory
    state["fits"] = lambda plan: False
    with pytest.raises(WordError, match="memory is too small .*; close"):
        learn(models, images, recipe="denoising", steps=3, **settings)
    expected = 1 if settings else 4  # nothing that was asked for is changed
    assert len(state["tries"]) == expected


def test_the_similarity_has_no_smaller_plan(models, images, monkeypatch):
    def fill(loss, generator):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(SimilarityLoss, "compute", fill)
    with pytest.raises(WordError, match="memory is too small"):
        learn(models, images, recipe="similarity", steps=3)
