"""A recorded step gives the loss and the gradient of a step as it comes."""

import copy
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from mini_models import learn

from tutorial_lib.inversion import DenoisingLoss, SimilarityLoss
from tutorial_lib.inversion.cuda_graphs import record_loss
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import load_models

needs_gpu = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no GPU here"
)


@pytest.fixture(scope="module")
def gpu_models(mini_profile):
    """Return the miniature on a GPU, in float32 to compare closely."""
    models = load_models(mini_profile, device="cuda")
    models.pipeline.to(torch.float32)
    return models


def make_loss(models, images, make_word, **settings):
    word = make_word("X")
    word.vectors.requires_grad_(True)
    templates = KINDS["pattern"].templates
    return DenoisingLoss(models, images, templates, word, **settings)


@needs_gpu
@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_loss_and_gradient_are_those_of_a_step_as_it_comes(
    gpu_models, images, make_word, batch_size, checkpointing
):
    given = {
        "batch_size": batch_size,
        "gradient_checkpointing": checkpointing,
    }
    plain = make_loss(gpu_models, images, make_word, **given)
    recorded = make_loss(gpu_models, images, make_word, **given)
    recorded.record()
    assert recorded.replay is not None
    for seed in range(3):  # each replay with its own batch
        results = []
        for loss in (plain, recorded):
            loss.word.vectors.grad = None
            value = loss.compute(torch.Generator().manual_seed(seed))
            value.backward()
            results.append((value.item(), loss.word.vectors.grad.clone()))
        (value, gradient), (other, other_gradient) = results
        assert other == pytest.approx(value, rel=1e-3)
        assert torch.allclose(gradient, other_gradient, rtol=0.02, atol=1e-5)
    assert recorded.evaluate() == pytest.approx(plain.evaluate(), rel=1e-3)


@needs_gpu
def test_a_replay_follows_the_vectors(gpu_models, images, make_word):
    loss = make_loss(gpu_models, images, make_word)
    loss.record()
    before = loss.evaluate()
    with torch.no_grad():
        loss.word.vectors += 1
    assert loss.evaluate() != before


@needs_gpu
@pytest.mark.parametrize("recipe", ["similarity", "denoising", "both"])
def test_a_word_learned_by_replay_is_that_learned_step_by_step(
    gpu_models, images, recipe
):
    given = {"recipe": recipe, "steps": 5}
    replayed = learn(gpu_models, images, **given)
    launched = learn(gpu_models, images, **given, cuda_graph=False)
    start = launched.history[0]["vectors"]
    moves = [word.vectors - start for word in (replayed, launched)]
    assert torch.cosine_similarity(*moves).min() > 0.98
    assert not replayed.vectors.is_cuda
    assert next(gpu_models.clip.visual.parameters()).is_cuda  # it is back


def test_what_cannot_be_recorded_is_said_and_left(monkeypatch):
    def refuse(compute, examples):
        raise RuntimeError("operation not permitted\nwhen capturing")

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", refuse)
    with pytest.warns(UserWarning, match=r"\(operation not permitted\)"):
        assert record_loss(torch.sum, (torch.ones(1),)) is None


def test_full_memory_is_no_reason_to_go_on_without_recording(monkeypatch):
    def fill(compute, examples):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", fill)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        record_loss(torch.sum, (torch.ones(1),))


def test_a_recorded_loss_is_replayed_for_batches_of_its_size_alone(
    models, images, make_word, monkeypatch
):
    replayed = []

    def stand_in(compute, examples):
        """Replay by computing, and note that it was done."""

        def replay(*tensors):
            replayed.append([tuple(tensor.shape) for tensor in tensors])
            return compute(*tensors)

        return replay

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", stand_in)
    plain = make_loss(models, images, make_word, micro_batch_size=2)
    loss = make_loss(models, images, make_word, micro_batch_size=2)
    loss.record()
    for both in (plain, loss):
        generator = torch.Generator().manual_seed(1)
        for part in both.compute_parts(generator):
            part.backward()
    assert len(replayed) == 2 and replayed[0][1] == (2, 4, 8, 8)
    assert torch.equal(plain.word.vectors.grad, loss.word.vectors.grad)
    assert loss.evaluate() == plain.evaluate()  # of four: not replayed
    assert len(replayed) == 2
    loss.save_memory()
    assert loss.replay is None


def test_nothing_in_the_measure_of_similarity_reads_or_waits(
    models, images, make_word
):
    """As below: "meta" stands in for a GPU."""
    word = make_word("X")
    vectors = word.vectors.to("meta").requires_grad_(True)
    loss = SimilarityLoss(models, images, KINDS["pattern"].templates, word)
    clip = copy.deepcopy(models.clip).to("meta")
    loss.models = replace(models, clip=clip, device="meta")
    loss.token_ids = loss.token_ids.to("meta")
    loss.image_embeds = loss.image_embeds.to("meta")
    value = loss._measure_with(vectors)
    (gradient,) = torch.autograd.grad(value, vectors)
    assert gradient.shape == vectors.shape and gradient.is_meta


def test_a_recorded_measure_of_similarity_is_replayed(
    models, images, make_word, monkeypatch
):
    replayed = []

    def stand_in(compute, examples):
        """Replay by computing, and note that it was done."""
        return lambda *tensors: replayed.append(1) or compute(*tensors)

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", stand_in)
    word = make_word("X")
    word.vectors.requires_grad_(True)
    loss = SimilarityLoss(models, images, KINDS["pattern"].templates, word)
    before = loss.evaluate()
    loss.record()
    assert loss.evaluate() == before and len(replayed) == 1
    loss.compute(torch.Generator()).backward()
    assert len(replayed) == 2 and word.vectors.grad.norm() > 0


def test_a_measure_of_similarity_needs_no_recording(
    models, images, make_word, monkeypatch
):
    def fill(compute, examples):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", fill)
    word = make_word("X")
    loss = SimilarityLoss(models, images, KINDS["pattern"].templates, word)
    before = loss.evaluate()
    loss.record()
    assert loss.replay is None and loss.evaluate() == before


def test_nothing_in_a_step_reads_from_the_cpu_or_waits(
    models, images, make_word
):
    """On the device "meta" there are no numbers to wait for or to read."""
    loss = make_loss(models, images, make_word, autocast=False)
    vectors, *batch = (
        part.detach().to("meta")
        for part in (loss.word.vectors, *loss.evaluation_batches[0])
    )
    vectors.requires_grad_(True)
    pipeline = SimpleNamespace(
        unet=copy.deepcopy(models.pipeline.unet).to("meta"),
        text_encoder=copy.deepcopy(models.pipeline.text_encoder).to("meta"),
    )
    loss.models = replace(models, pipeline=pipeline, device="meta")
    loss.unet = pipeline.unet
    loss.token_ids = loss.token_ids.to("meta")
    loss.weights = loss.weights.to("meta")
    value = loss._compute_with(vectors, *batch)
    (gradient,) = torch.autograd.grad(value, vectors)
    assert gradient.shape == vectors.shape and gradient.is_meta
    with pytest.raises(RuntimeError):  # as reading a loss back would be
        value.item()
