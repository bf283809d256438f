"""The benchmark of the true architecture runs where there is no GPU."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def run_narrow(path, *arguments):
    """Run the benchmark with narrow models; return its rows by name."""
    command = [sys.executable, BENCHMARKS / "real_architecture.py"]
    narrow = ["--size=narrow", "--device=cpu", "--steps=2", "--warm-up=1"]
    subprocess.run(
        [*command, *narrow, f"--json={path}", *arguments],
        check=True,
        capture_output=True,
        cwd=BENCHMARKS.parent,
    )
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["machine"]["size"] == "narrow"
    return {
        (row["row"], row.get("batch_size")): row for row in content["rows"]
    }


@pytest.mark.slow
def test_every_row_is_measured_and_saving_memory_changes_no_gradient(tmp_path):
    rows = run_narrow(tmp_path / "rows.json")
    assert not [row for row in rows.values() if "error" in row]
    assert rows["ours", 1]["seconds"] > 0
    assert rows["ours", 4]["checkpoint_bytes"] < 20_000
    assert rows["ours", 4]["word_bytes"] < 1_000
    errors = rows["agreement", None]["relative_gradient_errors"]
    assert errors["plain"] == 0 and max(errors.values()) < 1e-3
    ours = [name for name, _ in rows if name.startswith("ours, ")]
    assert len(ours) == 4  # pictures, checkpointing twice, vocabulary


@pytest.fixture
def benchmark_of(tmp_path, monkeypatch):
    """Return a function that makes a Benchmark with so many seconds."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    rows = importlib.import_module("rows")

    def make(seconds):
        options = SimpleNamespace(
            size="narrow",
            device="cpu",
            steps=2,
            warm_up=1,
            seconds=seconds,
            json=tmp_path / "rows.json",
        )
        return rows.Benchmark(options, tmp_path)

    return make


def test_a_row_that_fails_says_why_and_the_next_is_measured(benchmark_of):
    benchmark = benchmark_of(seconds=60)
    benchmark.measure("one", lambda: {"seconds": 1 / 0})
    benchmark.measure("two", lambda: {"seconds": 2.0})
    stored = json.loads(benchmark.options.json.read_text(encoding="utf-8"))
    assert stored["rows"] == benchmark.rows
    assert "ZeroDivisionError" in benchmark.rows[0]["error"]
    assert benchmark.rows[1] == {"row": "two", "seconds": 2.0}


def test_after_its_time_no_row_is_begun(benchmark_of, capsys):
    benchmark = benchmark_of(seconds=0)
    benchmark.measure("one", lambda: {"seconds": 1.0})
    assert not benchmark.rows and not benchmark.options.json.exists()
    assert "no time left for: one" in capsys.readouterr().out


def test_the_memory_and_time_in_the_last_lesson_were_measured():
    path = BENCHMARKS / "results" / "real_architecture_h200.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    lesson = BENCHMARKS.parent / "notebooks" / "11_your_own_x.ipynb"
    text = lesson.read_text(encoding="utf-8")
    measured = [row for row in rows if row["row"] == "ours, float16"]
    assert [row["batch_size"] for row in measured] == [1, 4]
    for row in measured:
        peak, reserved = (
            f"{row['whole'][name]:.1f} GiB"
            for name in ("allocated_gib", "reserved_gib")
        )
        step = f"{1000 * row['mean_seconds']:.0f} ms"
        cells = f"| {peak} | {reserved} | {step} | not measured |"
        begin = f"| batch {row['batch_size']}"
        assert any(
            line.lstrip(' "').startswith(begin) and cells in line
            for line in text.splitlines()
        ), cells
