"""Learning that is broken off goes on, bit by bit, from its checkpoint."""

import pytest
import torch
from mini_models import learn

from tutorial_lib.errors import WordError
from tutorial_lib.inversion import trainer

BOTH = ["similarity", "denoising"]


def interrupt_at(step):
    """Return a callback that presses Ctrl-C after a step."""

    def press(entry):
        if entry["step"] == step and entry["loss"] is not None:
            raise KeyboardInterrupt

    return press


def drop_seconds(history):
    kept = []
    for each in history:
        entry = {key: each[key] for key in each if key != "seconds"}
        vectors = entry.pop("vectors")
        entry["vectors"] = vectors.tolist() if vectors is not None else None
        kept.append(entry)
    return kept


@pytest.mark.parametrize("step", [1, 10, 13, 30, 33, 41])
def test_a_run_that_was_broken_off_goes_on_bit_by_bit(
    models, images, tmp_path, step
):
    settings = {"recipe": "both", "num_vectors": 2, "seed": 7, "steps": 12}
    whole = learn(models, images, **settings)
    path = tmp_path / "x.checkpoint"
    part = learn(
        models, images, checkpoint=path, callback=interrupt_at(step),
        **settings,
    )  # fmt: skip
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
            models, images, keep_stopped=False, callback=interrupt_at(5),
            **settings,
        )  # fmt: skip
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
        models, images, checkpoint=path, callback=interrupt_at(5),
        **settings,
    )  # fmt: skip
    record = torch.load(path, weights_only=True)
    record["generator"] = torch.Generator().manual_seed(0).get_state()
    torch.save(record, path)
    rest = learn(models, images, checkpoint=path, **settings)
    assert not torch.equal(rest.vectors, whole.vectors)


@pytest.mark.parametrize("recipe", BOTH)
@pytest.mark.parametrize("place", ["update_vectors", "make_record"])
def test_ctrl_c_within_a_step_keeps_the_word_so_far(
    models, images, tmp_path, monkeypatch, capsys, recipe, place
):
    settings = {"recipe": recipe, "checkpoint": tmp_path / "x"}
    whole = learn(models, images, recipe=recipe)
    original = getattr(trainer, place)

    def press_in_the_midst(run, *others):
        found = original(run, *others)
        if len(run.history) == (4 if place == "update_vectors" else 5):
            raise KeyboardInterrupt  # begun, and not noted to the end
        return found

    with monkeypatch.context() as patched:
        patched.setattr(trainer, place, press_in_the_midst)
        word = learn(models, images, **settings)
    assert word.steps == 3
    assert drop_seconds(word.history) == drop_seconds(whole.history[:4])
    assert 'Stopped; "X" is as' in capsys.readouterr().out
    rest = learn(models, images, **settings)
    assert torch.equal(rest.vectors, whole.vectors)


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
