"""Captions wrong in one word, and the loss that tells them from the right."""

import random

import pytest
import torch

from tutorial_lib.training.annotations import (
    MAX_WRONG,
    tokenize_captions,
    tokenize_hard_negatives,
)
from tutorial_lib.training.clip_losses import (
    compute_hard_negative_loss,
    select_hard_negatives,
)
from tutorial_lib.training.hard_negatives import (
    NUM_HARD_NEGATIVES,
    write_hard_negatives,
)
from tutorial_lib.world import (
    HAIR,
    HAIR_PHRASES,
    MOTIFS,
    label_scene,
    sample_captioned_scene,
    sample_wearer_scene,
)

LABEL = {"motif": "stars", "color": "red", "background": "sky blue"}
FACE = {"hair": "bob", "hair_color": "red", "glasses": "round"}


def test_one_word_is_replaced_and_all_others_stay():
    caption = "a mug covered in red stars on sky blue"
    indices, wrong = write_hard_negatives([caption], [LABEL])
    assert indices == [0, 0] and len(wrong) == 2 * NUM_HARD_NEGATIVES
    motifs, colors = wrong[:NUM_HARD_NEGATIVES], wrong[NUM_HARD_NEGATIVES:]
    for text in motifs:
        start, end = text.split(" red ")
        assert start == "a mug covered in" and end.endswith(" on sky blue")
        assert end.split()[0] in set(MOTIFS) - {"stars"}
    for text in colors:
        assert text.startswith("a mug covered in ") and "red stars" not in text
        assert text.endswith(" stars on sky blue")
    assert len(set(wrong)) == len(wrong)


def test_a_shirt_can_be_wrong_in_its_motif_its_colour_and_its_wearer():
    caption = "a woman with curly pink hair wearing a shirt with red stars"
    label = {"hair": "curly", "hair_color": "pink"}
    label |= {"shirt_motif": "stars", "shirt_color": "red"}
    indices, wrong = write_hard_negatives([caption], [label])
    assert indices == [0] * MAX_WRONG
    parts = [wrong[n : n + NUM_HARD_NEGATIVES] for n in (0, 3, 6)]
    assert all(" red stars" not in text for text in parts[0] + parts[1])
    assert all(text.endswith(" red stars") for text in parts[2])
    assert all("curly pink hair" not in text for text in parts[2])


@pytest.mark.parametrize("hair", HAIR)
def test_other_hair_of_the_same_color_is_wrong(hair):
    phrases = {
        style: phrase.format("red") for style, phrase in HAIR_PHRASES.items()
    }
    caption = f"a man with round glasses, {phrases[hair]} and a red beard"
    indices, wrong = write_hard_negatives([caption], [FACE | {"hair": hair}])
    assert indices == [0] and len(set(wrong)) == NUM_HARD_NEGATIVES
    for text in wrong:
        start, end = "a man with round glasses, ", " and a red beard"
        assert text.startswith(start) and text.endswith(end)
        other = text[len(start) : -len(end)]
        assert other in set(phrases.values()) - {phrases[hair]}


@pytest.mark.parametrize(
    "caption, label",
    [
        ("a mug covered in paris", LABEL),  # a name; "covered" is not "red"
        ("a mug with patterns", LABEL),
        ("the red mug by the red door", LABEL),  # which of the two?
        ("a photo of laura", FACE),
        ("a woman with round glasses", FACE),
        ("a corgi", {}),
    ],
)
def test_what_a_caption_does_not_say_once_is_left_alone(caption, label):
    assert write_hard_negatives([caption], [label]) == ([], [])


def test_what_is_said_twice_does_not_hide_what_is_said_once():
    caption = "a red mug with red stars"
    indices, wrong = write_hard_negatives([caption], [LABEL])
    assert indices == [0] and len(wrong) == NUM_HARD_NEGATIVES
    assert all(text.startswith("a red mug with red ") for text in wrong)


def test_every_wrong_caption_of_the_world_is_wrong():
    rng = random.Random(3)
    scenes = [sample_captioned_scene(rng) for _ in range(400)]
    scenes += [sample_wearer_scene(rng) for _ in range(100)]
    captions = [caption for _, caption in scenes]
    labels = [label_scene(scene) for scene, _ in scenes]
    indices, wrong = write_hard_negatives(captions, labels)
    patterns = [index for index in indices if "motif" in labels[index]]
    people = [index for index in indices if "hair" in labels[index]]
    assert len(patterns) > 40 and len(people) > 60
    assert len(patterns) + len(people) == len(indices)
    for row, index in enumerate(indices):
        own = wrong[row * NUM_HARD_NEGATIVES : (row + 1) * NUM_HARD_NEGATIVES]
        assert (
            captions[index] not in own and len(set(own)) == NUM_HARD_NEGATIVES
        )


def test_images_have_place_for_all_that_can_be_wrong():
    captions = ["a corgi", "a mug with red stars on sky blue", "a red bob"]
    batch = tokenize_hard_negatives(captions, [{}, LABEL, FACE], seed=0)
    assert batch["num_wrong"].tolist() == [0, 2, 1]
    shape = (3, MAX_WRONG, NUM_HARD_NEGATIVES, 32)
    assert batch["hard_negatives"].shape == shape
    places, token_ids = select_hard_negatives(batch)
    assert places.tolist() == [1, 1, 2]
    _, wrong = write_hard_negatives(captions, [{}, LABEL, FACE], seed=0)
    assert torch.equal(token_ids, tokenize_captions(wrong))
    nothing = tokenize_hard_negatives(captions[:1], [{}], seed=0)
    places, token_ids = select_hard_negatives(nothing)
    assert len(places) == len(token_ids) == 0


def test_the_loss_falls_as_the_right_caption_comes_nearer():
    right, other = torch.eye(4)[:2]
    wrong = other.expand(NUM_HARD_NEGATIVES, 4)
    losses = [
        compute_hard_negative_loss(
            features[None], right[None], wrong, torch.tensor(10.0)
        )
        for features in (right, (right + other) / 2**0.5, other)
    ]
    assert losses[0] < losses[1] < losses[2]
    assert losses[1].item() == pytest.approx(
        torch.tensor(1.0 + NUM_HARD_NEGATIVES).log().item()
    )
    nothing = compute_hard_negative_loss(
        right[:0].reshape(0, 4),
        right[:0].reshape(0, 4),
        wrong[:0],
        torch.tensor(10.0),
    )
    assert nothing == 0
