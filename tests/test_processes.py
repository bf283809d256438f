"""Two processes learn the word that one learns, and share an evaluation.

Each has its rows of every batch; gradients meet by gloo, on the CPU. What
differs is the order in which floats are added up.
"""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mini_models import learn
from two_processes import TWO_PROCESSES
from work_of_two import SETTINGS, STOP_AFTER, evaluate

from tutorial_lib import cli
from tutorial_lib.words import LearnedWord

ROOT = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-5  # of a number in a vector; a step moves it by 0.02


def launch(*arguments):
    """Start a program as two processes, and wait for both."""
    result = subprocess.run(
        [sys.executable, *TWO_PROCESSES, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the folder that the two processes write to."""
    return tmp_path_factory.mktemp("processes")


@pytest.fixture(scope="module")
def both(folder, mini_profile, images):
    """Return what each of two processes did."""
    given = SimpleNamespace(profile=mini_profile, images=images, folder=folder)
    torch.save(given, folder / "given.pt")
    launch(ROOT / "tests" / "work_of_two.py", folder / "given.pt")
    return [
        torch.load(folder / f"process {index}.pt", weights_only=False)
        for index in range(2)
    ]


@pytest.mark.parametrize("name", SETTINGS)
def test_two_processes_learn_the_word_that_one_learns(
    name, both, models, images
):
    alone = learn(models, images, **SETTINGS[name])
    for process in both:
        word = process.words[name]
        error = (word.vectors - alone.vectors).abs().max()
        assert error <= TOLERANCE
        moved = word.vectors - word.history[0]["vectors"]
        assert moved.abs().max() > 100 * TOLERANCE
        assert word.steps == alone.steps
        for key in ("loss", "evaluation", "similarity"):
            steps, values = alone.history.curve(key)
            same_steps, same_values = word.history.curve(key)
            assert steps == same_steps
            assert values == pytest.approx(same_values, rel=1e-4), key


@pytest.mark.parametrize("name", SETTINGS)
def test_both_processes_hold_the_same_vectors_to_the_bit(name, both):
    first, second = (process.words[name] for process in both)
    assert torch.equal(first.vectors, second.vectors)
    assert len(first.history) == len(second.history)


def test_early_stopping_was_put_to_the_test(both, models):
    profile = models.profile
    most = profile.similarity_steps + 12
    assert all(process.words["both"].steps < most for process in both)


def test_only_the_gradient_and_two_numbers_are_exchanged(both, models):
    gradient = 2 * models.profile.embedding_width  # of two vectors
    for process in both:  # with loss and stop; the loss that is evaluated
        assert process.sizes == {gradient + 2, 1}


def test_only_the_main_process_prints_and_calls_back(both):
    main, other = both
    assert 'Learning "X"' in main.printed and other.printed == ""
    histories = [len(word.history) for word in main.words.values()]
    assert other.num_calls == 0 and main.num_calls >= sum(histories) - 2


def test_ctrl_c_in_one_process_stops_both_after_the_same_step(
    both, folder, models, images
):
    first, second = (process.stopped for process in both)
    assert first.steps == second.steps == STOP_AFTER
    assert first.history.stopped and second.history.stopped
    assert torch.equal(first.vectors, second.vectors)
    # One process goes on from the checkpoint, and ends where both end.
    checkpoint = folder / "stopped.pt"
    word = learn(models, images, checkpoint=checkpoint, **SETTINGS["even"])
    whole = both[0].words["even"]
    assert word.steps == whole.steps
    assert (word.vectors - whole.vectors).abs().max() <= TOLERANCE


def test_a_batch_with_fewer_images_than_processes_is_refused(both):
    for process in both:
        assert "2 processes cannot share a batch of 1" in process.refusal
        assert "start fewer processes" in process.refusal


def test_pieces_of_work_are_shared_out_and_come_back_in_order(both):
    for process in both:  # and within one of them, a process is alone
        assert process.alone == [(i, 1) for i in range(5)]


@pytest.fixture
def one_thread():
    """Compute with one thread, as each of the two processes does."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.mark.usefixtures("one_thread")
def test_an_evaluation_that_is_shared_out_has_the_same_numbers(
    both, models, tmp_path
):
    alone = evaluate(models, tmp_path).summarize()
    assert alone.pop("seconds_per_word") > 0
    for process in both:
        summary = process.evaluation.summarize()
        assert summary.pop("seconds_per_word") > 0
        assert summary == alone
        prompt = process.evaluation.judged[-1].prompt
        assert process.evaluation.rate("identity", "x", prompt)


def test_the_command_learn_gives_two_processes_the_word_of_one(
    tmp_path, capsys
):
    arguments = ["--recipe", "similarity", "--steps", "2"]
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    assert cli.main(["learn", "tshirt", str(alone), *arguments]) == 0
    said = capsys.readouterr().out
    assert '"X" took 2 steps' in said
    printed = launch(
        "-m", "tutorial_lib", "learn", "tshirt", shared, *arguments
    )
    assert printed.count('"X" took 2 steps') == 1
    words = [LearnedWord.load(path) for path in (alone, shared)]
    assert (words[0].vectors - words[1].vectors).abs().max() <= TOLERANCE
    assert words[0].recipe == words[1].recipe == "similarity"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "alone.safetensors",
        "shared.safetensors",
    ]
