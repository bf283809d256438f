"""Shards of images: read by rows, mixed, grouped, and never all at once."""

import random
from collections import Counter

import numpy as np
import pytest
import torch
from mini_training import SHARD_SIZE
from PIL import Image

from tutorial_lib.errors import CommandError, DataError
from tutorial_lib.training import batches, dataset
from tutorial_lib.training.annotations import LABELS, annotate
from tutorial_lib.training.batches import (
    BatchSource,
    ShardDataset,
    name_shard,
    resize,
)
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.dataset import load_images, save_shard
from tutorial_lib.training.loaders import StepSampler, make_loader
from tutorial_lib.training.resident import ResidentShards
from tutorial_lib.training.sampling import (
    GROUP_SIZE,
    ImagePool,
    LookalikeSampler,
    MixtureSampler,
)
from tutorial_lib.world import (
    label_scene,
    sample_captioned_scene,
    sample_wearer_scene,
)

BOTH = {"captioned": [0, 1], "wearers": [0]}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def write_plain(folder, number, count, labels=None):
    """Write a shard of images, each of one grey level: its row's number."""
    pixels = [np.full((4, 4, 3), i, np.uint8) for i in range(count)]
    labels = labels or [{"object": "mug"}] * count
    columns = annotate([f"a mug {i}" for i in range(count)], labels, 0)
    captions = [f"{folder.name} {number} {i}" for i in range(count)]
    path = name_shard(folder, number)
    save_shard(path, pixels, captions, labels, columns)


def test_a_shard_comes_back_as_it_was_written(tmp_path):
    write_plain(tmp_path / "captioned", 0, 3)
    write_plain(tmp_path / "captioned", 1, 3)
    images = load_images(tmp_path / "captioned", [0, 1], 4)
    assert images.captions == [
        f"captioned {n}" for n in ("0 0", "0 1", "0 2", "1 0")
    ]
    assert images.labels == [{"object": "mug"}] * 4
    assert [int(p[0, 0, 0]) for p in images.pixels] == [0, 1, 2, 0]
    batch = images.batch(torch.tensor([3, 1]), "cpu")
    assert batch[:, 0, 0, 0].tolist() == pytest.approx([-1, 1 / 127.5 - 1])
    names = {p.name for p in (tmp_path / "captioned").iterdir()}
    assert names == {"0000.safetensors", "0001.safetensors"}


def test_rows_come_in_the_order_in_which_they_are_asked_for(tmp_path):
    for name, number in (("captioned", 0), ("captioned", 1), ("wearers", 0)):
        write_plain(tmp_path / name, number, 5)
    indices = [
        ("wearers", 0, 4),
        ("captioned", 1, 0),
        ("captioned", 0, 3),
        ("captioned", 1, 2),
        ("wearers", 0, 1),
    ]
    batch = ShardDataset(tmp_path, ["pixels"]).__getitems__(indices)
    assert batch["pixels"][:, 0, 0, 0].tolist() == [4, 0, 3, 2, 1]
    row = ShardDataset(tmp_path, ["pixels"])[("captioned", 1, 2)]
    assert row["pixels"].shape == (4, 4, 3) and row["pixels"].max() == 2


def test_a_training_reads_the_rows_of_a_batch_and_no_more(shards, monkeypatch):
    taken = []

    class Watched:
        def __init__(self, column):
            self.column = column

        def __getitem__(self, rows):
            taken.append(len(rows))
            return self.column[rows]

    def watch_shard(path):
        shard = batches.open_shard(path)
        return {name: Watched(column) for name, column in shard.items()}

    monkeypatch.setattr(batches, "map_shard", watch_shard)
    indices = [("captioned", 0, row) for row in range(6)]
    ShardDataset(shards, ["pixels"]).__getitems__(indices)
    assert taken == [6]  # of 20
    path = name_shard(shards / "captioned", 0)
    mapped = batches.open_shard(path)["pixels"]
    with open("/proc/self/maps", encoding="utf-8") as maps:
        assert any(str(path) in line for line in maps)
    assert len(mapped) == SHARD_SIZE


def test_a_missing_or_damaged_shard_is_named_with_the_remedy(tmp_path):
    path = tmp_path / "captioned" / "0000.safetensors"
    for content in (None, b"no shard"):
        if content:
            path.parent.mkdir()
            path.write_bytes(content)
        with pytest.raises(DataError, match="0000.*cannot be read.*pictures"):
            ShardDataset(tmp_path, ["pixels"])[("captioned", 0, 0)]


@pytest.mark.parametrize("by_floats", [False, True])
def test_images_are_made_smaller_as_pillow_does_it(by_floats):
    generator = seeded()
    pixels = torch.randint(256, (2, 128, 128, 3), generator=generator)
    pixels = pixels.to(torch.uint8)
    small = resize(pixels, 64, by_floats)
    assert small.dtype == torch.uint8
    for image, wanted in zip(small, pixels, strict=True):
        by_pillow = Image.fromarray(wanted.numpy()).resize(
            (64, 64), Image.Resampling.BICUBIC
        )
        error = np.asarray(by_pillow).astype(int) - image.numpy().astype(int)
        is_off = np.abs(error) > 1  # Pillow rounds in between
        assert is_off.mean() < (0.01 if by_floats else 1e-9)


def test_rows_that_stay_on_a_device_are_those_of_the_shards(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("tutorial_lib.training.resident.FIRST_ROWS", 4)
    for name, number, count in (("captioned", 0, 3), ("wearers", 7, 20)):
        write_plain(tmp_path / name, number, count)
    dataset = ShardDataset(tmp_path, ["pixels", "token_ids"])
    resident = ResidentShards(dataset, torch.device("cpu"))
    first = [("captioned", 0, 2), ("captioned", 0, 0)]
    both = [("wearers", 7, 19), *first, ("wearers", 7, 4)]
    for indices in (first, both, first):
        batch = resident.__getitems__(indices)
        wanted = dataset.__getitems__(indices)
        for column, rows in wanted.items():
            assert torch.equal(batch[column], rows), column
    assert resident.count == 23
    # A shard is read once: what is gone from the disk is still there.
    name_shard(tmp_path / "wearers", 7).unlink()
    assert resident.__getitems__(both)["pixels"][0].unique().tolist() == [19]


def test_a_loader_without_workers_gives_the_same_batches(shards):
    sampler = MixtureSampler(ImagePool(shards, BOTH), 0.4)
    source = BatchSource(ShardDataset(shards, ["pixels"], 32), sampler)
    batches_of = []
    for data_on_device in (False, True):
        config = PretrainingConfig(
            steps=3, batch_size=8, lr=1.0, data_on_device=data_on_device
        )
        loader = make_loader(source, config, 1, torch.device("cpu"))
        assert isinstance(loader.dataset, ResidentShards) == data_on_device
        batches_of.append([batch["pixels"] for batch in loader])
    assert len(batches_of[0]) == 2
    for read, resident in zip(*batches_of, strict=True):
        assert read.shape == (8, 32, 32, 3) and torch.equal(read, resident)


def test_each_step_has_a_batch_of_its_own_wherever_it_is_begun():
    def sample(count, generator):
        return torch.randint(1000, (count,), generator=generator).tolist()

    config = PretrainingConfig(
        steps=5, batch_size=6, lr=1.0, accumulation=2, seed=3
    )
    whole = list(StepSampler(sample, config, 0))
    assert len(whole) == len(StepSampler(sample, config, 0)) == 10
    assert len({tuple(part) for part in whole}) == 10
    assert list(StepSampler(sample, config, 3)) == whole[6:]


# --- which images


def test_a_mixture_has_its_share_of_people_in_patterns(shards):
    sampler = MixtureSampler(ImagePool(shards, BOTH), 0.4)
    indices = sampler(4000, seeded())
    counts = Counter(name for name, _, _ in indices)
    assert 0.37 < counts["wearers"] / 4000 < 0.43
    assert {n for name, n, _ in indices if name == "captioned"} == {0, 1}
    assert {row for _, _, row in indices} == set(range(SHARD_SIZE))
    assert sampler(4000, seeded()) == indices
    only = MixtureSampler(ImagePool(shards, BOTH))(100, seeded())
    assert {name for name, _, _ in only} == {"captioned"}


def test_a_pool_that_grows_notices_new_shards(tmp_path, monkeypatch):
    pool = ImagePool(tmp_path)
    with pytest.raises(CommandError, match="no images in .*models pictures"):
        pool.list_numbers("captioned")
    monkeypatch.setattr("tutorial_lib.training.sampling.LOOK_AGAIN", 0.0)
    for number in (0, 2):
        write_plain(tmp_path / "captioned", number, 2)
        assert pool.list_numbers("captioned")[-1] == number
    fixed = ImagePool(tmp_path, {"captioned": [0]})
    assert fixed.list_numbers("captioned") == [0]


def test_half_of_a_batch_for_clip_looks_alike(tmp_path):
    colors = ["red", "blue", "green", "pink", "black"] * 40
    labels = [{"color": color, "motif": "stars"} for color in colors]
    write_plain(tmp_path / "captioned", 0, 200, labels)
    write_plain(tmp_path / "captioned", 1, 200, labels)
    pool = ImagePool(tmp_path, {"captioned": [0, 1]})
    sampler = LookalikeSampler(pool)
    indices = sampler(256, seeded())
    assert len(indices) == 256 and sampler.ends.tolist() == [
        80 * n for n in range(1, 6)
    ]
    half = [colors[row] for _, _, row in indices[:128]]
    for start in range(0, 128, GROUP_SIZE):
        assert len(set(half[start : start + GROUP_SIZE])) == 1
    assert {number for _, number, _ in indices[:GROUP_SIZE]} == {0, 1}
    assert len({colors[row] for _, _, row in indices[128:]}) == 5


# --- what is rendered


def test_every_label_of_a_scene_is_known():
    rng = random.Random(0)
    scenes = [sample_captioned_scene(rng)[0] for _ in range(3000)]
    scenes += [sample_wearer_scene(rng)[0] for _ in range(500)]
    seen = {name: set() for name in LABELS}
    for scene in scenes:
        for name, value in label_scene(scene).items():
            seen[name].add(value)
    assert {name: sorted(v) for name, v in seen.items()} == {
        name: sorted(v) for name, v in LABELS.items()
    }


def test_people_in_patterns_wear_one_and_the_caption_says_so(shards):
    captions, labels = dataset.read_texts(name_shard(shards / "wearers", 0))
    assert all("shirt_motif" in label for label in labels)
    assert all(" wearing a " in caption for caption in captions)
    shard = batches.open_shard(name_shard(shards / "wearers", 0))
    assert shard["is_wearer"].all() and len(captions) == SHARD_SIZE


def test_half_of_the_portraits_wear_a_pattern_that_has_labels():
    rng = random.Random(1)
    scenes = [sample_captioned_scene(rng)[0] for _ in range(1000)]
    portraits = [scene for scene in scenes if scene.subject == "portrait"]
    worn = [scene for scene in portraits if scene.pattern]
    assert 0.4 < len(worn) / len(portraits) < 0.6
    for scene in portraits:
        label, pattern = label_scene(scene), scene.pattern
        assert label.get("shirt_color") == (pattern and pattern.color)
        assert "motif" not in label and label["hair"] == scene.person.hair
