"""Judges: networks, files, identity, prompt score and intervals."""

import numpy as np
import pytest
import torch
from PIL import Image

from tutorial_lib import world
from tutorial_lib.evaluation import gallery
from tutorial_lib.evaluation.judge_networks import default_widths
from tutorial_lib.evaluation.judges import stack_images

LABELS = {
    "object": ["T-shirt", "corgi"],
    "style": ["photo", "anime illustration"],
}


def make_judges(size=64):
    """Make untrained judges, the same each time."""
    torch.manual_seed(0)
    return gallery.Judges(
        pattern=gallery.EmbeddingJudge(size),
        person=gallery.EmbeddingJudge(size, dimensions=32),
        attributes=gallery.AttributeJudge(size, LABELS),
    )


def paint(*colors):
    """Make a plain picture of each colour."""
    return [Image.new("RGB", (64, 64), color) for color in colors]


class ColorJudge(torch.nn.Module):
    """A judge that knows pictures by their mean colour alone."""

    def __init__(self):
        super().__init__()
        self.trunk = torch.nn.Module()
        self.trunk.size = 64
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x):
        """Return the mean colour as a unit vector."""
        return torch.nn.functional.normalize(x.mean((2, 3)), dim=-1)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_an_embedding_judge_returns_unit_vectors_at_every_size(size):
    judge = gallery.EmbeddingJudge(size)
    vectors = judge(torch.randn(3, 3, size, size))
    assert vectors.shape == (3, 64)
    assert torch.allclose(vectors.norm(dim=-1), torch.ones(3), atol=1e-5)


def test_a_judge_has_about_a_million_parameters():
    judge = gallery.EmbeddingJudge(64)
    assert 4e5 < sum(each.numel() for each in judge.parameters()) < 2e6


def test_a_size_that_is_no_power_of_two_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match="64, 128"):
        default_widths(100)


def test_saved_judges_come_back_frozen_and_in_fp32(tmp_path):
    judges = make_judges()
    gallery.save_judges(judges, tmp_path)
    loaded = gallery.load_judges(tmp_path)
    x = torch.randn(4, 3, 64, 64)
    assert torch.allclose(loaded.pattern(x), judges.pattern(x), atol=5e-3)
    assert loaded.attributes.labels == LABELS
    for judge in (loaded.pattern, loaded.person, loaded.attributes):
        assert not judge.training
        for each in judge.parameters():
            assert each.dtype == torch.float32
            assert not each.requires_grad


def test_missing_judges_are_named_with_the_remedy(tmp_path):
    with pytest.raises(gallery.JudgeError, match="no judges in .*models"):
        gallery.load_judges(tmp_path / "nowhere")


def test_a_damaged_judge_is_named(tmp_path):
    gallery.save_judges(make_judges(), tmp_path)
    file = tmp_path / "person.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(gallery.JudgeError, match="cannot be read"):
        gallery.load_judges(tmp_path)


def test_pictures_become_a_batch_between_minus_one_and_one():
    batch = stack_images(paint("white", "black"), size=32)
    assert batch.shape == (2, 3, 32, 32)
    assert batch[0].min() == 1 and batch[1].max() == -1


def test_identity_counts_only_pictures_nearest_to_the_true_concept():
    judge = ColorJudge()
    references = judge(stack_images(paint("red", "blue", "green"), 64))
    gallery = gallery.Lineup(None, references)
    images = paint("red", "blue", (200, 10, 10), "green")
    assert gallery.identity(judge, images, gallery) == [
        True, False, True, False,
    ]  # fmt: skip


def test_the_place_of_the_true_concept_counts_all_that_are_nearer():
    judge = ColorJudge()
    references = judge(stack_images(paint("red", "blue", "green"), 64))
    gallery = gallery.Lineup(None, references)
    images = paint("red", (200, 10, 220), (90, 100, 110))
    assert gallery.rank_truth(judge, images, gallery) == [1, 2, 3]
    assert gallery.rank_truth(judge, [], gallery) == []


def test_a_lineup_holds_the_concept_first_then_99_others(monkeypatch):
    concept = world.new_concept("pattern", 5)
    embedded = []

    def remember(judge, concept, count, seed):
        embedded.append(concept)
        return torch.zeros(2)

    monkeypatch.setattr(gallery, "embed_concept", remember)
    maker = gallery.LineupMaker(judge=None, kind="pattern")
    gallery = maker.make(concept)
    assert gallery.references.shape == (100, 2)
    distractors, (first, *alike) = embedded[:75], embedded[75:]
    assert first == concept and len(alike) == 24
    assert concept not in alike + distractors
    told = {world.describe(each) for each in alike}
    assert told == {world.describe(concept)}
    maker.make(world.new_concept("pattern", 6))
    assert len(embedded) == 75 + 2 * 25  # the strangers are drawn once


def test_references_show_every_carrier_and_every_style():
    drawn = []

    def remember(concept, count, **options):
        drawn.append(options)
        return [None] * count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "draw_concept", remember)
        pattern, person = (
            world.new_concept(k, 1) for k in ("pattern", "person")
        )
        assert len(gallery.draw_references(pattern, 12, 0, 64)) == 12
        assert {each["carrier"] for each in drawn} == set(world.CARRIERS)
        drawn.clear()
        gallery.draw_references(person, 8, 0, 64)
        assert {each["style"] for each in drawn} == set(world.STYLES)


def test_the_prompt_score_wants_object_and_style_both():
    judge = gallery.AttributeJudge(64, LABELS)
    for name, best in {"object": 1, "style": 0}.items():
        head = judge.heads[f"of_{name}"]
        torch.nn.init.zeros_(head.weight)
        head.bias.data = torch.eye(2)[best]
    images = paint("red")
    ask = {"object": "corgi", "style": "photo"}
    assert gallery.prompt_score(judge, images, ask) == [True]
    ask = {"object": "corgi", "style": "anime illustration"}
    assert gallery.prompt_score(judge, images, ask) == [False]


def test_a_label_that_the_judge_does_not_know_is_refused():
    judge = gallery.AttributeJudge(64, LABELS)
    with pytest.raises(gallery.JudgeError, match="knows T-shirt, corgi"):
        gallery.prompt_score(judge, paint("red"), {"object": "cat"})


def test_an_interval_holds_the_share_and_shrinks_with_more_pictures():
    few = gallery.bootstrap_interval([True, False] * 6)
    many = gallery.bootstrap_interval([True, False] * 200)
    assert few[0] < many[0] < 0.5 < many[1] < few[1]
    assert many == gallery.bootstrap_interval([True, False] * 200)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(200):
        hits = rng.random(40) < 0.6
        low, high = gallery.bootstrap_interval(hits, rounds=400)
        covered.append(low <= 0.6 <= high)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_pictures_of_one_concept_do_not_count_as_independent():
    hits = ([True] * 10 + [False] * 10) * 3
    clusters = [i // 10 for i in range(60)]
    alone = gallery.bootstrap_interval(hits)
    together = gallery.bootstrap_interval(hits, clusters=clusters)
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


def test_a_perfect_row_is_still_not_taken_for_certain():
    low, high = gallery.bootstrap_interval([True] * 24)
    assert 0.8 < low < 0.9 and high == 1
    low, high = gallery.bootstrap_interval([False] * 24)
    assert low == 0 and 0.1 < high < 0.2


def test_a_paired_difference_sees_what_two_shares_alone_hide():
    clusters = np.repeat(np.arange(10), 8)
    turn, easy = np.tile(np.arange(8), 10), clusters % 5
    x, other = turn < easy + 1 + clusters % 2, turn < easy
    low, high = gallery.paired_interval(x, other, clusters=clusters)
    value = np.mean(x) - np.mean(other)
    assert 0 < low < value < high
    alone = gallery.bootstrap_interval(x, clusters=clusters)
    under = gallery.bootstrap_interval(other, clusters=clusters)
    assert alone[0] < under[1] and high - low < alone[1] - alone[0]


def test_ten_concepts_alike_are_still_not_taken_for_certain():
    clusters = [i for i in range(10) for _ in range(4)]
    hits, misses = [True] * 40, [False] * 40
    low, high = gallery.paired_interval(hits, misses, clusters=clusters)
    assert 0.6 < low < 0.8 and high == 1
    low, high = gallery.paired_interval(misses, misses, clusters=clusters)
    assert -0.4 < low < -0.2 and high == -low


def test_rows_of_different_length_cannot_be_paired():
    with pytest.raises(ValueError, match="cannot be paired"):
        gallery.paired_interval([True], [True, False])


def test_no_pictures_give_no_interval():
    with pytest.raises(ValueError, match="no pictures"):
        gallery.bootstrap_interval([])
