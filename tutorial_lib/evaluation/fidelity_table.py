"""Fidelity as a table, with published rows for orientation."""

from dataclasses import dataclass

from tutorial_lib.evaluation.fidelity import MEASURES, Fidelity
from tutorial_lib.evaluation.statistics import Share

LABELS = {
    "real": "real photos",
    "x": "X",
    "description": "description",
    "initializer": "initializer",
}
WIDTH = 22  # signs of a column


@dataclass(frozen=True)
class PublishedRow:
    """A row of a paper: means over its subjects, without intervals."""

    label: str
    means: dict[str, float]


# Ruiz et al. (2023), DreamBooth, table 1.
PUBLISHED = (
    PublishedRow("real photos", {"DINO": 0.774, "CLIP-I": 0.885}),
    PublishedRow(
        "Textual Inversion, SD",
        {"DINO": 0.569, "CLIP-I": 0.780, "CLIP-T": 0.255},
    ),
    PublishedRow(
        "DreamBooth, SD",
        {"DINO": 0.668, "CLIP-I": 0.803, "CLIP-T": 0.305},
    ),
)
PROTOCOL = (
    "Published: Ruiz et al. (2023), DreamBooth, table 1. Means over 30 "
    "subjects, 25 prompts and 4 pictures each, DINO by ViT-S/16. Other papers "
    "give Textual Inversion a DINO from .236 to .571, so compare rows of one "
    "table, not of two."
)


def format_cosine(share: Share | None) -> str:
    """Write a mean with its interval, as in ".57 (.52 to .61)"."""
    if share is None:
        return ""
    value, low, high = (
        f"{share[key]:.2f}".replace("0.", ".")
        for key in ("value", "low", "high")
    )
    return f"{value} ({low} to {high})"


def format_fidelity(fidelity: Fidelity) -> str:
    """Return the rows with their 95 % intervals, and the published ones.

    Higher is better in every column.
    """
    lines = [format_row(fidelity.concept, list(MEASURES))]
    for name, row in fidelity.rows.items():
        label = LABELS[name]
        if name in ("description", "initializer"):
            label = f'"{row.text}"'
        shares = [fidelity.rate(measure, name) for measure in MEASURES]
        lines.append(format_row(label, list(map(format_cosine, shares))))
    for name in ("description", "initializer"):
        if name in fidelity.rows:
            leads = [fidelity.lead(measure, name) for measure in MEASURES]
            label = f"X minus {LABELS[name]}"
            lines.append(format_row(label, list(map(format_cosine, leads))))
    lines.append(format_row("published", []))
    for published in PUBLISHED:
        means = [
            f"{published.means[measure]:.3f}".removeprefix("0")
            if measure in published.means
            else ""
            for measure in MEASURES
        ]
        lines.append(format_row(f"  {published.label}", means))
    return "\n".join([*lines, "", describe_protocol(fidelity), PROTOCOL])


def format_row(label: str, cells: list[str]) -> str:
    """Return one line of the table, its label cut if it is too long."""
    if len(label) > WIDTH + 2:
        label = f"{label[: WIDTH - 1]}..."
    columns = [f"{label:{WIDTH + 2}}", *(f"{cell:{WIDTH}}" for cell in cells)]
    return "  ".join(columns).rstrip()


def describe_protocol(fidelity: Fidelity) -> str:
    """Return in words how the rows were measured."""
    x = fidelity.rows["x"]
    num_prompts = len(set(x.prompts))
    clip = fidelity.encoders["CLIP-T"]
    return (
        f"Mean cosines with 95 % intervals; {len(x.images)} pictures a row, "
        f"{num_prompts} prompts. DINO: {fidelity.encoders['DINO']}; CLIP-I "
        f"and CLIP-T: {clip}. X was learned with {fidelity.learned_with}. "
        "DINO and CLIP-I compare with the given photos, each of those with "
        "the others; CLIP-T with the prompt."
    )
