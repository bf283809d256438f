"""What CLIP is asked of an image, as the columns of a shard.

All of it is computed where the image is rendered, once, and only read while
CLIP is trained.
"""

import functools
import json
import re
import zlib
from typing import Any

import open_clip
import torch
from jaxtyping import Int
from torch import Tensor

from tutorial_lib.training.concept_targets import compute_targets
from tutorial_lib.training.hard_negatives import (
    NUM_HARD_NEGATIVES,
    write_hard_negatives,
)
from tutorial_lib.training.judge_images import NO_LABEL
from tutorial_lib.world import (
    CARRIERS,
    COLORS,
    EYE_COLORS,
    GLASSES,
    HAIR,
    HAIR_COLORS,
    MARKS,
    MOTIFS,
    STYLES,
    WAYS,
)

CONTEXT_LENGTH = 32
END_ID = 49407  # the token that ends a caption
MAX_WRONG = 3  # things that a caption can be wrong in: motif, colour, hair
LOOKALIKE_ATTRIBUTES = ("color", "background", "gender", "hair", "hair_color")
# Every attribute of a scene, and the labels that it can have.
LABELS: dict[str, list[str]] = {
    "object": [*CARRIERS, "corgi", "portrait"],
    "style": list(STYLES),
    "way": [*WAYS, "none"],
    "motif": list(MOTIFS),
    "color": list(COLORS),
    "background": list(COLORS),
    "gender": ["man", "woman"],
    "hair": list(HAIR),
    "hair_color": list(HAIR_COLORS),
    "glasses": sorted(set(GLASSES)),
    "eye_color": list(EYE_COLORS),
    "facial_hair": ["none", "beard", "moustache"],
    "mark": sorted(set(MARKS)),
    "shirt_motif": list(MOTIFS),
    "shirt_color": list(COLORS),
    "shirt_background": list(COLORS),
}
WORN = re.compile(r"wearing a (?:T-shirt in the style of|shirt with) (.+)")

TokenIds = Int[Tensor, "num_captions context_length"]
Columns = dict[str, Tensor]


def annotate(
    captions: list[str], labels: list[dict[str, Any]], seed: int
) -> Columns:
    """Return all columns of some captioned images but their pixels."""
    return {
        "token_ids": tokenize_captions(captions),
        "labels": encode_all_labels(labels),
        "lookalike_keys": compute_lookalike_keys(labels),
        "is_wearer": torch.tensor(["shirt_motif" in row for row in labels]),
        **{
            f"{kind}_details": rows.float()
            for kind, rows in compute_targets(captions).items()
        },
        **tokenize_hard_negatives(captions, labels, seed),
        **tokenize_worn_patterns(captions),
    }


def tokenize_captions(captions: list[str]) -> TokenIds:
    """Return token ids, padded with 0."""
    return make_tokenizer()(captions).int()


@functools.cache
def make_tokenizer() -> open_clip.SimpleTokenizer:
    """Make CLIP's tokenizer, once."""
    return open_clip.SimpleTokenizer(context_length=CONTEXT_LENGTH)


def encode_all_labels(
    labels: list[dict[str, Any]],
) -> Int[Tensor, "num_images num_attributes"]:
    """Return the index of each label of each image, in the order of LABELS.

    `NO_LABEL` stands where an image has no such attribute.
    """
    return torch.tensor(
        [
            [
                known.index(row[name]) if name in row else NO_LABEL
                for name, known in LABELS.items()
            ]
            for row in labels
        ]
    )


def compute_lookalike_keys(
    labels: list[dict[str, Any]],
) -> Int[Tensor, " num_images"]:
    """Return a number for each image that its lookalikes have, too.

    Those are the images of the same colours, or of the same hair.
    """
    return torch.tensor(
        [
            zlib.crc32(
                json.dumps([row.get(n) for n in LOOKALIKE_ATTRIBUTES]).encode()
            )
            for row in labels
        ]
    )


def tokenize_hard_negatives(
    captions: list[str], labels: list[dict[str, Any]], seed: int
) -> Columns:
    """Return the wrong captions of each image, and in how many things.

    "hard_negatives" has place for `MAX_WRONG` things in each image; those
    from "num_wrong" on are empty.
    """
    indices, wrong = write_hard_negatives(captions, labels, seed)
    shape = (len(captions), MAX_WRONG, NUM_HARD_NEGATIVES, CONTEXT_LENGTH)
    token_ids = torch.zeros(shape, dtype=torch.int)
    num_wrong = torch.zeros(len(captions), dtype=torch.long)
    if wrong:
        rows = tokenize_captions(wrong).unflatten(0, (-1, NUM_HARD_NEGATIVES))
        for index, row in zip(indices, rows, strict=True):
            token_ids[index, num_wrong[index]] = row
            num_wrong[index] += 1
    return {"hard_negatives": token_ids, "num_wrong": num_wrong}


def tokenize_worn_patterns(captions: list[str]) -> Columns:
    """Return, for people in patterns, a caption of the pattern alone.

    "worn_token_ids" is "a T-shirt in the style of NAME", and
    "num_worn_tokens" counts the tokens of the name, which end both captions;
    0 where nobody wears a pattern, or a caption was too long to be read.
    """
    matches = [WORN.search(caption) for caption in captions]
    names = [match[1] if match else "" for match in matches]
    plain = tokenize_captions(
        [f"a T-shirt in the style of {name}" if name else "" for name in names]
    )
    num_tokens = (tokenize_captions(names) != 0).sum(1) - 2  # start and end
    is_whole = (tokenize_captions(captions) != 0).sum(1) < CONTEXT_LENGTH
    return {
        "worn_token_ids": plain,
        "num_worn_tokens": num_tokens * is_whole,
    }
