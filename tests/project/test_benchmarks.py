"""The benchmark of the true architecture runs where there is no GPU."""

import json
import subprocess
import sys
from pathlib import Path

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


def test_after_its_time_no_row_is_begun(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text('{"machine": {"size": "narrow"}, "rows": []}')
    assert run_narrow(path, "--seconds=0") == {}
