"""Fidelity as a table, with published rows for orientation."""

import textwrap
from dataclasses import dataclass

from tutorial_lib.evaluation.fidelity import JUDGE, Fidelity
from tutorial_lib.evaluation.statistics import Share

LABELS = {
    "real": "real photos",
    "x": "X",
    "description": "description",
    "initializer": "initializer",
}
WIDTH = 22  # signs of a column
PAGE_WIDTH = 96  # of the notes below the table


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

    Higher is better in every column. Nothing was published of the drawn
    world's judge. Taught in notebooks/11_your_own_x.ipynb.
    """
    measures = list(fidelity.encoders)
    lines = [format_row(fidelity.concept, measures)]
    for name, row in fidelity.rows.items():
        label = LABELS[name]
        if name == "real" and JUDGE in measures:
            label = "given pictures"  # they were drawn
        if name in ("description", "initializer"):
            label = f'"{row.text}"'
        shares = [fidelity.rate(measure, name) for measure in measures]
        lines.append(format_row(label, list(map(format_cosine, shares))))
    for name in ("description", "initializer"):
        if name in fidelity.rows:
            leads = [fidelity.lead(measure, name) for measure in measures]
            label = f"X minus {LABELS[name]}"
            lines.append(format_row(label, list(map(format_cosine, leads))))
    notes = [describe_protocol(fidelity)]
    if "DINO" in measures:
        lines += format_published(measures)
        notes.append(PROTOCOL)
    wrapped = [textwrap.fill(note, PAGE_WIDTH) for note in notes]
    return "\n".join([*lines, "", *wrapped])


def format_published(measures: list[str]) -> list[str]:
    """Return the published rows, a line for each."""
    lines = [format_row("published", [])]
    for published in PUBLISHED:
        means = [
            f"{published.means[measure]:.3f}".removeprefix("0")
            if measure in published.means
            else ""
            for measure in measures
        ]
        lines.append(format_row(f"  {published.label}", means))
    return lines


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
    parts = [
        f"Mean cosines with 95 % intervals; {len(x.images)} pictures a row, "
        f"{num_prompts} prompts. {describe_networks(fidelity.encoders)} X "
        f"was learned with {fidelity.learned_with}.",
        "Pictures are compared with the given ones, and each of those with "
        "the others.",
    ]
    if "CLIP-T" in fidelity.encoders:
        parts.append("CLIP-T compares with the prompt.")
    return " ".join(parts)


def describe_networks(encoders: dict[str, str]) -> str:
    """Return which network takes which measures, in words."""
    measures: dict[str, list[str]] = {}
    for measure, network in encoders.items():
        measures.setdefault(network, []).append(measure)
    parts = [
        f"{' and '.join(names)}: {network}"
        for network, names in measures.items()
    ]
    return f"{'; '.join(parts)}."
