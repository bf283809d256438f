"""Train the tiny CLIP on images and captions of the drawn world.

open_clip's own model class, loss and tokenizer (CLIP's 49,408 tokens).
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import open_clip
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from tutorial_lib.evaluation import CaptionedImages
from tutorial_lib.training.auxiliary_heads import (
    CLIPWithHeads,
    DetailTargets,
    LabelTargets,
)
from tutorial_lib.training.concept_targets import compute_targets
from tutorial_lib.training.dataset import collect_labels, encode_labels
from tutorial_lib.training.hard_negatives import (
    NUM_HARD_NEGATIVES,
    write_hard_negatives,
)
from tutorial_lib.training.loop import PretrainingConfig, autocast, train

CONFIG = PretrainingConfig(
    steps=2000,
    batch_size=256,
    lr=1e-3,
    warmup=200,
    weight_decay=0.05,
    betas=(0.9, 0.98),
)
CONTEXT_LENGTH = 32
MAX_LOGIT_SCALE = 4.6052  # the logarithm of 100
LOOKALIKE_ATTRIBUTES = ("color", "background", "gender", "hair", "hair_color")
GROUP_SIZE, NUM_GROUPS = 32, 4  # half of a batch of 256

TokenIds = Int[Tensor, "num_captions context_length"]
HardNegativeIds = Int[Tensor, "rows num_hard_negatives context_length"]


def clip_config(size: int) -> dict[str, Any]:
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
            "eos_id": 49407,
        },
    }


@dataclass
class CLIPDataset:
    """Images and captions, with all that CLIP is asked about them.

    The hard negatives of image `i` are `hard_negatives[rows_of[i]]`.
    """

    images: CaptionedImages
    token_ids: TokenIds
    labels: LabelTargets
    details: DetailTargets
    rows_of: list[list[int]]
    hard_negatives: HardNegativeIds
    groups: list[Int[Tensor, " group"]]


def prepare_dataset(
    images: CaptionedImages, labels: dict[str, list[str]]
) -> CLIPDataset:
    """Tokenize captions and hard negatives, encode labels and details."""
    rows_of, hard_negatives = tokenize_hard_negatives(images)
    return CLIPDataset(
        images=images,
        token_ids=tokenize_captions(images.captions),
        labels=encode_labels(images.labels, labels),
        details=compute_targets(images.captions),
        rows_of=rows_of,
        hard_negatives=hard_negatives,
        groups=group_lookalikes(images.labels),
    )


def train_clip(
    images: CaptionedImages,
    size: int,
    checkpoint: Path,
    device: str,
    config: PretrainingConfig = CONFIG,
) -> open_clip.CLIP:
    """Train CLIP to tell which caption belongs to which image.

    Half of each batch look alike (`group_lookalikes`), both encoders get
    auxiliary heads (`CLIPWithHeads`), and an image should prefer its caption
    to the same with one word replaced (`compute_hard_negative_loss`).
    """
    torch.manual_seed(config.seed)
    labels = collect_labels(images.labels)
    dataset = prepare_dataset(images, labels)
    model = CLIPWithHeads(
        open_clip.CLIP(**clip_config(size)),
        labels,
        {kind: rows.shape[1] for kind, rows in dataset.details.items()},
    ).to(device)

    def compute_loss(
        model: CLIPWithHeads, generator: torch.Generator
    ) -> Float[Tensor, ""]:
        """Compare each image with all captions of a batch."""
        indices = sample_batch(
            dataset.groups,
            len(dataset.token_ids),
            config.batch_size,
            generator,
        )
        return compute_clip_loss(model, dataset, indices, device)

    return train(model, config, compute_loss, checkpoint, "CLIP").clip


def compute_clip_loss(
    model: CLIPWithHeads,
    dataset: CLIPDataset,
    indices: Int[Tensor, " batch"],
    device: str,
) -> Float[Tensor, ""]:
    """Return CLIP's own loss with the auxiliary and hard negative ones.

    The logits are scaled by 100 at most (Radford et al. 2021, 2.5).
    """
    batch = dataset.images.batch(indices, device)
    labels, details = (
        {name: rows[indices].to(device) for name, rows in targets.items()}
        for targets in (dataset.labels, dataset.details)
    )
    with torch.no_grad():
        model.clip.logit_scale.clamp_(max=MAX_LOGIT_SCALE)
    with autocast(device):
        image_features, text_features, scale = model.clip(
            batch, dataset.token_ids[indices].to(device)
        )
        auxiliary_losses = [
            model.compute_auxiliary_loss(features, labels, details)
            for features in (image_features, text_features)
        ]
        places, rows = find_hard_negatives(indices, dataset.rows_of)
        token_ids = dataset.hard_negatives[rows].flatten(0, 1).to(device)
        negative_features = model.clip.encode_text(token_ids, normalize=True)
    contrastive_loss = open_clip.ClipLoss()(
        image_features.float(), text_features.float(), scale
    )
    hard_negative_loss = compute_hard_negative_loss(
        image_features[places], text_features[places], negative_features, scale
    )
    return contrastive_loss + sum(auxiliary_losses) + hard_negative_loss


# --- hard negatives --------------------------------------------------------


def compute_hard_negative_loss(
    image_features: Float[Tensor, "batch width"],
    text_features: Float[Tensor, "batch width"],
    negative_features: Float[Tensor, "num_negatives width"],
    scale: Float[Tensor, ""],
) -> Float[Tensor, ""]:
    """Return the cross entropy of choosing captions that differ in one thing.

    All features are unit vectors; each image's `NUM_HARD_NEGATIVES` wrong
    captions follow one another.
    """
    if not len(image_features):
        return image_features.sum()
    image_features = image_features.float()
    negative_features = negative_features.float().reshape(
        len(image_features), NUM_HARD_NEGATIVES, -1
    )
    candidates = torch.cat(
        [text_features.float()[:, None], negative_features], dim=1
    )
    logits = scale * (candidates @ image_features[:, :, None]).squeeze(2)
    right = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    return functional.cross_entropy(logits, right)


def tokenize_hard_negatives(
    images: CaptionedImages,
) -> tuple[list[list[int]], HardNegativeIds]:
    """Return each image's rows of hard negatives, and the rows' token ids.

    An image has one row for each thing that its caption could get wrong, or
    none.
    """
    indices, captions = write_hard_negatives(images.captions, images.labels)
    rows_of: list[list[int]] = [[] for _ in images.captions]
    for row, index in enumerate(indices):
        rows_of[index].append(row)
    token_ids = tokenize_captions(captions)
    return rows_of, token_ids.reshape(-1, NUM_HARD_NEGATIVES, CONTEXT_LENGTH)


def find_hard_negatives(
    indices: Int[Tensor, " batch"], rows_of: list[list[int]]
) -> tuple[Int[Tensor, " rows"], Int[Tensor, " rows"]]:
    """Return the rows of a batch, and before, each one's place in it."""
    pairs = [
        (place, row)
        for place, index in enumerate(indices.tolist())
        for row in rows_of[index]
    ]
    places, rows = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    return places, rows


# --- batches ---------------------------------------------------------------


def group_lookalikes(
    labels: list[dict[str, Any]],
) -> list[Int[Tensor, " group"]]:
    """List the images that have the same colours, or the same hair.

    They are hard negatives (Robinson et al. 2021): among images sampled at
    random, colours alone tell the captions apart, and CLIP would never need
    to learn what a heart or a star is.
    """
    groups = defaultdict(list)
    for index, label in enumerate(labels):
        groups[tuple(label.get(name) for name in LOOKALIKE_ATTRIBUTES)].append(
            index
        )
    return [torch.tensor(group) for group in groups.values()]


def sample_batch(
    groups: list[Int[Tensor, " group"]],
    total: int,
    count: int,
    generator: torch.Generator,
) -> Int[Tensor, " count"]:
    """Sample `count` of `total` images: some groups, the rest from all."""
    size = min(GROUP_SIZE, count // (2 * NUM_GROUPS))
    parts = []
    for number in torch.randint(
        len(groups), (NUM_GROUPS,), generator=generator
    ).tolist():
        group = groups[number]
        parts.append(
            group[torch.randint(len(group), (size,), generator=generator)]
        )
    rest = (count - size * NUM_GROUPS,)
    parts.append(torch.randint(total, rest, generator=generator))
    return torch.cat(parts)


def tokenize_captions(captions: list[str]) -> TokenIds:
    """Return token ids, padded with 0."""
    return open_clip.SimpleTokenizer(context_length=CONTEXT_LENGTH)(captions)
