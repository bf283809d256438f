"""X beside a LoRA: each pattern once, kept in a file, the U-Net left whole."""

import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from tutorial_lib import cli
from tutorial_lib.evaluation import Gallery, gallery, lora_comparison
from tutorial_lib.evaluation.judge_networks import EmbeddingJudge
from tutorial_lib.evaluation.judges import embed_with_judge
from tutorial_lib.evaluation.lora_comparison import (
    LoraComparison,
    LoraPoint,
    list_named_patterns,
    load_lora_comparison,
    run_lora_comparison,
)
from tutorial_lib.inversion.lora import has_lora
from tutorial_lib.models import fingerprint_models, load_models
from tutorial_lib.report import format_lora_comparison
from tutorial_lib.settings import DATA

NAMES = {"X", "LoRA"}
GENERATE_NAMED = lora_comparison.generate_named


@pytest.fixture
def judges():
    """Return judges that nobody asks."""
    return SimpleNamespace(pattern=None)


@pytest.fixture(autouse=True)
def nothing_drawn(monkeypatch):
    """Let no image of a named pattern be generated."""
    monkeypatch.setattr(lora_comparison, "generate_named", lambda models: [])


def measure(models, judges, builder, seed, before):
    """Measure nothing: the numbers grow with the pattern's."""
    return LoraPoint(
        seed,
        count=8,
        hits={"X": seed, "LoRA": 8},
        likeness={"X": 0.1 * seed, "LoRA": 0.9},
        own={"before": 0.8, "LoRA": 0.1 * seed},
        leaked={"before": 0.0, "LoRA": 0.7},
    )


def test_a_run_that_was_stopped_goes_on_where_it_was(models, judges, tmp_path):
    path, seen = tmp_path / "lora.json", []

    def stop_after_two(*args):
        if len(seen) == 2:
            seen.append("stopped")
            raise KeyboardInterrupt
        seen.append(args[3])
        return measure(*args)

    with pytest.raises(KeyboardInterrupt):
        run_lora_comparison(models, judges, [1, 2, 3], path, stop_after_two)
    assert load_lora_comparison(path).seeds() == [1, 2]
    whole = run_lora_comparison(models, judges, [1, 2, 3], path, measure)
    assert whole.seeds() == [1, 2, 3] == sorted(whole.seeds())
    assert load_lora_comparison(path) == whole


def test_points_of_other_models_are_measured_again(models, judges, tmp_path):
    path = tmp_path / "lora.json"
    stored = run_lora_comparison(models, judges, [1, 2], path, measure)
    stored.models = "another"
    path.write_text(json.dumps(asdict(stored)))
    again = run_lora_comparison(models, judges, [2], path, measure)
    assert again.models == fingerprint_models(models)
    assert again.seeds() == [2]


@pytest.mark.parametrize("text", ["", "[]", '{"points": [{"hits": 1}]}'])
def test_a_file_that_is_no_comparison_is_named(text, tmp_path):
    path = tmp_path / "lora.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="lora.json holds no comparison"):
        load_lora_comparison(path)
    with pytest.raises(ValueError, match="`textual-inversion compare`"):
        load_lora_comparison(tmp_path / "nothing.json")


def test_the_table_has_means_over_patterns():
    points = [measure(None, None, None, seed, []) for seed in (2, 4)]
    lines = format_lora_comparison(LoraComparison("", [], points)).split("\n")
    assert lines[1].split() == ["X", "6/16", "0.30", "0.80", "0.00"]
    assert lines[2].split() == ["LoRA", "16/16", "0.90", "0.30", "0.70"]


def test_both_are_learned_and_the_u_net_is_whole_again(models, monkeypatch):
    for name, value in {"STEPS": 10, "COUNT": 2}.items():
        monkeypatch.setattr(lora_comparison, name, value)
    unet = models.pipeline.unet
    weights = {name: w.clone() for name, w in unet.state_dict().items()}
    drawn = []

    def draw_gray(models):
        drawn.append(has_lora(unet))
        return [Image.new("RGB", (32, 32), "gray")] * 8

    monkeypatch.setattr(lora_comparison, "generate_named", draw_gray)
    judge = EmbeddingJudge(32)
    reference = embed_with_judge(judge, draw_gray(models)[:1])
    builder = SimpleNamespace(
        embed=lambda concept: reference[0],
        build=lambda truth: Gallery(truth, reference.expand(5, -1)),
    )
    point = lora_comparison.measure_lora_point(
        models,
        SimpleNamespace(pattern=judge),
        builder,
        seed=5,
        before=draw_gray(models),
    )
    assert point.count == 2 and set(point.hits) == set(point.likeness) == NAMES
    assert point.likeness["X"] != point.likeness["LoRA"]  # other images
    for cosines in (point.own, point.leaked):
        assert cosines["before"] == cosines["LoRA"] == 1  # nine equal grays
    assert drawn == [False, False, True]  # the last ones with the LoRA on
    after = unet.state_dict()
    assert after.keys() == weights.keys()
    assert all(torch.equal(after[n], w) for n, w in weights.items())


def test_a_run_that_breaks_off_leaves_no_lora_behind(models, monkeypatch):
    def fail(models, word):
        raise RuntimeError

    monkeypatch.setattr(lora_comparison, "STEPS", 1)
    monkeypatch.setattr(lora_comparison, "generate_with", fail)
    monkeypatch.setattr(lora_comparison, "learn_x", lambda *_: None)
    judges = SimpleNamespace(pattern=None)
    builder = SimpleNamespace(
        embed=lambda concept: torch.ones(3), build=lambda truth: None
    )
    with pytest.raises(RuntimeError):
        lora_comparison.measure_lora_point(models, judges, builder, 5, [])
    assert not has_lora(models.pipeline.unet)


def test_the_command_learns_by_both_and_prints_a_row_for_each(
    models, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr("tutorial_lib.models.load_models", lambda _: models)
    monkeypatch.setattr(
        "tutorial_lib.evaluation.load_judges",
        lambda: SimpleNamespace(pattern=EmbeddingJudge(32)),
    )
    for name in ("NUM_LOOKALIKES", "NUM_DISTRACTORS"):
        monkeypatch.setattr(gallery, name, 3)
    for name, value in {"STEPS": 2, "COUNT": 2}.items():
        monkeypatch.setattr(lora_comparison, name, value)
    monkeypatch.setattr(lora_comparison, "generate_named", GENERATE_NAMED)
    path = tmp_path / "lora.json"
    arguments = ["compare", "--seeds", "3-4", "--json", str(path)]
    assert cli.main(arguments) == 0
    stored = load_lora_comparison(path)
    assert stored.seeds() == [3, 4]
    assert stored.models == fingerprint_models(models)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["X", "LoRA"]
    assert "/4 " in lines[1] and "The points are in" in lines[3]
    assert not has_lora(models.pipeline.unet)


def test_the_stored_comparison_belongs_to_the_shipped_models():
    path = DATA / "evaluation" / "lora-pattern.json"
    stored = load_lora_comparison(path)
    assert stored.models == fingerprint_models(load_models("tiny"))
    assert stored.names == list(list_named_patterns())
    assert len(set(stored.seeds())) == len(stored.points) >= 2
    for point in stored.points:
        assert point.count == lora_comparison.COUNT
        assert set(point.hits) == set(point.likeness) == NAMES
        assert set(point.own) == set(point.leaked) == {"before", "LoRA"}
