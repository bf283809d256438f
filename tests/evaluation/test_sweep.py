"""Sweeps: every point once, kept in a file, and summed up over concepts."""

import itertools
import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation import sweep, sweep_points
from tutorial_lib.evaluation.sweep_points import Point, Run, list_runs
from tutorial_lib.models import fingerprint_models, load_models
from tutorial_lib.settings import DATA


@pytest.fixture
def judges():
    """Return judges that nobody asks."""
    return SimpleNamespace(of_kind=lambda kind: None)


def measure(
    models,
    judges,
    builder,
    seed,
    setting,
    value,
    recipe,
    learning_seed,
    checkpoints,
):
    """Measure nothing: hits grow with the concept's number."""
    return Point(
        setting,
        value,
        seed,
        hits=seed % 10,
        asked=8,
        count=8,
        steps=10,
        seconds=1.0,
        recipe=recipe,
        learning_seed=learning_seed,
        cosine=0.9 if setting == "drawn" else 0.5,
    )


def run(models, judges, path, seeds=(1, 2), measure=measure, **options):
    """Run a sweep of two concepts, nothing learned."""
    return sweep.run_sweep(
        models, judges, "person", list(seeds), path, measure=measure, **options
    )


# --- what is measured


@pytest.mark.parametrize("kind", ["person", "pattern"])
@pytest.mark.parametrize("recipe", ["similarity", "both"])
def test_a_usual_value_is_one_run_and_all_others_are_named(kind, recipe):
    runs = list_runs(kind, recipe)
    assert len(set(runs)) == len(runs)
    assert runs[:4] == [
        Run("none", "drawn", 0, 0),
        Run("none", "description", 0, 0),
        Run(recipe, "usual", 0, 0),
        Run(recipe, "usual", 0, 1),  # learned again
    ]
    for setting, values in sweep_points.SWEEPS[recipe].items():
        usual = sweep_points.list_usual(kind, recipe)[setting]
        assert usual in values  # the curve goes through it
        others = [run.value for run in runs if run.setting == setting]
        assert others == [value for value in values if value != usual]


def test_every_run_is_measured_once_for_each_concept(models, judges, tmp_path):
    swept = run(models, judges, tmp_path / "sweep.json")
    names = [(sweep.name_point(p), p.seed) for p in swept.points]
    wanted = {*list_runs("person", "similarity"), *list_runs("person", "both")}
    assert len(set(names)) == len(names) == 2 * len(wanted)
    for recipe, settings in sweep_points.SWEEPS.items():
        for setting, values in settings.items():
            assert swept.values(setting, recipe) == list(values)
            for value in values:
                assert swept.find(setting, value, 1, recipe).hits == 1
    assert swept.recipes() == ["similarity", "both"]


def test_the_short_recipe_comes_first_and_a_concept_is_done_at_once(
    models, judges, tmp_path
):
    swept = run(models, judges, tmp_path / "sweep.json")
    order = [(p.recipe, p.seed) for p in swept.points if p.recipe != "none"]
    assert list(dict.fromkeys(order)) == [
        ("similarity", 1),
        ("similarity", 2),
        ("both", 1),
        ("both", 2),
    ]


def test_one_recipe_alone_may_be_swept(models, judges, tmp_path):
    path = tmp_path / "sweep.json"
    swept = run(models, judges, path, recipes=["similarity"])
    assert swept.recipes() == ["similarity"]
    assert swept.values("steps", "both") == []
    with pytest.raises(TutorialError, match="recipe"):
        run(models, judges, path, recipes=["denoising"])


def test_a_sweep_that_was_stopped_goes_on_where_it_was(
    models, judges, tmp_path
):
    path, seen = tmp_path / "sweep.json", []

    def stop_after_five(*args, **options):
        seen.append((*args[3:], *options.values()))
        if len(seen) == 6:
            raise KeyboardInterrupt
        return measure(*args, **options)

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


def test_two_processes_share_the_concepts_and_their_files_are_merged(
    models, judges, tmp_path
):
    def fail(*args, **options):
        raise AssertionError("measured again")

    parts = [tmp_path / "a.json", tmp_path / "b.json"]
    for seed, part in enumerate(parts, 1):
        run(models, judges, part, seeds=[seed])
    path = tmp_path / "all.json"
    swept = run(models, judges, path, others=parts, measure=fail)
    whole = run(models, judges, tmp_path / "whole.json")
    assert set(swept.points) == set(whole.points)
    assert sweep.load_sweep(path) == swept
    again = run(models, judges, path, others=parts, measure=fail)
    assert len(again.points) == len(whole.points)  # none twice


def test_a_file_of_another_kind_is_not_merged(models, judges, tmp_path):
    swept = run(models, judges, tmp_path / "a.json")
    swept.kind = "pattern"
    sweep.save_sweep(swept, tmp_path / "a.json")
    with pytest.raises(TutorialError, match=r"a\.json .* pattern .* leave"):
        run(
            models,
            judges,
            tmp_path / "all.json",
            others=[tmp_path / "a.json"],
        )


# --- what it adds up to


def make_sweep(rows, drawn=0.8):
    """Return a sweep of people: rows of recipe, setting, value, cosines.

    The cosines are those of people 1, 2 and so on.
    """
    points = []
    for recipe, setting, value, learning_seed, cosines in rows:
        for seed, cosine in enumerate(cosines, 1):
            numbers = {"hits": round(8 * cosine), "asked": 8, "count": 8}
            how = {"recipe": recipe, "learning_seed": learning_seed}
            points.append(
                Point(
                    setting,
                    value,
                    seed,
                    steps=1,
                    seconds=1.0,
                    cosine=cosine,
                    **how,
                    **numbers,
                )
            )
    for seed in {point.seed for point in points}:
        numbers = {"hits": 8, "asked": 8, "count": 8, "cosine": drawn}
        points.append(
            Point(
                "drawn", 0, seed, steps=0, seconds=0, recipe="none", **numbers
            )
        )
    return sweep.Sweep("person", "abc", points)


USUAL_AND_ONE = make_sweep(
    [
        ("similarity", "pictures", 1, 0, [0.2, 0.6, 0.4]),
        ("similarity", "usual", 0, 0, [0.4, 0.7, 0.6]),
        ("similarity", "usual", 0, 1, [0.4, 0.8, 0.6]),
        ("both", "usual", 0, 0, [0.8, 0.8, 0.8]),
    ]
)


def test_a_share_counts_all_concepts(models, judges, tmp_path):
    swept = run(models, judges, tmp_path / "sweep.json", seeds=(2, 6))
    for recipe in ("similarity", "both"):
        rate = swept.rate("pictures", 1, recipe=recipe)
        assert rate["value"] == pytest.approx(8 / 16)
        assert rate["low"] == pytest.approx(2 / 8)  # one of them, twice
        assert rate["high"] == pytest.approx(6 / 8)
        assert swept.rate("pictures", 1, "asked", recipe)["value"] == 1
        cosine = swept.rate("pictures", 1, "cosine", recipe)
        assert cosine["value"] == pytest.approx(0.5 / 0.9)


def test_a_usual_value_is_the_mean_over_the_times_it_was_learned():
    cosines = USUAL_AND_ONE.collect("pictures", 6, "cosine")
    assert cosines == pytest.approx({1: 0.5, 2: 0.75 / 0.8, 3: 0.75})
    rate = USUAL_AND_ONE.rate("steps", 100, "cosine")
    assert rate["value"] == pytest.approx(sum(cosines.values()) / 3)


def test_a_gain_is_each_concept_s_own_difference():
    gain = USUAL_AND_ONE.gain("pictures", 1, 6, "cosine")
    gains = [0.25, 0.1875, 0.25]
    assert gain["value"] == pytest.approx(sum(gains) / 3)
    assert gain["low"] == pytest.approx(min(gains))
    assert gain["high"] == pytest.approx(max(gains))
    back = USUAL_AND_ONE.gain("pictures", 6, 1, "cosine")
    assert back["value"] == pytest.approx(-gain["value"])


def test_the_recipes_are_compared_concept_by_concept():
    gain = USUAL_AND_ONE.gain_of_both("cosine")
    assert gain["value"] == pytest.approx((0.5 + 0.0625 + 0.25) / 3)
    assert gain["low"] > 0


def test_chance_in_learning_and_differences_of_people_come_apart():
    people = USUAL_AND_ONE.spread("cosine")
    assert people["between"]["value"] > 3 * people["within"]["value"]
    chance = make_sweep(
        [
            ("similarity", "usual", 0, 0, [0.4, 0.6, 0.4, 0.6]),
            ("similarity", "usual", 0, 1, [0.6, 0.4, 0.6, 0.4]),
        ]
    ).spread("cosine")
    assert chance["between"]["value"] == 0 < chance["within"]["value"]


def test_what_was_not_swept_is_named():
    with pytest.raises(TutorialError, match='no "pictures" 20 .* "both"'):
        USUAL_AND_ONE.rate("pictures", 20, recipe="both")
    with pytest.raises(TutorialError, match="measure"):
        USUAL_AND_ONE.rate("pictures", 1, "beauty")
    with pytest.raises(TutorialError, match="learned twice"):
        USUAL_AND_ONE.spread("cosine", "both")


# --- its file


@pytest.mark.parametrize("text", ["", "[]", '{"points": [{"hits": 1}]}'])
def test_a_file_that_is_no_sweep_is_named(text, tmp_path):
    path = tmp_path / "sweep.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="sweep.json"):
        sweep.load_sweep(path)


def test_an_older_file_is_read_and_lacks_the_cosine_alone(tmp_path):
    path = tmp_path / "sweep.json"
    stored = asdict(USUAL_AND_ONE)
    for point in stored["points"]:
        for name in ("recipe", "learning_seed", "cosine"):
            del point[name]
    stored["points"] = [
        # The point of the plain description was called "words".
        point | ({"setting": "words"} if point["setting"] == "drawn" else {})
        for point in stored["points"][:3] + stored["points"][-3:]
    ]
    path.write_text(json.dumps(stored))
    old = sweep.load_sweep(path)
    assert old.find("pictures", 1, 2).hits == 5
    assert old.find("description", 0, 3).recipe == "none"
    assert old.rate("description", 0)["value"] == 1
    with pytest.raises(TutorialError, match="without cosines"):
        old.rate("pictures", 1, "cosine")


@pytest.mark.parametrize("kind", ["person", "pattern"])
def test_the_stored_sweep_belongs_to_the_shipped_models(kind):
    stored = sweep.load_sweep(DATA / "evaluation" / f"sweep-{kind}.json")
    assert (stored.kind, stored.models) == (
        kind,
        fingerprint_models(load_models("tiny")),
    )
    assert stored.recipes() == list(sweep_points.SWEEPS)
    points = {}
    for point in stored.points:
        assert 0 <= point.hits <= point.count == sweep_points.COUNT
        name = sweep.name_point(point)
        points.setdefault((name.recipe, point.seed), []).append(name)
    wanted = {}
    for run in {r for name in stored.recipes() for r in list_runs(kind, name)}:
        wanted.setdefault(run.recipe, []).append(run)
    assert len(stored.seeds()) == 20
    assert points.keys() == set(itertools.product(wanted, stored.seeds()))
    for (recipe, _), runs in points.items():
        assert sorted(runs) == sorted(wanted[recipe])


def test_a_stored_sweep_is_plain_json(models, judges, tmp_path):
    path = tmp_path / "sweep.json"
    run(models, judges, path, seeds=(1,))
    stored = json.loads(path.read_text())
    assert set(stored) == {"kind", "models", "points"}
