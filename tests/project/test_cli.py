"""The command line: seeds, targets, and mistakes in one sentence."""

import json
import signal
import subprocess
import sys
from typing import get_args

import pytest

from tutorial_lib import cli, world
from tutorial_lib.command_options import (
    DtypeName,
    FormName,
    KindName,
    LearnableKindName,
    RecipeName,
    StageName,
)
from tutorial_lib.errors import CommandError
from tutorial_lib.evaluation import (
    ROWS,
    SWEEPS,
    AttributeJudge,
    EmbeddingJudge,
    Judges,
    gallery,
    load_sweep,
    render_training_images,
)
from tutorial_lib.evaluation.sweep_points import COUNT
from tutorial_lib.inversion import DenoisingLoss
from tutorial_lib.inversion.config import RECIPES
from tutorial_lib.kinds import KINDS, LEARNABLE_KINDS
from tutorial_lib.models import fingerprint_models
from tutorial_lib.training.stages import LARGER_VAE, STAGES
from tutorial_lib.words import FORMS, LearnedWord
from tutorial_lib.words.word_file import DTYPES

COMMANDS = "run learn evaluate sweep compare convert notebooks models".split()


@pytest.mark.parametrize(
    "text, seeds",
    [("7", [7]), ("1-4", [1, 2, 3, 4]), ("1,4,8-9", [1, 4, 8, 9])],
)
def test_seeds_are_read_as_written(text, seeds):
    assert cli.read_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "9-1", "a-b", "1-", "-3", "1.5"])
def test_what_is_no_range_of_seeds_is_refused_with_an_example(text):
    with pytest.raises(CommandError, match="--seeds 1-10"):
        cli.read_seeds(text)


@pytest.mark.parametrize(
    "text", ["0-9999999999", "4294967296", "1-20000", "9" * 5000]
)
def test_a_range_that_no_one_could_learn_is_refused(text):
    with pytest.raises(CommandError, match="--seeds .*; (name|write)"):
        cli.read_seeds(text)


# --- help and mistakes


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_an_example(command, capsys):
    assert cli.main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Example:\n    textual-inversion {command}" in text


def test_the_help_lists_the_commands_without_waiting_for_torch():
    code = (
        "import sys; from tutorial_lib.cli import main\n"
        "assert main(['--help']) == 0\n"
        "assert not {'torch', 'matplotlib'} & set(sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout


def test_the_choices_are_those_of_the_library():
    assert get_args(KindName) == tuple(KINDS)
    assert get_args(LearnableKindName) == tuple(LEARNABLE_KINDS)
    assert set(get_args(RecipeName)) == set(RECIPES)
    assert get_args(StageName) == ("all", *STAGES, LARGER_VAE)
    assert get_args(FormName) == tuple(FORMS)
    assert get_args(DtypeName) == tuple(DTYPES)


def test_a_users_mistake_gets_one_sentence_and_no_traceback(capsys, tmp_path):
    arguments = ["evaluate", "--kind", "pattern", "--seeds", "9-1"]
    assert cli.main([*arguments, "--json", str(tmp_path / "rows.json")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 2 and "no range of seeds" in error
    assert "Traceback" not in error


def test_python_m_runs_the_same_commands(tmp_path):
    command = [sys.executable, "-m", "tutorial_lib", "sweep", "--json"]
    options = [str(tmp_path), "--kind", "person", "--seeds", "1"]
    result = subprocess.run(
        [*command, *options], capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    assert "is a folder" in result.stderr and "Traceback" not in result.stderr


def test_a_target_that_is_a_folder_is_refused_before_any_work(
    capsys, tmp_path
):
    arguments = ["evaluate", "--kind", "person", "--seeds", "1"]
    assert cli.main([*arguments, "--json", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_a_run_that_could_not_be_written_is_refused_before_any_work(
    capsys, tmp_path, monkeypatch
):
    (tmp_path / "out").write_text("")
    monkeypatch.setattr(cli, "OUT", tmp_path / "out")
    assert cli.main(["run", "--quick"]) == 2
    output = capsys.readouterr()
    assert "is a file" in output.err and "Loading" not in output.out


@pytest.mark.parametrize(
    "options, said",
    [
        (["pictures", "--share", "nan"], "--share must be over 0"),
        (["pictures", "--workers", "0"], "--workers must be at least 1"),
        (["pictures", "--work", "file/work"], "file is a file"),
        (["write", "--target", "file"], "file is a file"),
        (["clip", "--work", "new"], "`textual-inversion models pictures`"),
        (["unet", "--work", "new"], "`textual-inversion models clip` first"),
        (["judges", "--work", "new"], "`textual-inversion models decoder`"),
    ],
)
def test_a_training_that_cannot_be_is_refused(
    options, said, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert cli.main(["models", *options]) == 2
    assert said in capsys.readouterr().err


def test_a_target_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="is a file"):
        cli.check_target(tmp_path / "file" / "rows.json")


def test_the_folder_of_a_target_is_made(tmp_path):
    path = cli.check_target(tmp_path / "new" / "rows.json")
    assert path.parent.is_dir() and not path.exists()


def test_ctrl_c_is_answered_in_one_sentence(capsys, monkeypatch):
    def stop(numbers):
        raise KeyboardInterrupt

    monkeypatch.setattr("tutorial_lib.notebooks.run_notebooks", stop)
    assert cli.main(["notebooks"]) == 130
    error = capsys.readouterr().err
    assert "Stopped" in error and error.count("\n") == 2


@pytest.mark.parametrize("kind", [KeyError, ValueError, FileNotFoundError])
def test_a_fault_of_ours_keeps_its_traceback(kind, monkeypatch):
    def fail(numbers):
        raise kind("a fault")

    monkeypatch.setattr("tutorial_lib.notebooks.run_notebooks", fail)
    with pytest.raises(kind, match="a fault"):
        cli.main(["notebooks"])


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["evaluate", "--kind", "dog", "--seeds", "1"], "'dog' is not one of"),
        (["evaluate", "--seeds", "1"], "--kind"),
        (["evaluat"], "evaluate"),
        (["notebooks", "99"], "no notebook 99"),
        (["models", "card", "--device", "gpu"], "`device` cannot be"),
        (["convert", "X.safetensors"], "TARGET"),
        (["convert", "X", "Y", "--form", "webui"], "'webui' is not one of"),
        (["convert", "no such file", "Y"], "no learned word at 'no such"),
    ],
)
def test_what_the_command_line_cannot_mean_is_refused(arguments, said, capsys):
    assert cli.main(arguments) == 2
    assert said in capsys.readouterr().err


# --- commands

LABELS = {
    "object": [*world.CARRIERS, "corgi", "portrait"],
    "style": list(world.STYLES),
}


@pytest.fixture
def miniature_only(models, monkeypatch):
    """Let the commands use the miniature, untrained judges, few others."""
    judges = Judges(
        pattern=EmbeddingJudge(32),
        person=EmbeddingJudge(32),
        attributes=AttributeJudge(32, LABELS),
    )
    for name in ("NUM_LOOKALIKES", "NUM_DISTRACTORS"):
        monkeypatch.setattr(gallery, name, 3)
    for place in ("evaluation.load_judges", "report.run.load_judges"):
        monkeypatch.setattr(f"tutorial_lib.{place}", lambda: judges)
    for place in ("models.load_models", "report.run.load_models"):
        monkeypatch.setattr(f"tutorial_lib.{place}", lambda _: models)
    return models


@pytest.mark.parametrize("kind", ["pattern", "person"])
def test_evaluate_learns_judges_and_writes_the_rows(
    kind, miniature_only, tmp_path, capsys
):
    path = tmp_path / "rows.json"
    arguments = ["evaluate", "--kind", kind, "--seeds", "3-4"]
    arguments += ["--recipe", "similarity", "--json", str(path)]
    assert cli.main(arguments) == 0
    summary = json.loads(path.read_text())
    assert summary["seeds"] == [3, 4] and summary["kind"] == kind
    assert set(summary["identity"]) == set(ROWS)
    assert summary["seconds_per_word"] > 0
    assert "X, learned" in capsys.readouterr().out
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "rows.json",
        "rows.words",
    ]
    (folder,) = (tmp_path / "rows.words").iterdir()
    assert folder.name == fingerprint_models(miniature_only)
    assert sorted(file.name for file in folder.iterdir()) == [
        f"{kind}-3-similarity.pt",
        f"{kind}-4-similarity.pt",
    ]


@pytest.mark.parametrize("kind", ["pattern", "person"])
def test_sweep_learns_judges_and_prints_what_each_value_reaches(
    kind, miniature_only, monkeypatch, tmp_path, capsys
):
    monkeypatch.setitem(SWEEPS, "similarity", {"pictures": (1, 6, 20)})
    monkeypatch.setitem(SWEEPS, "both", {"steps": (2, 150)})
    path = tmp_path / "sweep.json"
    arguments = ["sweep", "--kind", kind, "--json", str(path)]
    assert cli.main([*arguments, "--seeds", "3"]) == 0
    points = load_sweep(path).points
    usual = {"pattern": 20, "person": 6}[kind]
    others = [value for value in (1, 6, 20) if value != usual]
    names = [(point.recipe, point.setting, point.value) for point in points]
    assert names == [
        ("none", "drawn", 0),
        ("none", "description", 0),
        *[("similarity", "usual", 0)] * 2,
        *[("similarity", "pictures", value) for value in others],
        *[("both", "usual", 0)] * 2,
        ("both", "steps", 2),
    ]
    assert all(point.count == COUNT for point in points)
    assert all(-1 <= point.cosine <= 1 for point in points)
    assert [point.steps > 0 for point in points] == 2 * [False] + 7 * [True]
    printed = capsys.readouterr().out
    assert "pictures       6" in printed and "similarity to both" in printed
    words = sorted(file.name for file in tmp_path.glob("sweep.words/*/*"))
    assert words == [
        f"{kind}-3-both-steps-2-0.pt",
        f"{kind}-3-both-usual-0-1.pt",
        f"{kind}-3-both.pt",
    ]


def test_sweep_takes_the_points_of_other_files(
    miniature_only, monkeypatch, tmp_path, capsys
):
    monkeypatch.setitem(SWEEPS, "similarity", {"pictures": (1, 6)})
    command = ["sweep", "--kind", "person", "--recipe", "similarity"]
    parts = [str(tmp_path / f"{seed}.json") for seed in (3, 4)]
    for seed, part in zip(("3", "4"), parts, strict=True):
        assert cli.main([*command, "--seeds", seed, "--json", part]) == 0
    capsys.readouterr()
    path = tmp_path / "all.json"
    command += ["--seeds", "3-4", "--json", str(path)]
    for part in parts:
        command += ["--merge", part]
    assert cli.main(command) == 0
    merged = load_sweep(path)
    assert merged.points == [
        point for part in parts for point in load_sweep(part).points
    ]
    assert "Spread between" in capsys.readouterr().out


SHIPPED_KINDS = {"tshirt": "pattern", "face": "person"}


@pytest.fixture
def small_run(miniature_only, monkeypatch, tmp_path):
    """Let `run` learn small concepts with the miniature."""
    monkeypatch.setattr(
        "tutorial_lib.report.run.load_concept",
        lambda name: render_training_images(SHIPPED_KINDS[name], 5, size=32),
    )
    monkeypatch.setattr(
        "tutorial_lib.report.run.load_truth",
        lambda name: (world.new_concept(SHIPPED_KINDS[name], 5), 5),
    )
    monkeypatch.setattr(cli, "OUT", tmp_path / "out")


def test_ctrl_c_while_a_word_is_learned_ends_the_run(
    small_run, monkeypatch, tmp_path, capsys
):
    compute, calls = DenoisingLoss.compute, []

    def press(*args):
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return compute(*args)

    monkeypatch.setattr(DenoisingLoss, "compute", press)
    assert cli.main(["run", "--quick"]) == 130
    assert "Stopped; files written before" in capsys.readouterr().err
    assert len(calls) == 3 and not list((tmp_path / "out").iterdir())


def test_run_learns_both_words_and_writes_page_numbers_and_pictures(
    small_run, tmp_path, capsys
):
    kinds = SHIPPED_KINDS
    assert cli.main(["run", "--quick"]) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {n: c["kind"] for n, c in results["concepts"].items()} == kinds
    assert results["concepts"]["face"]["recipe"] == "both"
    for name in ("tshirt", "face"):
        word = LearnedWord.load(tmp_path / "out" / f"{name}.safetensors")
        assert word.word == "X" and word.num_images > 1
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count("<figcaption>step ") == 2 * 7
    assert "Look at" in capsys.readouterr().out
