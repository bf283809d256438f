"""Train the tiny CLIP: pictures and captions of the drawn world.

open_clip's own model class, loss and tokenizer (CLIP's 49,408 tokens).
"""

from collections import defaultdict
from pathlib import Path

import open_clip
import torch
from torch import Tensor, nn
from torch.nn import functional

from tutorial_lib.evaluation import CaptionedImages, to_pixels
from tutorial_lib.training.concept_targets import compute_targets
from tutorial_lib.training.dataset import collect_labels
from tutorial_lib.training.hard_negatives import (
    NUM_HARD_NEGATIVES,
    write_hard_negatives,
)
from tutorial_lib.training.loop import (
    TrainingConfig,
    autocast,
    number_labels,
    train,
)

CONFIG = TrainingConfig(
    steps=2000,
    batch_size=256,
    lr=1e-3,
    warmup=200,
    weight_decay=0.05,
    betas=(0.9, 0.98),
)
LOOKALIKE_ATTRIBUTES = ("color", "background", "gender", "hair", "hair_color")
LABEL_SCALE = 10.0  # unit vectors are small for a row of classes
LABEL_WEIGHT = 3.0
DETAIL_WEIGHT = 3.0
GROUP_SIZE, NUM_GROUPS = 32, 4  # half of a batch of 256


def clip_config(size: int) -> dict:
    """Return open_clip's model config for pictures of a size.

    The picture encoder is CLIP's residual network (Radford et al. 2021, 2.4).
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
            "context_length": 32,
            "vocab_size": 49408,
            "width": 192,
            "heads": 6,
            "layers": 4,
            "pool_type": "eos",
            "eos_id": 49407,
        },
    }


class CLIPWithHeads(nn.Module):
    """CLIP while it is trained, with questions that its vectors answer.

    The rows compare a vector, be it of a picture or of a caption, with one
    vector for each label: "stars", "hearts", ... The gauges read numbers
    from it, where a caption has a name: the exact shades, the angle, how
    wide a face is. A small world makes it easy to have all these answers;
    the real CLIP has captions alone, and needs hundreds of millions of
    them. Rows and gauges are left behind when training is over.
    """

    def __init__(
        self,
        clip: open_clip.CLIP,
        labels: dict[str, list[str]],
        details: dict[str, int],
    ):
        super().__init__()
        self.clip = clip
        width = clip.text_projection.shape[1]
        self.rows = nn.ModuleDict(
            {
                name: nn.Linear(width, len(each))
                for name, each in labels.items()
            }
        )
        self.gauges = nn.ModuleDict(
            {kind: nn.Linear(width, count) for kind, count in details.items()}
        )

    def compute_auxiliary_loss(
        self, vectors: Tensor, labels: dict, details: dict
    ) -> Tensor:
        """Return the weighted errors of all answers, one number."""
        return LABEL_WEIGHT * self.compare_labels(
            vectors, labels
        ) + DETAIL_WEIGHT * self.compare_details(vectors, details)

    def compare_labels(self, vectors: Tensor, truths: dict) -> Tensor:
        """Return the mean cross entropy of all attributes' labels."""
        losses = [
            functional.cross_entropy(
                row(LABEL_SCALE * vectors).float(), truths[name]
            )
            for name, row in self.rows.items()
        ]
        return torch.stack(losses).nanmean()

    def compare_details(self, vectors: Tensor, truths: dict) -> Tensor:
        """Return the mean squared error of the numbers that are known."""
        losses = []
        for kind, gauge in self.gauges.items():
            known = ~truths[kind].isnan().any(dim=1)
            text_features = gauge(LABEL_SCALE * vectors[known]).float()
            losses.append(
                functional.mse_loss(text_features, truths[kind][known])
            )
        return torch.stack(losses).nanmean()


def train_clip(
    images: CaptionedImages,
    size: int,
    checkpoint: Path,
    device: str,
    config: TrainingConfig = CONFIG,
) -> open_clip.CLIP:
    """Train CLIP to tell which caption belongs to which picture.

    Half of each batch look alike (`group_alike`), both encoders answer
    questions (`LabelledCLIP`), and a picture shall prefer its caption to
    the same with one word exchanged (`prefer_right`).
    """
    torch.manual_seed(config.seed)
    labels = collect_labels(images.labels)
    truths = number_labels(images.labels, labels)
    details = compute_targets(images.captions)
    model = CLIPWithHeads(
        open_clip.CLIP(**clip_config(size)),
        labels,
        {kind: each.shape[1] for kind, each in details.items()},
    ).to(device)
    tokens = tokenize_captions(images.captions)
    rows_of, hard_negatives = tokenize_hard_negatives(images)
    groups = group_lookalikes(images.labels)
    contrast = open_clip.ClipLoss()

    def compute_loss(model, generator):
        """Compare each picture with all captions of a batch."""
        chosen = sample_batch(
            groups, len(tokens), config.batch_size, generator
        )
        batch = to_pixels(images.pixels, chosen, device)
        shown, known = (
            {name: each[chosen].to(device) for name, each in every.items()}
            for every in (truths, details)
        )
        with torch.no_grad():
            model.clip.logit_scale.clamp_(max=4.6052)  # at most 100
        with autocast(device):
            image_features, text_features, scale = model.clip(
                batch, tokens[chosen].to(device)
            )
            asked = [
                model.ask(each, shown, known)
                for each in (image_features, text_features)
            ]
            told, label_heads = find_hard_negatives(chosen, rows_of)
            others = hard_negatives[label_heads].flatten(0, 1).to(device)
            others = model.clip.encode_text(others, normalize=True)
        return (
            contrast(image_features.float(), text_features.float(), scale)
            + sum(asked)
            + compute_hard_negative_loss(
                image_features[told], text_features[told], others, scale
            )
        )

    return train(model, config, compute_loss, checkpoint, "CLIP").clip


def compute_hard_negative_loss(
    image_features: Tensor,
    text_features: Tensor,
    others: Tensor,
    scale: Tensor,
) -> Tensor:
    """Return the error of choosing captions that differ in one thing.

    `seen` and `read` (n, width) are pictures and their captions, `others`
    (n x wrong ones, width) the wrong captions, all unit vectors.
    """
    if not len(image_features):
        return image_features.sum()
    image_features, text_features, others = (
        image_features.float(),
        text_features.float(),
        others.float(),
    )
    others = others.reshape(len(image_features), NUM_HARD_NEGATIVES, -1)
    candidates = torch.cat([text_features[:, None], others], dim=1)
    logits = scale * (candidates @ image_features[:, :, None]).squeeze(2)
    right = torch.zeros(
        len(image_features), dtype=torch.long, device=image_features.device
    )
    return functional.cross_entropy(logits, right)


def tokenize_hard_negatives(
    images: CaptionedImages,
) -> tuple[list[list[int]], Tensor]:
    """Return each picture's rows of wrong captions, and all the rows.

    The rows are token ids (rows, wrong ones, context length). A picture has
    one row for each thing that its caption could get wrong, or none.
    """
    places, captions = write_hard_negatives(images.captions, images.labels)
    rows_of = [[] for _ in images.captions]
    for row, place in enumerate(places):
        rows_of[place].append(row)
    tokens = tokenize_captions(captions)
    return rows_of, tokens.reshape(-1, NUM_HARD_NEGATIVES, tokens.shape[1])


def find_hard_negatives(
    chosen: Tensor,
    rows_of: list[list[int]],
) -> tuple[Tensor, Tensor]:
    """Return the rows of a batch, and for each its picture's place in it."""
    pairs = [
        (place, row)
        for place, image in enumerate(chosen.tolist())
        for row in rows_of[image]
    ]
    return tuple(torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T)


def group_lookalikes(labels: list[dict]) -> list[Tensor]:
    """List the pictures that have the same colours, or the same hair.

    They are hard negatives (Robinson et al. 2021): among pictures taken at
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
    groups: list[Tensor],
    total: int,
    count: int,
    generator: torch.Generator,
) -> Tensor:
    """Pick `count` of `total` pictures: some groups, the rest at random."""
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


def tokenize_captions(captions: list[str]) -> Tensor:
    """Return token ids (n, context length), padded with 0."""
    length = clip_config(64)["text_cfg"]["context_length"]
    return open_clip.SimpleTokenizer(context_length=length)(captions)
