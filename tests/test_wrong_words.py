"""Captions wrong in one word, and the loss that tells them from the right."""

import random

import pytest
import torch

from tutorial_lib.tiny.clip import prefer_right, tokenize_wrong_captions
from tutorial_lib.tiny.pictures import (
    Pictures, label_scene, sample_captioned_scene,
)
from tutorial_lib.tiny.wrong_words import NUM_WRONG, write_wrong_captions
from tutorial_lib.world import MOTIFS

LABEL = {"motif": "stars", "color": "red", "background": "sky blue"}


def test_one_word_is_exchanged_and_all_others_stay():
    caption = "a mug covered in red stars on sky blue"
    places, wrong = write_wrong_captions([caption], [LABEL])
    assert places == [0] and len(wrong) == 2 * NUM_WRONG
    motifs, colors = wrong[:NUM_WRONG], wrong[NUM_WRONG:]
    for text in motifs:
        start, end = text.split(" red ")
        assert start == "a mug covered in" and end.endswith(" on sky blue")
        assert end.split()[0] in set(MOTIFS) - {"stars"}
    for text in colors:
        assert text.startswith("a mug covered in ") and "red stars" not in text
        assert text.endswith(" stars on sky blue")
    assert len(set(wrong)) == len(wrong)


@pytest.mark.parametrize("caption", [
    "a mug covered in paris",  # a name; "covered" is not "red"
    "a mug with red patterns",
    "a red mug with red stars",  # which of the two?
])
def test_a_caption_that_does_not_say_it_once_is_left_alone(caption):
    assert write_wrong_captions([caption], [LABEL]) == ([], [])


def test_every_wrong_caption_of_the_world_is_wrong():
    rng = random.Random(3)
    scenes = [sample_captioned_scene(rng) for _ in range(400)]
    captions = [caption for _, caption in scenes]
    labels = [label_scene(scene) for scene, _ in scenes]
    places, wrong = write_wrong_captions(captions, labels)
    assert 20 < len(places) < 200
    for row, place in enumerate(places):
        own = wrong[row * 2 * NUM_WRONG:(row + 1) * 2 * NUM_WRONG]
        assert captions[place] not in own


def test_pictures_know_their_row_of_wrong_captions():
    captions = ["a corgi", "a mug with red stars on sky blue"]
    own_row, wrong = tokenize_wrong_captions(
        Pictures(None, captions, [{}, LABEL])
    )
    assert own_row.tolist() == [-1, 0]
    assert wrong.shape == (1, 2, NUM_WRONG, 32)
    _, none = tokenize_wrong_captions(Pictures(None, captions[:1], [{}]))
    assert none.shape == (0, 2, NUM_WRONG, 32)


def test_the_loss_falls_as_the_right_caption_comes_nearer():
    right, other = torch.eye(4)[:2]
    wrong = other.expand(2 * NUM_WRONG, 4)
    losses = [
        prefer_right(seen[None], right[None], wrong, torch.tensor(10.0))
        for seen in (right, (right + other) / 2**0.5, other)
    ]
    assert losses[0] < losses[1] < losses[2]
    assert losses[1].item() == pytest.approx(
        torch.tensor(1.0 + NUM_WRONG).log().item()
    )
    nothing = prefer_right(
        right[:0].reshape(0, 4), right[:0].reshape(0, 4),
        wrong[:0], torch.tensor(10.0),
    )
    assert nothing == 0
