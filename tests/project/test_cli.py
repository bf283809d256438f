"""The command line: seeds, targets, and mistakes in one sentence."""

import json

import pytest

from tutorial_lib import cli as commands
from tutorial_lib import world
from tutorial_lib.evaluation import evaluation, gallery, sweep
from tutorial_lib.models import fingerprint_models
from tutorial_lib.words.learned_word import LearnedWord


@pytest.mark.parametrize(
    "text, seeds",
    [("7", [7]), ("1-4", [1, 2, 3, 4]), ("1,4,8-9", [1, 4, 8, 9])],
)
def test_seeds_are_read_as_written(text, seeds):
    assert commands.read_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "9-1", "a-b", "1-", "-3", "1.5"])
def test_what_is_no_range_of_seeds_is_refused_with_an_example(text):
    with pytest.raises(commands.CommandError, match="--seeds 1-10"):
        commands.read_seeds(text)


def test_a_users_mistake_gets_one_sentence_and_no_traceback(capsys, tmp_path):
    arguments = ["evaluate", "--kind", "pattern", "--seeds", "9-1",
                 "--json", str(tmp_path / "rows.json")]  # fmt: skip
    assert commands.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 2 and "no range of seeds" in error
    assert "Traceback" not in error


def test_a_target_that_is_a_folder_is_refused_before_any_work(
    capsys, tmp_path
):
    arguments = ["evaluate", "--kind", "person", "--seeds", "1",
                 "--json", str(tmp_path)]  # fmt: skip
    assert commands.main(arguments) == 1
    assert "is a folder" in capsys.readouterr().err


def test_a_target_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(commands.CommandError, match="is a file"):
        commands.check_target(tmp_path / "file" / "rows.json")


def test_the_folder_of_a_target_is_made(tmp_path):
    path = commands.check_target(tmp_path / "new" / "rows.json")
    assert path.parent.is_dir() and not path.exists()


def test_ctrl_c_is_answered_in_one_sentence(capsys, monkeypatch):
    def stop(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "dispatch", stop)
    assert commands.main([]) == 130
    assert "Stopped" in capsys.readouterr().err


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    def fail(arguments):
        raise KeyError("a fault")

    monkeypatch.setattr(commands, "dispatch", fail)
    with pytest.raises(KeyError):
        commands.main([])


def test_an_unknown_kind_is_refused_by_the_parser(capsys):
    with pytest.raises(SystemExit):
        commands.main(["evaluate", "--kind", "dog", "--seeds", "1",
                       "--json", "x"])  # fmt: skip
    assert "invalid choice" in capsys.readouterr().err


LABELS = {
    "object": [*world.CARRIERS, "corgi", "portrait"],
    "style": list(world.STYLES),
}


@pytest.fixture
def miniature_only(models, monkeypatch):
    """Let the commands use the miniature, untrained judges, few others."""
    judges = gallery.Judges(
        pattern=gallery.EmbeddingJudge(32),
        person=gallery.EmbeddingJudge(32),
        attributes=gallery.AttributeJudge(32, LABELS),
    )
    for name in ("NUM_LOOKALIKES", "NUM_STRANGERS"):
        monkeypatch.setattr(gallery, name, 3)
    monkeypatch.setattr(gallery, "load_judges", lambda: judges)
    monkeypatch.setattr("tutorial_lib.models.load_models", lambda _: models)
    return models


@pytest.mark.parametrize("kind", ["pattern", "person"])
def test_evaluate_learns_draws_judges_and_writes_the_rows(
    kind, miniature_only, tmp_path, capsys
):
    path = tmp_path / "rows.json"
    arguments = ["evaluate", "--kind", kind, "--seeds", "3-4", "--recipe",
                 "similarity", "--json", str(path)]  # fmt: skip
    assert commands.main(arguments) == 0
    summary = json.loads(path.read_text())
    assert summary["seeds"] == [3, 4] and summary["kind"] == kind
    assert set(summary["identity"]) == set(evaluation.ROWS)
    assert summary["seconds_per_word"] > 0
    assert "X, learned" in capsys.readouterr().out
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "rows.json",
        "rows.words",
    ]
    (folder,) = (tmp_path / "rows.words").iterdir()
    assert folder.name == fingerprint_models(miniature_only)
    assert sorted(each.name for each in folder.iterdir()) == [
        f"{kind}-3-similarity.pt",
        f"{kind}-4-similarity.pt",
    ]


def test_sweep_learns_judges_and_prints_a_share_for_each_value(
    miniature_only, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(sweep, "SWEEPS", {"pictures": (1, 6)})
    path = tmp_path / "sweep.json"
    arguments = ["sweep", "--kind", "person", "--seeds", "3", "--json",
                 str(path)]  # fmt: skip
    assert commands.main(arguments) == 0
    points = sweep.load_sweep(path).points
    assert [(p.setting, p.value) for p in points] == [
        ("pictures", 1), ("usual", 0), ("words", 0),
    ]  # fmt: skip
    assert all(p.count == sweep.COUNT for p in points)
    assert [p.steps > 0 for p in points] == [True, True, False]
    assert "pictures       6" in capsys.readouterr().out


def test_run_learns_both_words_and_writes_page_numbers_and_pictures(
    miniature_only, monkeypatch, tmp_path, capsys
):
    kinds = {"tshirt": "pattern", "face": "person"}

    def load_concept(name):
        return evaluation.draw_training_images(kinds[name], 5, size=32)

    monkeypatch.setattr("tutorial_lib.pictures.load_concept", load_concept)
    monkeypatch.setattr(
        evaluation,
        "load_truth",
        lambda name: (world.new_concept(kinds[name], 5), 5),
    )
    monkeypatch.setattr("tutorial_lib.settings.OUT", tmp_path / "out")
    assert commands.main(["run", "--quick"]) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {n: c["kind"] for n, c in results["concepts"].items()} == kinds
    assert results["concepts"]["face"]["recipe"] == "both"
    for name in ("tshirt", "face"):
        kept = LearnedWord.load(tmp_path / "out" / f"{name}.safetensors")
        assert kept.word == "X" and kept.num_images > 1
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count("<figcaption>step ") == 2 * 7
    assert "Look at" in capsys.readouterr().out
