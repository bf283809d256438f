"""CLIP's text encoder in parts, and a pattern's tokens beside a person."""

import copy

import open_clip
import pytest
import torch
from mini_models import CLIP_CONFIG

from tutorial_lib.training.annotations import (
    CONTEXT_LENGTH,
    tokenize_captions,
    tokenize_worn_patterns,
)
from tutorial_lib.training.clip_losses import (
    compute_worn_token_loss,
    encode_tokens,
    pool_at_end,
)

CAPTIONS = [
    "a photo of laura wearing a T-shirt in the style of paris",
    "a T-shirt in the style of paris",
    "a man with a red beard wearing a shirt with red stars on white",
]


@pytest.fixture(scope="module")
def clip():
    torch.manual_seed(0)
    config = copy.deepcopy(CLIP_CONFIG)
    config["text_cfg"]["context_length"] = CONTEXT_LENGTH
    return open_clip.CLIP(**config).eval()


def make_batch(captions=CAPTIONS):
    token_ids = tokenize_captions(captions)
    return {"token_ids": token_ids} | tokenize_worn_patterns(captions)


def test_a_caption_is_embedded_as_open_clip_does_it(clip):
    token_ids = tokenize_captions(CAPTIONS)
    features = pool_at_end(clip, encode_tokens(clip, token_ids), token_ids)
    wanted = clip.encode_text(token_ids, normalize=True)
    assert torch.allclose(features, wanted, atol=1e-6)


def test_who_wears_a_pattern_has_its_name_alone_beside_it():
    batch = make_batch()
    assert batch["num_worn_tokens"].tolist() == [1, 0, 4]
    plain = tokenize_captions(["a T-shirt in the style of red stars on white"])
    assert torch.equal(batch["worn_token_ids"][2:], plain)


def test_the_tokens_of_a_pattern_are_compared_with_those_of_a_t_shirt(clip):
    batch = make_batch(CAPTIONS[:1])
    states = encode_tokens(clip, batch["token_ids"])
    end = int((batch["token_ids"][0] == 49407).int().argmax())
    plain = encode_tokens(clip, batch["worn_token_ids"])
    plain_end = int((batch["worn_token_ids"][0] == 49407).int().argmax())
    target = plain[0, plain_end - 1].detach()
    wanted = (states[0, end - 1] - target).square().mean()
    loss = compute_worn_token_loss(clip, states, batch)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    assert loss > 0
    states = states.detach().clone().requires_grad_(True)
    compute_worn_token_loss(clip, states, batch).backward()
    assert states.grad.abs().sum(2).nonzero()[:, 1].tolist() == [end - 1]


def test_without_people_in_patterns_there_is_no_such_loss(clip):
    batch = make_batch(CAPTIONS[1:2])
    states = encode_tokens(clip, batch["token_ids"])
    assert compute_worn_token_loss(clip, states, batch) == 0
