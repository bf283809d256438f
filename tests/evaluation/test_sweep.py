"""Sweeps: every point once, kept in a file, and summed up over concepts."""

import json
from types import SimpleNamespace

import pytest

from tutorial_lib.evaluation import sweep
from tutorial_lib.evaluation.true_concepts import render_training_images
from tutorial_lib.models import fingerprint_models, load_models
from tutorial_lib.settings import DATA


@pytest.fixture
def judges():
    """Return judges that nobody asks."""
    return SimpleNamespace(of_kind=lambda kind: None)


def measure(models, judges, builder, seed, setting, value):
    """Measure nothing: hits grow with the concept's number."""
    return sweep.Point(setting, value, seed, seed % 10, 8, 8, 10, 1.0)


def run(models, judges, path, seeds=(1, 2), measure=measure):
    """Run a sweep of two concepts, nothing learned."""
    return sweep.run_sweep(
        models, judges, "person", list(seeds), path, measure
    )


def test_every_value_is_measured_once_for_each_concept(
    models, judges, tmp_path
):
    swept = run(models, judges, tmp_path / "sweep.json")
    names = [(p.setting, p.value, p.seed) for p in swept.points]
    assert len(set(names)) == len(names) == 2 * len(sweep.list_values())
    for setting, values in sweep.SWEEPS.items():
        for value in values:
            assert swept.find(setting, value, 1).hits == 1


def test_the_usual_values_are_one_run_that_stands_in_several_curves(
    models, judges, tmp_path
):
    swept = run(models, judges, tmp_path / "sweep.json")
    usual = [swept.find(*setting, 1) for setting in sweep.USUAL.items()]
    assert len({id(point) for point in usual}) == 1


def test_a_share_counts_all_concepts(models, judges, tmp_path):
    swept = run(models, judges, tmp_path / "sweep.json", seeds=(2, 6))
    rate = swept.rate("pictures", 1)
    assert rate["value"] == pytest.approx(8 / 16)
    assert rate["low"] == pytest.approx(2 / 8)  # one concept, sampled twice
    assert rate["high"] == pytest.approx(6 / 8)
    assert swept.rate("pictures", 1, "asked")["value"] == 1


def test_a_sweep_that_was_stopped_goes_on_where_it_was(
    models, judges, tmp_path
):
    path, seen = tmp_path / "sweep.json", []

    def stop_after_five(*args):
        seen.append(args[3:])
        if len(seen) == 6:
            raise KeyboardInterrupt
        return measure(*args)

    with pytest.raises(KeyboardInterrupt):
        run(models, judges, path, measure=stop_after_five)
    assert len(sweep.load_sweep(path).points) == 5
    swept = run(models, judges, path, measure=stop_after_five)
    assert len(swept.points) == len(seen) - 1 == len(set(seen))
    assert sweep.load_sweep(path) == swept


def test_points_of_other_models_are_measured_again(models, judges, tmp_path):
    path = tmp_path / "sweep.json"
    swept = run(models, judges, path)
    swept.models = "another"
    sweep.save_sweep(swept, path)
    again = run(models, judges, path)
    assert again.models == fingerprint_models(models)
    assert len(again.points) == len(swept.points)


@pytest.mark.parametrize("text", ["", "[]", '{"points": [{"hits": 1}]}'])
def test_a_file_that_is_no_sweep_is_named(text, tmp_path):
    path = tmp_path / "sweep.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="sweep.json"):
        sweep.load_sweep(path)


def test_a_file_of_version_0_1_still_counts_as_measured(
    models, judges, tmp_path
):
    path = tmp_path / "sweep.json"
    swept = run(models, judges, path)
    text = path.read_text()
    assert text.count('"description"') == 2
    # The point of the plain description was called "words".
    path.write_text(text.replace('"description"', '"words"'))
    assert sweep.load_sweep(path) == swept

    def fail(*args):
        raise AssertionError("measured again")

    assert run(models, judges, path, measure=fail) == swept


def test_more_images_begin_with_the_same_ones():
    few = render_training_images("person", 3, 32, count=2).images
    many = render_training_images("person", 3, 32, count=5).images
    assert [p.tobytes() for p in many[:2]] == [p.tobytes() for p in few]


def test_one_setting_changes_and_the_others_are_as_usual(models, monkeypatch):
    asked = []

    def learn_word(models, concept, **options):
        asked.append((len(concept.images), options))

    monkeypatch.setattr(sweep, "learn_word", learn_word)
    changes = {
        "usual": 0,
        "pictures": 2,
        "vectors": 4,
        "learning rate": 10,
        "steps": 10,
    }
    for setting, value in changes.items():
        sweep.learn_with(models, "person", 1, setting, value)
    lr = models.profile.similarity_lr
    usual = {
        "recipe": "similarity",
        "steps": 100,
        "num_vectors": 1,
        "lr": lr,
        "progress": False,
        "keep_stopped": False,
    }
    assert asked == [
        (6, usual),
        (2, usual),
        (6, usual | {"num_vectors": 4}),
        (6, usual | {"lr": 10 * lr}),
        (6, usual | {"steps": 10}),
    ]


def test_the_stored_sweep_belongs_to_the_shipped_models():
    stored = sweep.load_sweep(DATA / "evaluation" / "sweep-person.json")
    assert stored.models == fingerprint_models(load_models("tiny"))
    names = set(sweep.list_values())
    for seed in stored.seeds():
        points = {p for p in stored.points if p.seed == seed}
        assert {(p.setting, p.value) for p in points} == names
        assert all(0 <= p.hits <= p.count == sweep.COUNT for p in points)


def test_a_stored_sweep_is_plain_json(models, judges, tmp_path):
    path = tmp_path / "sweep.json"
    run(models, judges, path, seeds=(1,))
    stored = json.loads(path.read_text())
    assert set(stored) == {"kind", "models", "points"}
