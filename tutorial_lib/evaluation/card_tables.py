"""Write the card of measures as tables: for data/tiny/README.md, the screen.

Each share stands with its 95 % interval, and with what we aim at.
"""

from pathlib import Path

BEGIN, END = "<!-- card: begin -->", "<!-- card: end -->"
CORGI = '"Corgi with NAME", 16 pictures of each of 10 names: at least three '
PAIR = "two names in one prompt, 8 photos of each of 10 people in a named "
FIGURES = (
    ("VAE: mean PSNR of 1,000 held-out pictures", "vae_psnr_db", "30 dB"),
    (
        "CLIP: the right caption first among 512 held-out ones",
        "clip_right_caption_first_of_512",
        "90 %",
    ),
    (
        "judges: drawn pictures of 20 new patterns, the true one first of 100",
        "identity_of_drawn pattern new",
        "",
    ),
    ("the same, 20 named patterns", "identity_of_drawn pattern named", ""),
    ("the same, 20 new people", "identity_of_drawn person new", ""),
    ("the same, 20 named people", "identity_of_drawn person named", ""),
    (
        "Stable Diffusion: 20 named patterns on T-shirts, the true one first of "
        "100",
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
    ("the same: both found", "two_names_found generated both", "60 %"),
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
SHOWN = ("drawn", "decoded", "generated")
AIMS = {"object": 98, "style": 98} | dict.fromkeys(
    ("motif", "color", "background", "hair", "hair_color", "glasses"), 90
)


def write_tables(card: dict) -> str:
    """Return the card as three tables in Markdown."""
    tables = (write_figures(card), write_zero_shot(card), write_readings(card))
    return "\n\n".join("\n".join(lines) for lines in tables)


def write_figures(card: dict) -> list[str]:
    """Return the lines of the table of single numbers."""
    lines = ["| what | measured | aim |", "|---|---|---|"]
    for what, path, aim in FIGURES:
        found = card
        for part in path.split():
            found = found[part]
        shown = write_decibels if path.endswith("_db") else write_share
        lines.append(f"| {what} | {shown(found)} | {aim} |")
    return lines


def write_zero_shot(card: dict) -> list[str]:
    """Return the lines of the table of CLIP's zero-shot answers."""
    lines = [
        "| CLIP, zero-shot: the right one among captions that differ in one "
        "word (150 patterns, 150 people) | measured | aim |",
        "|---|---|---|",
    ]
    for name, found in card["clip_zero_shot"].items():
        lines.append(f"| {name} | {write_share(found)} | 90 % |")
    return lines


def write_readings(card: dict) -> list[str]:
    """Return the lines of the table of what the judge of attributes reads."""
    columns = [card[f"judges_read_{name}"] for name in SHOWN]
    lines = [
        "| the judge reads | drawn | decoded | generated | aim |",
        "|---|---|---|---|---|",
    ]
    for name in columns[0]:
        cells = [
            write_share(each[name]) if name in each else "" for each in columns
        ]
        aim = f"{AIMS[name]} %" if name in AIMS else ""
        cells = [name.replace("_", " "), *cells, aim]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def write_share(found: dict[str, float]) -> str:
    """Return a share as "96 % (94 to 97)"."""
    value, low, high = (
        round(100 * found[key]) for key in ("value", "low", "high")
    )
    return f"{value} % ({low} to {high})"


def write_decibels(found: dict[str, float]) -> str:
    """Return a ratio as "26.5 dB (26.4 to 26.6)"."""
    return "{value:.1f} dB ({low:.1f} to {high:.1f})".format(**found)


def fill_page(page: Path, card: dict) -> None:
    """Put the tables between a page's two marks, if it has them."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    if BEGIN not in text or END not in text:
        return
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    filled = f"{before}{BEGIN}\n\n{write_tables(card)}\n\n{END}{after}"
    page.write_text(filled, encoding="utf-8")
