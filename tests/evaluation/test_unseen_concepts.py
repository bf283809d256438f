"""Unseen concepts by their seeds: each has a word, and a checkpoint."""

from types import SimpleNamespace

import pytest
import torch

from tutorial_lib.evaluation import unseen_concepts
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.words import LearnedWord
from tutorial_lib.world import new_concept


def test_each_unseen_concept_gets_a_word_of_its_own(monkeypatch):
    learned = []

    def learn_word(models, concept, word, recipe, **others):
        assert others == {"checkpoint": None, "keep_stopped": False}
        learned.append((concept.name, recipe))
        history = [{"seconds": 50.0}]
        return LearnedWord(word, torch.zeros(1, 4), history=history)

    monkeypatch.setattr(unseen_concepts, "learn_word", learn_word)
    monkeypatch.setattr(
        unseen_concepts,
        "evaluate_words",
        lambda models, judges, kind, subjects, **options: (subjects, options),
    )
    models = SimpleNamespace(profile=SimpleNamespace(size=32))
    subjects, options = unseen_concepts.evaluate_seeds(
        models,
        None,
        kind="person",
        seeds=[3, 5],
        recipe="similarity",
    )
    assert learned == [("person 3", "similarity"), ("person 5", "similarity")]
    assert [subject.seed for subject in subjects] == [3, 5]
    assert subjects[0].truth == new_concept("person", 3)
    assert options["num_names"] == 3 and options["recipe"] == "similarity"
    # As long as it took to learn, not to take it out again.
    assert options["seconds_per_word"] == 50


def test_a_word_that_was_learned_already_is_taken_from_its_checkpoint(
    models, tmp_path, monkeypatch
):
    concept = render_training_images("person", 3, 16, count=2)
    folder = tmp_path

    def press_stop(entry):
        if entry["step"] == 15:
            raise KeyboardInterrupt

    learn_word = unseen_concepts.learn_word
    with monkeypatch.context() as patched:
        patched.setattr(
            unseen_concepts,
            "learn_word",
            lambda *args, **options: learn_word(
                *args, callbacks=[press_stop], **options
            ),
        )
        with pytest.raises(KeyboardInterrupt):
            unseen_concepts.learn_whole_word(
                models, concept, "similarity", folder
            )
    (file,) = folder.iterdir()
    stopped = file.stat().st_mtime_ns
    word, seconds = unseen_concepts.learn_whole_word(
        models, concept, "similarity", folder
    )
    assert file.stat().st_mtime_ns > stopped and word.steps > 15
    again, seconds_again = unseen_concepts.learn_whole_word(
        models, concept, "similarity", folder
    )
    assert torch.equal(again.vectors, word.vectors)
    assert seconds_again == word.history[-1]["seconds"] <= seconds
    unseen_concepts.learn_whole_word(models, concept, "both", folder)
    assert len(list(folder.iterdir())) == 2  # each recipe has its own
