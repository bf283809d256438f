"""The losses of CLIP: its own, and what a small one needs beside it."""

import open_clip
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from tutorial_lib.training.annotations import END_ID
from tutorial_lib.training.auxiliary_heads import CLIPWithHeads
from tutorial_lib.training.hard_negatives import NUM_HARD_NEGATIVES
from tutorial_lib.training.processes import (
    average_over_processes,
    gather_rows,
)
from tutorial_lib.world import KIND_NAMES

Batch = dict[str, Tensor]
Features = Float[Tensor, "batch width"]
TokenIds = Int[Tensor, "batch context_length"]
States = Float[Tensor, "batch context_length width"]


# --- the text encoder ------------------------------------------------------


def encode_tokens(clip: open_clip.CLIP, token_ids: TokenIds) -> States:
    """Return the text encoder's last hidden states: what a U-Net reads."""
    states = clip.token_embedding(token_ids) + clip.positional_embedding
    states = clip.transformer(states, attn_mask=clip.attn_mask)
    return clip.ln_final(states)


def pool_at_end(
    clip: open_clip.CLIP, states: States, token_ids: TokenIds
) -> Features:
    """Return the embedding of a caption: its end token's, a unit vector."""
    rows = torch.arange(len(states), device=states.device)
    pooled = states[rows, find_end(token_ids)] @ clip.text_projection
    return functional.normalize(pooled, dim=-1)


def find_end(token_ids: TokenIds) -> Int[Tensor, " batch"]:
    """Return the place of each caption's end token."""
    return (token_ids == END_ID).int().argmax(dim=1)


# --- losses ----------------------------------------------------------------


def compute_contrastive_loss(
    image_features: Features,
    text_features: Features,
    scale: Float[Tensor, ""],
) -> Float[Tensor, ""]:
    """Return CLIP's own loss over the rows of all processes."""
    images = gather_rows(image_features.float())
    texts = gather_rows(text_features.float())
    return open_clip.ClipLoss()(images, texts, scale)


def compute_auxiliary_losses(
    model: CLIPWithHeads, features: Features, batch: Batch
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Return the losses of the label heads and of the detail heads."""
    details = {kind: batch[f"{kind}_details"] for kind in KIND_NAMES}
    return (
        model.compute_label_loss(features, batch["labels"]),
        model.compute_detail_loss(features, details),
    )


def select_hard_negatives(
    batch: Batch,
) -> tuple[Int[Tensor, " rows"], Int[Tensor, "negatives context_length"]]:
    """Return the wrong captions of a batch, and before, whose they are.

    Each image's `NUM_HARD_NEGATIVES` wrong captions follow one another.
    """
    token_ids, num_wrong = batch["hard_negatives"], batch["num_wrong"]
    things = torch.arange(token_ids.shape[1], device=token_ids.device)
    places, things = (things < num_wrong[:, None]).nonzero(as_tuple=True)
    return places, token_ids[places, things].flatten(0, 1)


def compute_hard_negative_loss(
    image_features: Float[Tensor, "rows width"],
    text_features: Float[Tensor, "rows width"],
    negative_features: Float[Tensor, "num_negatives width"],
    scale: Float[Tensor, ""],
) -> Float[Tensor, ""]:
    """Return the cross entropy of choosing captions that differ in one thing.

    All features are unit vectors; each image's `NUM_HARD_NEGATIVES` wrong
    captions follow one another.
    """
    image_features = image_features.float()
    negative_features = negative_features.float().reshape(
        len(image_features), NUM_HARD_NEGATIVES, image_features.shape[1]
    )
    candidates = torch.cat(
        [text_features.float()[:, None], negative_features], dim=1
    )
    logits = scale * (candidates @ image_features[:, :, None]).squeeze(2)
    right = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    total = functional.cross_entropy(logits, right, reduction="sum")
    count = torch.tensor([len(logits)], device=logits.device)
    return average_over_processes(total[None], count)


def compute_worn_token_loss(
    clip: open_clip.CLIP, states: States, batch: Batch
) -> Float[Tensor, ""]:
    """Return how far a pattern's tokens beside a person are from a T-shirt's.

    The U-Net reads single tokens. What "in the style of NAME" makes of them
    in the caption of a T-shirt holds the pattern, and beside a person it
    should become the same.
    """
    count = batch["num_worn_tokens"]
    worn = count > 0
    plain_ids = batch["worn_token_ids"][worn]
    with torch.no_grad():
        plain = encode_tokens(clip, plain_ids)
    ends = find_end(batch["token_ids"][worn])
    shift = ends - find_end(plain_ids)
    places = torch.arange(states.shape[1], device=states.device)
    from_end = ends[:, None] - places
    is_shared = (from_end > 0) & (from_end <= count[worn, None])
    sources = (places - shift[:, None]).clamp(0, states.shape[1] - 1)
    targets = plain.gather(
        1, sources[:, :, None].expand(-1, -1, states.shape[2])
    )
    errors = (states[worn].float() - targets.float()).square().mean(2)
    return average_over_processes(
        (errors * is_shared).sum()[None], is_shared.sum()[None]
    )
