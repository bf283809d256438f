"""What the judges learn from: groups of concepts, and loosened scenes."""

import random

import numpy as np
import pytest
from safetensors.numpy import load_file

from tutorial_lib import world
from tutorial_lib.errors import CommandError
from tutorial_lib.training import judge_images
from tutorial_lib.training.judge_concepts import (
    GROUP_SIZE,
    NEAREST,
    loosen,
    make_group,
)
from tutorial_lib.training.judge_images import (
    LABELS,
    NO_LABEL,
    VIEWS,
    check_shards,
    encode_views,
    label_view,
    list_views,
    measure_view,
    render_judge_shard,
    shard_path,
    view_concept,
)
from tutorial_lib.world import NUMBERS


@pytest.fixture
def small(monkeypatch):
    """Make shards of one group."""
    monkeypatch.setattr(judge_images, "GROUPS_PER_SHARD", 1)
    monkeypatch.setattr(judge_images, "SHARD_SIZE", VIEWS * GROUP_SIZE)


@pytest.mark.parametrize("kind", world.KIND_NAMES)
def test_a_group_fits_one_description_and_can_be_told_apart(kind):
    rng = random.Random(0)
    for _ in range(5):
        group = make_group(world.sample_concept(kind, rng), rng)
        assert len(group) == GROUP_SIZE
        assert len({world.describe(concept) for concept in group}) == 1
        neighbours = group[4:]
        for i, neighbour in enumerate(neighbours):
            others = group[: 4 + i]
            steps = [world.visible_distance(neighbour, o) for o in others]
            assert min(steps) >= NEAREST


def test_every_pattern_is_shown_on_a_corgi_and_most_on_a_shirt():
    rng = random.Random(1)
    pattern = world.new_concept("pattern", 1)
    shown = [view_concept(pattern, rng) for _ in range(60)]
    assert all(view[2].scene.subject == "corgi" for view in shown)
    parts = [view.part for views in shown for view in views]
    assert 0.1 < parts.count("pattern") / len(parts) < 0.2
    for views in shown:
        assert len(views) == VIEWS
        assert {view.scene.pattern for view in views} == {pattern}
        assert all(view.scene.subject in world.CARRIERS for view in views[:2])


def test_every_person_is_shown_whole_and_as_a_head():
    rng = random.Random(1)
    person = world.new_concept("person", 1)
    shown = [view_concept(person, rng) for _ in range(20)]
    for views in shown:
        assert [v.part for v in views] == ["whole"] * 3 + ["person"]
        assert {view.scene.person for view in views} == {person}
        assert views[3].scene.pattern
    worn = [views[2].scene.pattern for views in shown]
    assert None in worn and any(worn)


def test_a_part_is_labelled_by_what_it_shows():
    rng = random.Random(2)
    head = view_concept(world.new_concept("person", 3), rng)[3]
    assert "object" not in label_view(head) and "hair" in label_view(head)
    assert not any(name.startswith("shirt") for name in measure_view(head))
    pattern = world.new_concept("pattern", 3)
    while True:
        shirt = view_concept(pattern, rng)[3]
        if shirt.part == "pattern":
            break
    assert label_view(shirt) == {
        "style": shirt.scene.style,
        "motif": pattern.motif,
        "second_motif": pattern.other_motif or "none",
        "color": pattern.color,
        "background": pattern.background,
    }
    assert measure_view(shirt) == world.measure_pattern(pattern)


def test_loosened_concepts_go_beyond_the_world_s_ranges():
    rng = random.Random(3)
    periods, angles, misfits = [], set(), set()
    for seed in range(200):
        pattern = world.new_concept("pattern", seed)
        loose, unfit = loosen(pattern, rng)
        periods.append(loose.period)
        angles.add(loose.angle)
        misfits |= unfit
        if "background" not in unfit:
            assert loose.background_rgb == pattern.background_rgb
        person, unfit = loosen(world.new_concept("person", seed), rng)
        misfits |= unfit
        assert person.words == world.new_concept("person", seed).words
    assert min(periods) < 0.3 and max(periods) > 0.55
    assert len(angles) > 50
    assert misfits == {"color", "background", "hair_color", "eye_color"}


def test_labels_and_numbers_are_encoded_in_a_fixed_order(small):
    for number in range(4):
        views = list_views(number)
        labels, numbers = encode_views(views)
        assert labels.shape == (len(views), len(LABELS))
        assert numbers.shape == (len(views), len(NUMBERS))
        for view, row, values in zip(views, labels, numbers, strict=True):
            read = {
                name: known[index]
                for (name, known), index in zip(
                    LABELS.items(), row, strict=True
                )
                if index != NO_LABEL
            }
            assert read == label_view(view)
            measured = measure_view(view)
            for name, value in zip(NUMBERS, values, strict=True):
                if name in measured:
                    assert value == pytest.approx(measured[name], rel=1e-5)
                else:
                    assert np.isnan(value)


def test_a_shard_holds_whole_images_and_says_which_part_counts(
    small, tmp_path
):
    path = shard_path(tmp_path, 0)
    assert path.name == "00000-pattern.safetensors"
    render_judge_shard(path, 0, 16)
    shard = load_file(path)
    views = list_views(0)
    assert shard["pixels"].shape == (len(views), 16, 16, 3)
    image = world.render_scene(views[5].scene, 16)
    assert shard["pixels"][5].tolist() == np.asarray(image).tolist()
    parts = [judge_images.PART_NAMES[part] for part in shard["parts"]]
    assert parts == [view.part for view in views]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_shards_are_counted_and_a_missing_one_is_named(small, tmp_path):
    with pytest.raises(CommandError, match="00000-pattern.*models pictures"):
        check_shards(tmp_path, 1)
    size = VIEWS * GROUP_SIZE
    for number in range(3):
        shard_path(tmp_path, number).touch()
    assert check_shards(tmp_path, 2 * size + 1) == 3 * size
    with pytest.raises(CommandError, match="00003-person"):
        check_shards(tmp_path, 3 * size + 1)
