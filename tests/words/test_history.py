"""The history of a run, and the curves read from it."""

from tutorial_lib.words import History


def make_history():
    """Make a run of two recipes, evaluated at every second step."""
    entries = [
        (0, "similarity", None, 0.9),
        (1, "similarity", 0.8, None),
        (2, "similarity", 0.7, 0.6),
        (2, "denoising", None, 0.5),
        (3, "denoising", 0.4, None),
        (4, "denoising", 0.0, 0.3),
    ]
    keys = ("step", "recipe", "loss", "evaluation")
    return History(dict(zip(keys, entry, strict=True)) for entry in entries)


def test_a_curve_has_the_steps_at_which_there_is_a_value():
    history = make_history()
    assert history.curve("loss") == ([1, 2, 3, 4], [0.8, 0.7, 0.4, 0.0])
    assert history.curve("evaluation") == ([0, 2, 2, 4], [0.9, 0.6, 0.5, 0.3])


def test_a_curve_can_be_of_one_recipe():
    history = make_history()
    assert history.curve("loss", "similarity") == ([1, 2], [0.8, 0.7])
    assert history.curve("evaluation", recipe="denoising") == (
        [2, 4],
        [0.5, 0.3],
    )


def test_a_curve_without_a_value_is_empty():
    assert make_history().curve("loss", "a recipe of no entry") == ([], [])
    assert History().curve("loss") == ([], [])


def test_a_history_is_the_list_of_its_entries():
    history = make_history()
    assert len(history) == 6
    assert history[-1]["step"] == 4
    assert history == list(history)


def test_a_learned_words_history_is_a_history(make_word):
    first, second = make_word(), make_word()
    first.history.append({"step": 0})
    assert isinstance(first.history, History)
    assert second.history == []  # each word has its own
