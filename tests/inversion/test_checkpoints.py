"""Learning that is broken off goes on, bit by bit, from its checkpoint."""

import signal

import pytest
import torch
from mini_models import learn

from tutorial_lib.errors import WordError
from tutorial_lib.inversion import (
    DenoisingLoss,
    SimilarityLoss,
    TextualInversionTrainer,
    TrainingConfig,
)


def interrupt_at(step):
    """Return a callback that presses Ctrl-C after a step."""

    def press(entry):
        if entry["step"] == step and entry["loss"] is not None:
            raise KeyboardInterrupt

    return press


def drop_seconds(history):
    """Return the entries without their times, fit to be compared."""
    kept = []
    for entry in history:
        entry = {key: entry[key] for key in entry if key != "seconds"}
        vectors = entry.pop("vectors")
        entry["vectors"] = vectors.tolist() if vectors is not None else None
        kept.append(entry)
    return kept


def losses(word):
    """Return the loss of each entry of a word's history."""
    return [entry["loss"] for entry in word.history]


@pytest.mark.parametrize("step", [1, 10, 13, 30, 33, 41])
def test_a_run_that_was_broken_off_goes_on_bit_by_bit(
    models, images, tmp_path, step
):
    settings = {"recipe": "both", "num_vectors": 2, "seed": 7, "steps": 12}
    whole = learn(models, images, **settings)
    path = tmp_path / "x.checkpoint"
    part = learn(
        models,
        images,
        checkpoint=path,
        callbacks=[interrupt_at(step)],
        **settings,
    )
    assert part.steps == step < whole.steps
    assert path.stat().st_size < 100_000
    rest = learn(models, images, checkpoint=path, **settings)
    assert torch.equal(rest.vectors, whole.vectors)
    assert drop_seconds(rest.history) == drop_seconds(whole.history)
    again = learn(models, images, checkpoint=path, **settings)
    assert torch.equal(again.vectors, whole.vectors)  # at once


def test_ctrl_c_is_raised_on_where_half_a_word_is_of_no_use(
    models, images, tmp_path
):
    settings = {"recipe": "similarity", "checkpoint": tmp_path / "x"}
    whole = learn(models, images, recipe="similarity")
    with pytest.raises(KeyboardInterrupt):
        learn(
            models,
            images,
            keep_stopped=False,
            callbacks=[interrupt_at(5)],
            **settings,
        )
    rest = learn(models, images, keep_stopped=False, **settings)
    assert torch.equal(rest.vectors, whole.vectors)


def test_without_its_randomness_restored_a_run_would_end_elsewhere(
    models, images, tmp_path, monkeypatch
):
    """The test above would see it."""
    settings = {"recipe": "denoising", "seed": 7, "steps": 12}
    whole = learn(models, images, **settings)
    path = tmp_path / "x.checkpoint"
    learn(
        models,
        images,
        checkpoint=path,
        callbacks=[interrupt_at(5)],
        **settings,
    )
    state = torch.load(path, weights_only=True)
    state["generator"] = torch.Generator().manual_seed(0).get_state()
    torch.save(state, path)
    rest = learn(models, images, checkpoint=path, **settings)
    assert not torch.equal(rest.vectors, whole.vectors)


def press_once(owner, name, monkeypatch, at_call):
    """Press Ctrl-C, a real one, within the n-th call of a function."""
    original, calls = getattr(owner, name), []

    def press_in_the_midst(*args, **options):
        calls.append(name)
        if len(calls) == at_call:
            signal.raise_signal(signal.SIGINT)
        return original(*args, **options)

    monkeypatch.setattr(owner, name, press_in_the_midst)


@pytest.mark.parametrize(
    ("owner", "name", "steps"),
    [
        (TextualInversionTrainer, "_update_vectors", 4),  # begun, so finished
        (TextualInversionTrainer, "_append_entry", 3),
        (SimilarityLoss, "compute", 3),  # not begun: as if never tried
        (SimilarityLoss, "evaluate", 20),
    ],
)
def test_ctrl_c_within_a_step_keeps_the_word_of_whole_steps(
    models, images, tmp_path, monkeypatch, capsys, owner, name, steps
):
    settings = {"recipe": "similarity", "steps": 30}
    whole = learn(models, images, **settings)
    settings["checkpoint"] = tmp_path / "x"
    # `evaluate` is called twice at steps 0, 10, 20: loss and similarity.
    at_call = 6 if name == "evaluate" else 4
    with monkeypatch.context() as patched:
        press_once(owner, name, patched, at_call)
        word = learn(models, images, **settings)
    assert word.steps == steps
    assert losses(word) == losses(whole)[: steps + 1]
    assert 'Stopped; "X" is as' in capsys.readouterr().out
    assert word.history.stopped
    rest = learn(models, images, **settings)
    assert torch.equal(rest.vectors, whole.vectors)
    assert drop_seconds(rest.history) == drop_seconds(whole.history)
    assert not whole.history.stopped and not rest.history.stopped


def test_ctrl_c_before_the_first_step_is_raised_for_there_is_no_word(
    models, images, tmp_path, monkeypatch, capsys
):
    settings = {"recipe": "similarity", "checkpoint": tmp_path / "x"}
    for name, at_call in (("__init__", 1), ("evaluate", 1), ("compute", 1)):
        with monkeypatch.context() as patched:
            press_once(SimilarityLoss, name, patched, at_call)
            with pytest.raises(KeyboardInterrupt):
                learn(models, images, steps=3, **settings)
    assert "as its last step left it" not in capsys.readouterr().out
    assert learn(models, images, steps=3, **settings).steps == 3


def test_ctrl_c_within_the_denoising_loss_gives_its_randomness_back(
    models, images, tmp_path, monkeypatch
):
    settings = {"recipe": "denoising", "steps": 12, "seed": 7}
    whole = learn(models, images, **settings)
    settings["checkpoint"] = tmp_path / "x"
    with monkeypatch.context() as patched:
        press_once(DenoisingLoss, "predict", patched, at_call=5)
        word = learn(models, images, **settings)
    assert 0 < word.steps < 12
    rest = learn(models, images, **settings)
    assert torch.equal(rest.vectors, whole.vectors)


def test_a_trainer_goes_on_from_a_state_of_another(models, images):
    config = TrainingConfig(recipe="both", steps=8, seed=3)
    whole = TextualInversionTrainer(models, images, config, progress=False)
    vectors = whole.fit().vectors
    states = []
    part = TextualInversionTrainer(
        models,
        images,
        config,
        callbacks=[lambda entry: states.append(part.state_dict())],
        progress=False,
    )
    part.fit()
    for state in (states[0], states[5], states[-3]):
        other = TextualInversionTrainer(models, images, config, progress=False)
        other.load_state_dict(state)
        assert torch.equal(other.get_word().vectors, state["vectors"])
        assert torch.equal(other.fit().vectors, vectors)


@pytest.mark.parametrize(
    "change",
    [
        {"word": "Y"},
        {"seed": 8},
        {"lr": 0.5},
        {"initializer": "cat"},
        {"templates": ["a {}"]},
        {"recipe": "denoising"},
    ],
)
def test_a_checkpoint_of_another_run_is_refused(
    models, images, tmp_path, change
):
    path = tmp_path / "x.checkpoint"
    settings = {"recipe": "similarity", "checkpoint": path, "steps": 3}
    learn(models, images, **settings)
    before = path.read_bytes()
    with pytest.raises(WordError, match="another run.*delete it to begin"):
        learn(models, images, **{**settings, **change})
    with pytest.raises(WordError, match="another run"):
        learn(models, images[:3], **settings)
    assert path.read_bytes() == before


@pytest.mark.parametrize("part", ["text_encoder", "vae", "unet"])
def test_a_checkpoint_of_other_weights_is_refused(
    models, images, tmp_path, part
):
    settings = {"recipe": "similarity", "checkpoint": tmp_path / "x"}
    learn(models, images, steps=3, **settings)
    weight = next(getattr(models.pipeline, part).parameters())
    before = weight.detach().clone()
    with torch.no_grad():
        weight.add_(0.01)  # as if it had been trained on
    try:
        with pytest.raises(WordError, match="models or settings"):
            learn(models, images, steps=3, **settings)
    finally:
        with torch.no_grad():
            weight.copy_(before)
    learn(models, images, steps=3, **settings)


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_a_broken_checkpoint_is_refused(models, images, tmp_path, content):
    path = tmp_path / "x.checkpoint"
    settings = {"recipe": "similarity", "checkpoint": path, "steps": 3}
    learn(models, images, **settings)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(WordError, match="no checkpoint that can be read"):
        learn(models, images, **settings)
