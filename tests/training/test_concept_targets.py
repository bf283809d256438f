"""The numbers that a name stands for, and no description tells."""

import math
from dataclasses import replace

import pytest
import torch

from tutorial_lib.training.annotations import NO_LABEL
from tutorial_lib.training.auxiliary_heads import CLIPWithHeads
from tutorial_lib.training.concept_targets import (
    compute_targets,
    count_numbers,
    get_concept_numbers,
)
from tutorial_lib.world import (
    KIND_NAMES,
    describe,
    lookalikes,
    named_concepts,
    new_concept,
)

NAMES = {kind: list(named_concepts(kind)) for kind in KIND_NAMES}


@pytest.mark.parametrize("kind", NAMES)
def test_lookalikes_differ_in_numbers_though_words_are_the_same(kind):
    truth = new_concept(kind, 1)
    (other,) = lookalikes(truth, 1, seed=0)
    assert describe(other) == describe(truth)
    assert get_concept_numbers(other) != get_concept_numbers(truth)


def test_each_angle_has_numbers_of_its_own():
    pattern = new_concept("pattern", 1)
    rows = [
        get_concept_numbers(replace(pattern, angle=angle))[9:11]
        for angle in (0.0, 45.0, 90.0)
    ]
    for row, wanted in zip(rows, ((1, 0), (0, 1), (-1, 0)), strict=True):
        assert row == pytest.approx(wanted, abs=1e-9)


def test_a_caption_gets_the_numbers_of_the_names_in_it():
    pattern, person = NAMES["pattern"][5], NAMES["person"][7]
    targets = compute_targets(
        [
            f"a mug with {pattern}",
            f"a photo of {person}",
            "a red corgi",
            f"{person} wearing a shirt with {pattern}",
        ]
    )
    known = {
        kind: (~rows.isnan().any(1)).tolist() for kind, rows in targets.items()
    }
    assert known == {
        "pattern": [True, False, False, True],
        "person": [False, True, False, True],
    }
    assert targets["pattern"][0].equal(targets["pattern"][3])


@pytest.mark.parametrize("kind", NAMES)
def test_numbers_are_of_one_size_over_all_names(kind):
    rows = compute_targets(NAMES[kind])[kind]
    assert rows.shape == (len(NAMES[kind]), count_numbers()[kind])
    assert rows.mean(0).abs().max() < 1e-3
    assert rows.std(0) == pytest.approx(torch.ones(rows.shape[1]), abs=1e-3)


def make_heads(labels, details):
    clip = torch.nn.Module()
    clip.text_projection = torch.zeros(4, 6)
    return CLIPWithHeads(clip, labels, details)


def test_what_is_unknown_gives_neither_a_loss_nor_a_gradient():
    model = make_heads({}, {"pattern": 2, "person": 2})
    features = torch.randn(3, 6, requires_grad=True)
    rows = torch.tensor([[1.0, 2.0], [math.nan] * 2, [0, 1.0]])
    unknown = torch.full((3, 2), math.nan)
    loss = model.compute_detail_loss(
        features, {"pattern": rows, "person": unknown}
    )
    alone = make_heads({}, {"pattern": 2})
    alone.load_state_dict(model.state_dict(), strict=False)
    assert loss == alone.compute_detail_loss(features, {"pattern": rows})
    loss.backward()
    assert (features.grad.abs().sum(1) > 0).tolist() == [True, False, True]
    assert not features.grad.isnan().any()


def test_labels_are_averaged_within_an_attribute_and_then_over_all():
    model = make_heads({"motif": ["a", "b"], "hair": ["c", "d", "e"]}, {})
    for head in model.label_heads.values():
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    labels = torch.tensor([[0, NO_LABEL], [1, NO_LABEL], [1, 2]])
    loss = model.compute_label_loss(torch.randn(3, 6), labels)
    assert loss.item() == pytest.approx((math.log(2) + math.log(3)) / 2)
    nothing = torch.full((3, 2), NO_LABEL)
    assert model.compute_label_loss(torch.randn(3, 6), nothing) == 0
