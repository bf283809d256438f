"""Train the judges: on rendered images only, apart from CLIP.

They never see a generated image, and nothing is ever trained on them.
"""

from collections import defaultdict
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from tutorial_lib.evaluation import (
    AttributeJudge,
    CaptionedImages,
    EmbeddingJudge,
    Judges,
)
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.dataset import (
    IMAGES_PER_CONCEPT,
    LOOKALIKE_GROUP,
    collect_labels,
    encode_labels,
)
from tutorial_lib.training.loop import autocast, train
from tutorial_lib.training.steps import Step

POOLING = {"pattern": "texture", "person": "layout", "attributes": "both"}
TEMPERATURE = 0.07

ImageBatch = Float[Tensor, "batch 3 height width"]


def train_judges(
    judged: CaptionedImages,
    captioned: CaptionedImages,
    size: int,
    folder: Path,
    device: str,
    configs: dict[str, PretrainingConfig],
) -> Judges:
    """Train the three judges one after the other, each by its config."""
    pattern, person = (
        train_embedding_judge(
            judged,
            kind,
            size,
            folder / f"judge-{kind}.pt",
            device,
            configs[kind],
        )
        for kind in ("pattern", "person")
    )
    attributes = train_attribute_judge(
        captioned,
        size,
        folder / "judge-attributes.pt",
        device,
        configs["attributes"],
    )
    return Judges(pattern=pattern, person=person, attributes=attributes)


def train_embedding_judge(
    judged: CaptionedImages,
    kind: str,
    size: int,
    checkpoint: Path,
    device: str,
    config: PretrainingConfig,
) -> EmbeddingJudge:
    """Train a judge to bring images of one concept together.

    Two images of each concept in a batch must find each other among all
    others (InfoNCE, van den Oord et al. 2018). Concepts come in groups of
    lookalikes, which a plain description cannot tell apart.
    """
    torch.manual_seed(config.seed)
    table = group_by_concept(judged, kind)
    num_groups = config.batch_size // (2 * LOOKALIKE_GROUP)

    def compute_loss(
        judge: EmbeddingJudge, batch: None, step: Step
    ) -> Float[Tensor, ""]:
        """Let two images of each concept find each other."""
        generator = step.generator
        groups = torch.randint(len(table), (num_groups,), generator=generator)
        concepts = table[groups].flatten(0, 1)
        order = torch.rand(concepts.shape, generator=generator).argsort(1)
        pairs = concepts.gather(1, order[:, :2])
        images = judged.batch(pairs.T.flatten(), device)
        images = augment(images, generator)
        with autocast(device, config.mixed_precision):
            vectors = judge(images)
        first, second = functional.normalize(vectors.float()).chunk(2)
        logits = first @ second.T / TEMPERATURE
        right = torch.arange(len(logits), device=logits.device)
        return (
            functional.cross_entropy(logits, right)
            + functional.cross_entropy(logits.T, right)
        ) / 2

    judge = EmbeddingJudge(size, pooling=POOLING[kind]).to(device)
    return train(judge, config, compute_loss, checkpoint, f"judge of {kind}s")


def group_by_concept(
    judged: CaptionedImages, kind: str
) -> Int[Tensor, "groups concepts images"]:
    """Return the indices of a kind's images, by lookalikes and concept."""
    groups = defaultdict(list)
    for index, label in enumerate(judged.labels):
        if label["kind"] == kind:
            groups[label["group"]].append(index)
    indices = torch.tensor(list(groups.values()))
    return indices.view(-1, LOOKALIKE_GROUP, IMAGES_PER_CONCEPT)


def train_attribute_judge(
    captioned: CaptionedImages,
    size: int,
    checkpoint: Path,
    device: str,
    config: PretrainingConfig,
) -> AttributeJudge:
    """Train a judge to read object, style and every attribute."""
    torch.manual_seed(config.seed)
    labels = collect_labels(captioned.labels)
    targets = encode_labels(captioned.labels, labels)

    def compute_loss(
        judge: AttributeJudge, batch: None, step: Step
    ) -> Float[Tensor, ""]:
        """Read every attribute of a batch of images."""
        generator = step.generator
        indices = torch.randint(
            len(captioned.labels), (config.batch_size,), generator=generator
        )
        images = captioned.batch(indices, device)
        with autocast(device, config.mixed_precision):
            logits = judge(augment(images, generator))
        losses = [
            functional.cross_entropy(
                rows.float(), targets[name][indices].to(device)
            )
            for name, rows in logits.items()
        ]
        return torch.stack(losses).nanmean()

    judge = AttributeJudge(size, labels, pooling=POOLING["attributes"])
    return train(
        judge.to(device),
        config,
        compute_loss,
        checkpoint,
        "judge of attributes",
    )


def augment(batch: ImageBatch, generator: torch.Generator) -> ImageBatch:
    """Change images a little: brightness, blur of a smaller size, noise.

    So a judge looks at what is shown and not at single pixels.
    """
    # In float32, torch 2.14 crashes on a CPU where channels come last.
    batch = batch.contiguous()
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
