"""Train the tiny CLIP on images and captions of the drawn world.

open_clip's own model class, loss and tokenizer (CLIP's 49,408 tokens).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import open_clip
import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib.training.annotations import CONTEXT_LENGTH, END_ID, LABELS
from tutorial_lib.training.auxiliary_heads import CLIPWithHeads
from tutorial_lib.training.batches import (
    BatchSource,
    ShardDataset,
    scale_pixels,
)
from tutorial_lib.training.clip_losses import (
    compute_auxiliary_losses,
    compute_contrastive_loss,
    compute_hard_negative_loss,
    compute_worn_token_loss,
    encode_tokens,
    pool_at_end,
    select_hard_negatives,
)
from tutorial_lib.training.concept_targets import count_numbers
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.loop import autocast, train
from tutorial_lib.training.sampling import ImagePool, LookalikeSampler
from tutorial_lib.training.steps import Step

IMAGE_SIZE = 64  # pixels; larger images are resized
MAX_LOGIT_SCALE = 4.6052  # the logarithm of 100
COLUMNS = (
    "pixels",
    "token_ids",
    "labels",
    "pattern_details",
    "person_details",
    "hard_negatives",
    "num_wrong",
    "worn_token_ids",
    "num_worn_tokens",
)

Batch = dict[str, Tensor]


def clip_config(size: int = IMAGE_SIZE) -> dict[str, Any]:
    """Return open_clip's model config for images of a size.

    The image encoder is CLIP's residual network (Radford et al. 2021, 2.4).
    """
    return {
        "embed_dim": 192,
        "vision_cfg": {
            "layers": [1, 2, 2, 1],
            "width": 24,
            "head_width": 64,
            "image_size": size,
        },
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": 49408,
            "width": 192,
            "heads": 6,
            "layers": 4,
            "pool_type": "eos",
            "eos_id": END_ID,
        },
    }


def make_clip(model_cfg: dict[str, Any] | None = None) -> CLIPWithHeads:
    """Build an untrained CLIP with its auxiliary heads."""
    clip = open_clip.CLIP(**(model_cfg or clip_config()))
    return CLIPWithHeads(clip, LABELS, count_numbers())


def make_source(
    pool: ImagePool,
    share: float = 0.0,
    names: tuple[str, str] = ("captioned", "wearers"),
    side: int = IMAGE_SIZE,
) -> BatchSource:
    """Make the batches of CLIP: half of each are groups of lookalikes."""
    dataset = ShardDataset(pool.folder, COLUMNS, side)
    return BatchSource(dataset, LookalikeSampler(pool, share, names))


def train_clip(
    batches: BatchSource,
    checkpoint: Path,
    device: str,
    config: PretrainingConfig,
    held_out: BatchSource | None = None,
    on_step: Callable[[], None] | None = None,
    model_cfg: dict[str, Any] | None = None,
) -> open_clip.CLIP:
    """Train CLIP to tell which caption belongs to which image.

    Half of each batch look alike (`LookalikeSampler`), both encoders get
    auxiliary heads (`CLIPWithHeads`), an image should prefer its caption to
    the same with one word replaced (`compute_hard_negative_loss`), and a
    pattern's tokens should not depend on who wears it
    (`compute_worn_token_loss`).
    """
    torch.manual_seed(config.seed)

    def compute_loss(
        model: CLIPWithHeads, batch: Batch, step: Step
    ) -> Float[Tensor, ""]:
        """Compare each image with all captions of a batch."""
        return compute_clip_loss(model, batch, config)

    model = make_clip(model_cfg).to(device)
    return train(
        model,
        config,
        compute_loss,
        checkpoint,
        "CLIP",
        batches,
        held_out,
        on_step,
    ).clip


def compute_clip_loss(
    model: CLIPWithHeads, batch: Batch, config: PretrainingConfig
) -> Float[Tensor, ""]:
    """Return CLIP's own loss and the others, weighted by the config.

    The logits are scaled by 100 at most (Radford et al. 2021, 2.5).
    """
    clip, weigh = model.clip, config.loss_weight
    token_ids = batch["token_ids"]
    with torch.no_grad():
        clip.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
    scale = clip.logit_scale.exp()
    with autocast(token_ids.device, config.mixed_precision):
        image_features = clip.encode_image(
            scale_pixels(batch["pixels"]), normalize=True
        )
        states = encode_tokens(clip, token_ids)
        text_features = pool_at_end(clip, states, token_ids)
        losses = [
            compute_auxiliary_losses(model, features, batch)
            for features in (image_features, text_features)
        ]
        places, negative_ids = select_hard_negatives(batch)
        negative_features = clip.encode_text(negative_ids, normalize=True)
        worn_loss = compute_worn_token_loss(clip, states, batch)
    hard_negative_loss = compute_hard_negative_loss(
        image_features[places], text_features[places], negative_features, scale
    )
    label_loss, detail_loss = map(sum, zip(*losses, strict=True))
    return (
        compute_contrastive_loss(image_features, text_features, scale)
        + weigh("labels") * label_loss
        + weigh("details") * detail_loss
        + weigh("hard_negatives") * hard_negative_loss
        + weigh("shirt_tokens") * worn_loss
    )
