"""What lessons share: claims of the tiny models, and the shipped words."""

from dataclasses import replace

import pytest

from tutorial_lib import TextualInversionTrainer, lessons
from tutorial_lib.lessons import load_or_learn_word, measured_on_tiny


@pytest.fixture
def others(models):
    """Return models that know nothing of the drawn world."""
    profile = replace(models.profile, name="sd15", knows_drawn_world=False)
    return replace(models, profile=profile)


def claim(holds):
    """Do what an `assert` in a cell does."""
    assert holds, "it was measured otherwise"


def test_a_claim_of_the_tiny_models_that_fails_is_an_error_with_them(models):
    with pytest.raises(AssertionError, match="otherwise"):
        with measured_on_tiny(models):
            claim(False)


def test_with_others_a_sentence_says_that_it_is_passed_over(others, capsys):
    below = []
    with measured_on_tiny(others):
        claim(False)
        below.append("reached")
    assert not below
    printed = capsys.readouterr().out
    assert printed.startswith("Passed over: measured on the tiny models only")
    assert '"sd15"' in printed and printed.count("\n") == 1


def test_a_claim_that_holds_is_silent_with_any_models(models, others, capsys):
    for some in (models, others):
        with measured_on_tiny(some):
            claim(True)
    assert capsys.readouterr().out == ""


def test_a_run_that_was_stopped_claims_nothing(models, capsys):
    with measured_on_tiny(models, usual=False):
        claim(False)
    assert "this run was stopped" in capsys.readouterr().out


def test_any_other_error_is_an_error_with_all_models(others):
    with pytest.raises(ZeroDivisionError):
        with measured_on_tiny(others):
            claim(1 / 0)


def test_the_shipped_word_is_loaded_for_the_tiny_models(models, monkeypatch):
    monkeypatch.setattr(
        models, "profile", replace(models.profile, embedding_width=192)
    )
    for name in ("tshirt", "face"):
        word = load_or_learn_word(models, name)
        assert word.vectors.shape[1] == 192


def test_with_others_the_word_is_learned_once(
    others, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(lessons, "OUT", tmp_path)
    profile = replace(others.profile, similarity_steps=3, denoising_steps=2)
    others = replace(others, profile=profile)
    first = load_or_learn_word(others, "face")
    assert '"face" is learned now' in capsys.readouterr().out
    assert len(list(tmp_path.glob("face *.checkpoint"))) == 1

    def fail(self):
        raise AssertionError("it is learned again")

    monkeypatch.setattr(TextualInversionTrainer, "_take_step", fail)
    again = load_or_learn_word(others, "face")
    assert again.vectors.equal(first.vectors)
