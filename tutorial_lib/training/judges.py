"""Train the judges: on drawn pictures only, apart from CLIP.

They never see a generated picture, and nothing is ever trained on them.
"""

from collections import defaultdict
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from tutorial_lib.evaluation import (
    AttributeJudge,
    CaptionedImages,
    EmbeddingJudge,
    Judges,
    to_pixels,
)
from tutorial_lib.training.dataset import (
    IMAGES_PER_CONCEPT,
    LOOKALIKE_GROUP,
    collect_labels,
)
from tutorial_lib.training.loop import (
    TrainingConfig,
    autocast,
    number_labels,
    train,
)

PATTERN_CONFIG = TrainingConfig(
    steps=3000,
    batch_size=256,
    lr=2e-3,
    weight_decay=0.02,
)
PERSON_CONFIG = TrainingConfig(
    steps=600,
    batch_size=256,
    lr=2e-3,
    weight_decay=0.02,
)
ATTRIBUTE_CONFIG = TrainingConfig(
    steps=5000,
    batch_size=128,
    lr=2e-3,
    weight_decay=0.02,
)
CONFIGS = {
    "pattern": PATTERN_CONFIG,
    "person": PERSON_CONFIG,
    "attributes": ATTRIBUTE_CONFIG,
}
TEMPERATURE = 0.07
POOLING = {"pattern": "texture", "person": "layout"}
ATTRIBUTE_POOLING = "both"


def train_judges(
    judged: CaptionedImages,
    captioned: CaptionedImages,
    size: int,
    folder: Path,
    device: str,
    configs: dict[str, TrainingConfig],
) -> Judges:
    """Train the three judges one after the other, each by its plan."""
    embedding = {
        kind: train_embedding_judge(
            judged,
            kind,
            size,
            folder / f"judge-{kind}.pt",
            device,
            configs[kind],
        )
        for kind in POOLING
    }
    return Judges(
        attributes=train_attribute_judge(
            captioned,
            size,
            folder / "judge-attributes.pt",
            device,
            configs["attributes"],
        ),
        **embedding,
    )


def train_embedding_judge(
    judged: CaptionedImages,
    kind: str,
    size: int,
    checkpoint: Path,
    device: str,
    config: TrainingConfig,
) -> EmbeddingJudge:
    """Train a judge to bring pictures of one concept together.

    Two pictures of each concept in a batch must find each other among all
    others (InfoNCE, van den Oord et al. 2018). Concepts come in groups of
    lookalikes, which a plain description cannot tell apart.
    """
    torch.manual_seed(config.seed)
    groups = defaultdict(list)
    for index, label in enumerate(judged.labels):
        if label["kind"] == kind:
            groups[label["group"]].append(index)
    table = torch.tensor(list(groups.values())).view(
        -1, LOOKALIKE_GROUP, IMAGES_PER_CONCEPT
    )
    count = config.batch_size // (2 * LOOKALIKE_GROUP)

    def compute_loss(judge, generator):
        """Let two pictures of each concept find each other."""
        chosen = table[
            torch.randint(len(table), (count,), generator=generator)
        ].flatten(0, 1)
        order = torch.rand(chosen.shape, generator=generator).argsort(1)
        pair = chosen.gather(1, order[:, :2])
        batch = to_pixels(judged.pixels, pair.T.flatten(), device)
        batch = augment(batch, generator)
        with autocast(device):
            vectors = judge(batch)
        first, second = functional.normalize(vectors.float()).chunk(2)
        logits = first @ second.T / TEMPERATURE
        truth = torch.arange(len(logits), device=logits.device)
        return (
            functional.cross_entropy(logits, truth)
            + functional.cross_entropy(logits.T, truth)
        ) / 2

    judge = EmbeddingJudge(size, pooling=POOLING[kind]).to(device)
    return train(judge, config, compute_loss, checkpoint, f"judge of {kind}s")


def train_attribute_judge(
    captioned: CaptionedImages,
    size: int,
    checkpoint: Path,
    device: str,
    config: TrainingConfig,
) -> AttributeJudge:
    """Train a judge to read object, style and every attribute."""
    torch.manual_seed(config.seed)
    labels = collect_labels(captioned.labels)
    truths = number_labels(captioned.labels, labels)

    def compute_loss(judge, generator):
        """Read every attribute of a batch of pictures."""
        chosen = torch.randint(
            len(captioned.labels), (config.batch_size,), generator=generator
        )
        batch = to_pixels(captioned.pixels, chosen, device)
        with autocast(device):
            logits = judge(augment(batch, generator))
        losses = [
            functional.cross_entropy(
                row.float(), truths[name][chosen].to(device)
            )
            for name, row in logits.items()
        ]
        return torch.stack(losses).nanmean()

    judge = AttributeJudge(size, labels, pooling=ATTRIBUTE_POOLING).to(device)
    return train(
        judge, config, compute_loss, checkpoint, "judge of attributes"
    )


def augment(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Wear pictures a little: brightness, blur of a smaller size, noise.

    So that a judge looks at what is shown and not at single pixels.
    """
    shape = (len(batch), 3, 1, 1)
    gain = 1 + 0.06 * torch.randn(shape, generator=generator)
    shift = 0.05 * torch.randn(shape, generator=generator)
    batch = batch * gain.to(batch.device) + shift.to(batch.device)
    if torch.rand((), generator=generator) < 0.5:
        scale = 0.5 + 0.5 * torch.rand((), generator=generator).item()
        small = functional.interpolate(
            batch, scale_factor=scale, mode="bilinear", antialias=True
        )
        batch = functional.interpolate(
            small, size=batch.shape[-2:], mode="bilinear"
        )
    noise = torch.randn(batch.shape, generator=generator).to(batch.device)
    return batch + 0.03 * noise
