"""The model card as tables, for data/tiny/README.md and the screen.

Each share stands with its 95 % interval, and with what we aim at.
"""

import json
from pathlib import Path
from typing import Any

from tutorial_lib.evaluation.rows import OFF_ROWS
from tutorial_lib.evaluation.statistics import (
    Share,
    format_cosine,
    format_share,
)
from tutorial_lib.files import write_atomically
from tutorial_lib.kinds import KINDS

BEGIN, END = "<!-- card: begin -->", "<!-- card: end -->"
CORGI = '"Corgi with NAME", 16 pictures of each of 10 names: at least three '
PAIR = "two names in one prompt, 8 photos of each of 10 people in a named "
# What is measured, the keys of the card that lead to it, and the aim.
MEASURES = (
    ("VAE: mean PSNR of 1,000 held-out pictures", "vae_psnr_db", "30 dB"),
    (
        "CLIP: the right caption first among 512 held-out ones",
        "clip_right_caption_first_of_512",
        "90 %",
    ),
    (
        "judges: drawn pictures of 20 new patterns, the true one first of 100",
        "identity_of_drawn pattern new",
        "97 %",
    ),
    ("the same, 20 named patterns", "identity_of_drawn pattern named", ""),
    (
        "the same, 20 new patterns on a corgi",
        "identity_of_drawn pattern new_on_a_corgi",
        "85 %",
    ),
    (
        "20 new patterns, sent through the VAE",
        "identity_of_decoded pattern new",
        "97 % of the drawn",
    ),
    (
        "the same, on a corgi",
        "identity_of_decoded pattern new_on_a_corgi",
        "97 % of the drawn",
    ),
    ("the same, 20 new people", "identity_of_drawn person new", ""),
    ("the same, 20 named people", "identity_of_drawn person named", ""),
    (
        "160 pairs of softened pictures of a pattern: the nearer one has the "
        "higher cosine",
        "judges_order_pairs pattern",
        "95 %",
    ),
    ("the same, of a person", "judges_order_pairs person", "95 %"),
    (
        "Stable Diffusion: 20 named patterns on T-shirts, the true one first "
        "of 100",
        "identity_of_generated_names pattern",
        "85 %",
    ),
    (
        "the same, 20 named people as photos",
        "identity_of_generated_names person",
        "85 %",
    ),
    (
        CORGI + "ways to bring the pattern in",
        "corgi_shows_three_ways",
        "100 %",
    ),
    (
        PAIR + "pattern: the person found",
        "two_names_found generated person",
        "",
    ),
    ("the same: the pattern found", "two_names_found generated pattern", ""),
    ("the same: both found", "two_names_found generated both", "75 %"),
    (
        "both found in pictures that the world drew",
        "two_names_found drawn both",
        "",
    ),
    (
        "both found in these, sent through the VAE",
        "two_names_found decoded both",
        "",
    ),
)
SOURCES = ("drawn", "decoded", "generated")  # of the images that judges read
# Of a difference; colours have none, they are CIEDE2000.
DIFFERENCE_UNITS = {
    "period": "%",
    "angle": "degrees",
    "offset": "periods",
    "face": "% of the range",
}
AIMS = {"object": 98, "style": 98} | dict.fromkeys(
    ("motif", "color", "background", "hair", "hair_color", "glasses"), 90
)

UNSEEN = {"pattern": "unseen patterns", "person": "unseen people"}
DRAWN_SHARE_AIMS = {"pattern": "95 %", "person": "97 %"}
COSINE_AIM = "0.98, worst 0.95"


def format_tables(
    card: dict[str, Any], evaluations: dict[str, Any] | None = None
) -> str:
    """Return the card as tables in Markdown.

    `evaluations` are those of learned words, by their kind. A card or an
    evaluation of before leaves out what was not measured then.
    """
    tables = [
        format_measures(card),
        format_zero_shot(card),
        format_readings(card),
    ]
    if "judges_are_off" in card:
        tables.append(format_deviations(card["judges_are_off"]))
    known = [e for e in (evaluations or {}).values() if "cosine" in e]
    tables += [format_words(evaluation) for evaluation in known]
    return "\n\n".join("\n".join(lines) for lines in tables)


def format_measures(card: dict[str, Any]) -> list[str]:
    """Return the lines of the table of single numbers."""
    lines = ["| what | measured | aim |", "|---|---|---|"]
    for what, keys, aim in MEASURES:
        share = card
        for key in keys.split():
            share = share.get(key, {})
        if not share:
            continue
        is_ratio = keys.endswith("_db")
        cell = format_decibels(share) if is_ratio else format_share(share)
        lines.append(f"| {what} | {cell} | {aim} |")
    return lines


def format_zero_shot(card: dict[str, Any]) -> list[str]:
    """Return the lines of the table of CLIP's zero-shot answers."""
    lines = [
        "| CLIP, zero-shot: the right one among captions that differ in one "
        "word (150 patterns, 150 people) | measured | aim |",
        "|---|---|---|",
    ]
    for name, share in card["clip_zero_shot"].items():
        lines.append(f"| {name} | {format_share(share)} | 90 % |")
    return lines


def format_readings(card: dict[str, Any]) -> list[str]:
    """Return the lines of the table of what the judge of attributes reads."""
    columns = [card[f"judges_read_{source}"] for source in SOURCES]
    lines = [
        "| the judge reads | drawn | decoded | generated | aim |",
        "|---|---|---|---|---|",
    ]
    for name in columns[0]:
        cells = [
            format_share(column[name]) if name in column else ""
            for column in columns
        ]
        aim = f"{AIMS[name]} %" if name in AIMS else ""
        cells = [name.replace("_", " "), *cells, aim]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def format_deviations(off: dict[str, Any]) -> list[str]:
    """Return the lines of the table of how far off the judge reads."""
    lines = [
        "| the judge's own error, on new concepts | drawn | decoded |",
        "|---|---|---|",
    ]
    for kind, sources in off.items():
        for name, drawn in sources["drawn"].items():
            cells = [
                format_off(name, share)
                for share in (drawn, sources["decoded"][name])
            ]
            what = f"{kind}: {name.replace('_', ' ')}"
            lines.append(f"| {' | '.join([what, *cells])} |")
    return lines


def format_words(evaluation: dict[str, Any]) -> list[str]:
    """Return the lines of the table of how near learned words come."""
    kind, num = evaluation["kind"], len(evaluation["seeds"])
    lines = [
        f"| X of {num} {UNSEEN[kind]} | X | drawn | plain description | aim |",
        "|---|---|---|---|---|",
    ]
    if "share_of_drawn" in evaluation:
        share = format_share(evaluation["share_of_drawn"])
        lines.append(
            f"| first of 100, as a share of the drawn | {share} | | | "
            f"{DRAWN_SHARE_AIMS[kind]} |"
        )
    x, description = (
        format_cosine(evaluation["cosine"][row])
        for row in ("x", "description")
    )
    lines.append(
        f"| cosine with the truth, as a share of the drawn | {x} | | "
        f"{description} | {COSINE_AIM} |"
    )
    off = evaluation.get("off", {})
    for name in off.get("x", {}):
        cells = [format_off(name, off[row][name]) for row in OFF_ROWS]
        what = name.replace("_", " ")
        lines.append(f"| {' | '.join([what, *cells])} | |")
    return lines


def format_off(name: str, share: Share) -> str:
    """Write what `ruler.average` gives for an attribute, with its unit."""
    if name.endswith(" right"):
        return format_share(share)
    return format_difference(share, DIFFERENCE_UNITS.get(name, ""))


def format_difference(share: Share, unit: str) -> str:
    """Write a difference with its interval, as in "2.1 % (1.8 to 2.5)"."""
    text = f"{share['value']:.1f} {unit}".strip()
    return f"{text} ({share['low']:.1f} to {share['high']:.1f})"


def format_decibels(ratio: Share) -> str:
    """Write a ratio with its interval, as in "26.5 dB (26.4 to 26.6)"."""
    return "{value:.1f} dB ({low:.1f} to {high:.1f})".format(**ratio)


def load_evaluations(folder: Path) -> dict[str, Any]:
    """Return the stored evaluations of learned words, by their kind."""
    paths = {kind: folder / f"{kind}.json" for kind in KINDS}
    return {
        kind: json.loads(path.read_text(encoding="utf-8"))
        for kind, path in paths.items()
        if path.exists()
    }


def fill_page(
    page: Path,
    card: dict[str, Any],
    evaluations: dict[str, Any] | None = None,
) -> None:
    """Put the tables between a page's two marks, if it has them.

    `card` and `evaluations` are those of `format_tables`.
    """
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    if BEGIN not in text or END not in text:
        return
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    tables = format_tables(card, evaluations)
    filled = f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}"
    with write_atomically(page) as unfinished:
        unfinished.write_text(filled, encoding="utf-8")
