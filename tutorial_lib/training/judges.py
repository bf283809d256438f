"""Train the judges: on rendered images, softened and decoded, apart from CLIP.

They never see an image that was generated for a word, and nothing is ever
trained on them.
"""

from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from tutorial_lib.evaluation import AttributeJudge, EmbeddingJudge, Judges
from tutorial_lib.training.config import PretrainingConfig
from tutorial_lib.training.judge_concepts import GROUP_SIZE
from tutorial_lib.training.judge_images import LABELS, NO_LABEL, VIEWS
from tutorial_lib.training.judge_pool import JudgePool
from tutorial_lib.training.judge_softening import shift_colors, soften
from tutorial_lib.training.loop import autocast, train
from tutorial_lib.training.steps import Step
from tutorial_lib.world import COLOR_AXES, NUMBERS

# How each network pools, in the order in which they are trained.
POOLING = {"attributes": "all", "person": "layout", "pattern": "attention"}
WIDTHS = (32, 64, 128, 128)  # the last four stages at most
TEMPERATURE = 0.05
NUMBER_WEIGHT = 1.5
SECOND_MOTIF = list(LABELS).index("second_motif")
NO_SECOND_MOTIF = LABELS["second_motif"].index("none")
COLOR_COLUMNS = [NUMBERS.index(f"color_{axis}") for axis in COLOR_AXES]
SECOND_COLUMNS = [NUMBERS.index(f"second_{axis}") for axis in COLOR_AXES]

Numbers = Float[Tensor, "batch numbers"]


def train_judges(
    pool: JudgePool, folder: Path, configs: dict[str, PretrainingConfig]
) -> Judges:
    """Train the three judges one after the other, each by its config.

    The reader of attributes is the first; the others start from what its
    trunk has learned.
    """
    reader = train_attribute_judge(
        pool, folder / "judge-attributes.pt", configs["attributes"]
    )
    start = reader.trunk.blocks.state_dict()
    person, pattern = (
        train_embedding_judge(
            pool, name, folder / f"judge-{name}.pt", configs[name], start
        )
        for name in ("person", "pattern")
    )
    return Judges(pattern=pattern, person=person, attributes=reader)


def choose_widths(size: int) -> tuple[int, ...]:
    """Return a width for each stage, as many as an image of `size` has."""
    stages = max(1, (size // 8).bit_length() - 1)
    return WIDTHS[:stages]


# --- what tells concepts apart ---------------------------------------------


def train_embedding_judge(
    pool: JudgePool,
    kind: str,
    checkpoint: Path,
    config: PretrainingConfig,
    start: dict[str, Tensor],
) -> EmbeddingJudge:
    """Train a judge to bring images of one concept together.

    Each image must find its concept, the mean of its other images, among
    all of the batch (prototypes: Snell et al. 2017; the loss: InfoNCE, van
    den Oord et al. 2018). Concepts come in groups that a plain description
    cannot tell apart. `start` holds the weights that the trunk starts with.
    """
    torch.manual_seed(config.seed)
    num_groups = max(1, config.batch_size // (GROUP_SIZE * VIEWS))

    def compute_loss(
        judge: EmbeddingJudge, batch: None, step: Step
    ) -> Float[Tensor, ""]:
        """Let the images of each concept find their concept."""
        generator = step.generator
        pool.take_in()
        table = torch.cat(pool.groups[kind])
        groups = torch.randint(len(table), (num_groups,), generator=generator)
        indices = table[groups].flatten()
        images = soften(pool.batch(indices), generator)
        images = shift_colors(images, generator)
        with autocast(pool.device, config.mixed_precision):
            vectors = judge(pool.cut(images, indices))
        return compute_prototype_loss(
            vectors.float().unflatten(0, (-1, VIEWS))
        )

    judge = EmbeddingJudge(
        pool.size, widths=choose_widths(pool.size), pooling=POOLING[kind]
    )
    judge.trunk.blocks.load_state_dict(start)
    judge = judge.to(pool.device)
    return train(judge, config, compute_loss, checkpoint, f"judge of {kind}s")


def compute_prototype_loss(
    vectors: Float[Tensor, "concepts views dimensions"],
) -> Float[Tensor, ""]:
    """Return the cross entropy of finding one's concept among all."""
    vectors = functional.normalize(vectors, dim=-1)
    total = vectors.sum(dim=1, keepdim=True)
    prototypes = functional.normalize(total[:, 0], dim=-1)
    own = functional.normalize(total - vectors, dim=-1)  # without itself
    cosines = vectors @ prototypes.T
    numbers = torch.arange(len(vectors), device=vectors.device)
    right = numbers[:, None].expand(vectors.shape[:2])
    cosines = cosines.scatter(
        2, right[..., None], (vectors * own).sum(-1, keepdim=True)
    )
    return functional.cross_entropy(
        cosines.flatten(0, 1) / TEMPERATURE, right.flatten()
    )


# --- what reads attributes and numbers -------------------------------------


def train_attribute_judge(
    pool: JudgePool, checkpoint: Path, config: PretrainingConfig
) -> AttributeJudge:
    """Train a judge to read object, style and every attribute and number."""
    torch.manual_seed(config.seed)
    scales = measure_numbers(pool.numbers[: pool.count])
    mean, std = torch.tensor(list(scales.values()), device=pool.device).T

    def compute_loss(
        judge: AttributeJudge, batch: None, step: Step
    ) -> Float[Tensor, ""]:
        """Read every attribute and number of a batch of images."""
        generator = step.generator
        pool.take_in()
        indices = torch.randint(
            pool.count, (config.batch_size,), generator=generator
        )
        images = pool.cut(soften(pool.batch(indices), generator), indices)
        rows = indices.to(pool.device)
        with autocast(pool.device, config.mixed_precision):
            features = judge.trunk(images)
            logits = judge.read_labels(features)
            numbers = judge.read_numbers(features)
        labels = pool.labels[rows]
        targets = (pool.numbers[rows] - mean) / std
        plain = labels[:, SECOND_MOTIF] == NO_SECOND_MOTIF
        number_loss = compute_number_loss(numbers.float(), targets, plain)
        label_loss = compute_label_loss(logits, labels)
        return label_loss + NUMBER_WEIGHT * number_loss

    judge = AttributeJudge(
        pool.size,
        LABELS,
        choose_widths(pool.size),
        POOLING["attributes"],
        scales,
    )
    judge = judge.to(pool.device)
    return train(
        judge, config, compute_loss, checkpoint, "judge of attributes"
    )


def measure_numbers(numbers: Numbers) -> dict[str, list[float]]:
    """Return the mean and the std of each number where it is known.

    The two colours of a print have the same, for either may come first.
    """
    known = ~numbers.isnan()
    count = known.sum(0).clamp(min=1)
    mean = numbers.nansum(0) / count
    std = ((numbers - mean).square().nansum(0) / count).sqrt()
    rows = torch.stack([mean, std.clamp(min=1e-3)], dim=1)
    rows[SECOND_COLUMNS] = rows[COLOR_COLUMNS]
    values = [[round(value, 5) for value in row] for row in rows.tolist()]
    return dict(zip(NUMBERS, values, strict=True))


def compute_label_loss(
    logits: dict[str, Float[Tensor, "batch num_labels"]],
    labels: Int[Tensor, "batch attributes"],
) -> Float[Tensor, ""]:
    """Return the mean cross entropy of all attributes that can be read."""
    losses = []
    for column, rows in enumerate(logits.values()):
        known = labels[:, column] != NO_LABEL
        total = functional.cross_entropy(
            rows.float(), labels[:, column], reduction="sum"
        )
        losses.append(total / known.sum().clamp(min=1))
    return torch.stack(losses).mean()


def compute_number_loss(
    predicted: Numbers, targets: Numbers, plain: Bool[Tensor, " batch"]
) -> Float[Tensor, ""]:
    """Return the mean absolute error of the numbers that can be read.

    Where a print is `plain`, of one motif in two colours, nothing says which
    colour is the first: the order that fits better counts.
    """
    swapped = targets.clone()
    swapped[:, COLOR_COLUMNS + SECOND_COLUMNS] = targets[
        :, SECOND_COLUMNS + COLOR_COLUMNS
    ]
    columns = COLOR_COLUMNS + SECOND_COLUMNS
    errors, other = (
        (predicted - order).abs()[:, columns].sum(1)
        for order in (targets, swapped)
    )
    better = plain & (other < errors)  # false where nothing is known
    targets = torch.where(better[:, None], swapped, targets)
    known = ~targets.isnan()
    error = predicted - torch.where(known, targets, predicted.detach())
    return error.abs().sum() / known.sum().clamp(min=1)
