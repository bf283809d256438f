"""The stages of `make models`: what each needs, and what it says."""

import shutil

import pytest
from mini_models import make_clip
from mini_training import SHARD_SIZE, write_configs

from tutorial_lib.errors import CommandError
from tutorial_lib.training import background, dataset, judge_images, stages
from tutorial_lib.training.batches import name_shard
from tutorial_lib.training.training_run import (
    HELD_OUT_NUMBER,
    TrainingRun,
    number_captioned,
)


@pytest.fixture
def run(shards, tmp_path, monkeypatch):
    """Return a small run whose images are rendered."""
    monkeypatch.setattr(dataset, "SHARD_SIZE", SHARD_SIZE)
    monkeypatch.setattr(judge_images, "SHARD_SIZE", 32)
    work = tmp_path / "work"
    shutil.copytree(shards, work)
    return TrainingRun(
        size=64,
        num_images=3 * SHARD_SIZE,
        num_judge_images=4 * 32,
        device="cpu",
        configs=write_configs(tmp_path / "configs"),
        work=work,
        target=tmp_path / "tiny",
    )


@pytest.mark.parametrize(
    "stage, needed",
    [
        ("unet", "clip"),
        ("decoder", "vae"),
        ("judges", "decoder"),
        ("write", "judges"),
    ],
)
def test_a_stage_says_which_other_to_run_first(run, stage, needed):
    with pytest.raises(CommandError, match=f"run .*models {needed}` first"):
        stages.run_stages(stage, run)


def test_a_stage_without_images_says_how_to_get_them(run):
    name_shard(run.work_folder / "captioned", 1).unlink()
    for stage in ("vae", "clip"):
        with pytest.raises(CommandError, match="1 shards .* models pictures`"):
            stages.run_stages(stage, run)


def test_a_unet_whose_vae_was_never_trained_says_so(run, monkeypatch):
    monkeypatch.setattr(stages, "load_clip", lambda _: make_clip())
    with pytest.raises(CommandError, match=r"vae\.pt' .*run .*models vae`"):
        stages.run_stages("unet", run)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"num_images": 1999}, "--pictures must be at least 2,000"),
        ({"num_judge_images": 3071}, "--judged must be at least 3,072"),
        ({"workers": 0}, "--workers must be at least 1"),
        ({"size": 96}, "--size must be 64 or 128, not 96"),
        ({"share": 0.0}, "--share must be over 0 and at most 1"),
        ({"share": 1.5}, "--share must be over 0 and at most 1"),
        ({"preset": "tpu"}, "choose cpu or gpu"),
    ],
)
def test_what_nothing_can_be_trained_on_gets_a_clear_error(
    options, message, tmp_path
):
    run = TrainingRun(work=tmp_path, device="cpu", **options)
    with pytest.raises(CommandError, match=message):
        stages.run_stages("all", run)
    assert not list(tmp_path.iterdir())


def test_a_quarter_of_the_images_show_people_in_patterns():
    numbers = TrainingRun().number_shards(1000, 1000)
    assert len(numbers["captioned"]) == 60 and len(numbers["wearers"]) == 20
    assert len(numbers["judges"]) == 64
    small = TrainingRun(share=0.02).number_shards(1000, 1000)
    assert {name: len(n) for name, n in small.items()} == {
        "captioned": 1,
        "wearers": 1,
        "judges": 4,
        "held-out": 1,
    }


def test_no_training_image_is_held_out():
    captioned = [
        n for n, _ in zip(number_captioned(), range(200), strict=False)
    ]
    assert HELD_OUT_NUMBER not in captioned and captioned[-1] == 200


def test_held_out_images_are_rendered_alone(run):
    shutil.rmtree(run.work_folder)
    rendered = []
    images = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            dataset,
            "render_shards",
            lambda folder, numbers, *_: rendered.append(numbers),
        )
        with pytest.raises(OSError):
            images = stages.load_held_out(run)
    assert images is None and rendered == [{"held-out": [HELD_OUT_NUMBER]}]


def test_the_card_is_measured_at_the_size_of_the_written_models(run):
    with pytest.raises(CommandError, match="no models in .*models write"):
        stages.read_size(run)
    path = run.target / "stable-diffusion" / "vae" / "config.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"sample_size": 32}', encoding="utf-8")
    assert stages.read_size(run) == 32


def test_each_size_has_a_work_folder_of_its_own(tmp_path):
    folders = {TrainingRun(size=size).work_folder for size in (64, 128)}
    assert {folder.name for folder in folders} == {"tiny64", "tiny128"}
    assert TrainingRun(work=tmp_path).work_folder == tmp_path
    assert TrainingRun().size == 128


# --- images while models are trained


def test_images_come_in_an_order_that_lets_trainings_begin(run):
    shutil.rmtree(run.work_folder)
    renderer = background.BackgroundRenderer.__new__(
        background.BackgroundRenderer
    )
    renderer.run = run
    renderer.numbers = dataset.number_shards(run)
    tasks = renderer._list_tasks()
    first = [next(tasks) for _ in range(16)]
    order = [f"{path.parent.name} {number}" for path, number, _ in first]
    assert order == [
        "held-out 79",
        "captioned 0",
        "captioned 1",
        "wearers 0",
        "judges 0",
        "judges 1",
        "judges 2",
        "judges 3",
        "captioned 2",
        "captioned 3",
        "captioned 4",
        "wearers 1",
        "captioned 5",
        "captioned 6",
        "captioned 7",
        "wearers 2",
    ]


def test_an_image_whose_latents_are_kept_is_not_rendered_again(tmp_path):
    path = name_shard(tmp_path / "latents" / "captioned", 3)
    path.parent.mkdir(parents=True)
    path.touch()
    assert background.is_done(tmp_path, "captioned", 3)
    assert not background.is_done(tmp_path, "captioned", 4)
