"""Evaluations and comparisons as tables for the terminal, and in words."""

from statistics import fmean
from textwrap import fill, wrap

from tutorial_lib.evaluation import (
    BASELINES,
    OFF_ROWS,
    ROWS,
    SWEEPS,
    Evaluation,
    LoraComparison,
    Share,
    Shares,
    Sweep,
    format_cosine,
    format_share,
)
from tutorial_lib.figures import ROW_LABELS
from tutorial_lib.kinds import KINDS

# What deviations are called in a sentence, and their units.
OFF_LABELS = {
    "period": ("period", ".1f", " %"),
    "angle": ("angle", ".1f", " degrees"),
    "offset": ("offset of the rows", ".2f", " periods"),
    "face": ("face", ".1f", " % of its range"),
    "color": ("colour", ".1f", ""),
    "second": ("second colour", ".1f", ""),
    "background": ("ground", ".1f", ""),
    "skin": ("skin", ".1f", ""),
    "hair": ("hair", ".1f", ""),
    "eye": ("eyes", ".1f", ""),
}
OFF_NOTE = (
    "Means over single pictures; what the drawn ones are off is the reader's "
    "own error. Colours as CIEDE2000: of about 1 an eye can just tell two of "
    "them side by side."
)
WIDTH = 88  # of a sentence in the terminal


def format_evaluation(evaluation: Evaluation) -> str:
    """Return the rows of an evaluation, and below how far off they are."""
    return "\n".join([*list_shares(evaluation), *list_off(evaluation)])


def list_shares(evaluation: Evaluation) -> list[str]:
    """Return the lines of the rows, with each prompt's identity."""
    prompts = KINDS[evaluation.kind].prompts
    texts = [prompt.text.format("X") for prompt in prompts]
    heads = [f"{head:20}" for head in ("identity", "prompt", *texts)]
    lines = ["  ".join([f"{'':18}", *heads]).rstrip()]
    for row in ROWS:
        shares = [
            evaluation.rate(measure, row) for measure in ("identity", "prompt")
        ]
        shares += [
            evaluation.rate("identity", row, prompt=prompt)
            for prompt in prompts
        ]
        cells = [
            f"{format_share(share):{len(head)}}"
            for share, head in zip(shares, heads, strict=True)
        ]
        lines.append("  ".join([f"{ROW_LABELS[row]:18}", *cells]).rstrip())
    for row in BASELINES:
        head = f"X minus {ROW_LABELS[row]}"
        lines.append(f"{head:28}{format_share(evaluation.lead(row))}")
    if share := evaluation.share_of_drawn():
        lines.append(f"{'X as a share of drawn':28}{format_share(share)}")
    lines.append(
        "Shares of pictures, 95 % intervals; right: identity by prompt."
    )
    return lines


def list_off(evaluation: Evaluation) -> list[str]:
    """Return a sentence on each row that says how far off it is."""
    lines, notes = [""], ""
    for row in OFF_ROWS:
        parts = []
        if off := evaluation.off(row):
            parts.append(format_off(off))
            notes = OFF_NOTE
        if row != "drawn":
            cosine = format_cosine(evaluation.cosine(row))
            parts.append(f"share of the drawn cosine {cosine}")
        if parts:
            text = f"{ROW_LABELS[row]}: {'; '.join(parts)}"
            lines.append(fill(text, WIDTH, subsequent_indent="  "))
    return [*lines, *wrap(notes, WIDTH)]


def format_off(off: Shares) -> str:
    """Write how far off, as in "right motif 97 %; period off by 2.1 %"."""
    rights = [
        f"{name.removesuffix(' right')} {100 * share['value']:.0f} %"
        for name, share in off.items()
        if name.endswith(" right")
    ]
    differences = [
        f"{label} by {off[name]['value']:{form}}{unit}"
        for name, (label, form, unit) in OFF_LABELS.items()
        if name in off
    ]
    text = ", ".join(differences).replace(" by ", " off by ", 1)
    labels = ", ".join(rights).replace("_", " ").replace("color", "colour")
    return f"right {labels}; {text}"


def format_sweep(sweep: Sweep) -> str:
    """Return what each value of each setting of a sweep reaches.

    Beside the identity stands the cosine with the truth. Then come the gains
    from each value to the next, concept by concept, and the spread.
    """
    lines = [_format_rates(sweep, "description", 0, "none")]
    for recipe in sweep.recipes():
        lines.append(f"\nThe recipe {recipe}: identity, and cosine")
        for setting in SWEEPS[recipe]:
            for value in sweep.values(setting, recipe):
                lines.append(_format_rates(sweep, setting, value, recipe))
        lines.append("Gains in cosine, in pairs")
        for setting in SWEEPS[recipe]:
            values = sweep.values(setting, recipe)
            for low, high in zip(values, values[1:], strict=False):
                gain = sweep.gain(setting, low, high, "cosine", recipe)
                name = f"{setting}, {low:g} to {high:g}"
                lines.append(f"{name:28} {_format_gain(gain)}")
        lines += _format_spread(sweep, recipe)
    if {"similarity", "both"} <= set(sweep.recipes()):
        lead = _format_gain(sweep.gain_of_both("cosine"))
        lines.append(f"\n{'similarity to both':28} {lead}")
    return "\n".join(lines)


def format_lora_comparison(comparison: LoraComparison) -> str:
    """Return a row for X and one for the LoRA, means over the patterns."""
    heads = ["shown", "likeness", "names' own", "leaked"]
    lines = ["".join(f"{head:>12}" for head in ("", *heads))]
    total = sum(point.count for point in comparison.points)
    for method, state in (("X", "before"), ("LoRA", "LoRA")):
        hits = sum(point.hits[method] for point in comparison.points)
        means = [
            fmean(part[key] for part in parts)
            for key, parts in (
                (method, [point.likeness for point in comparison.points]),
                (state, [point.own for point in comparison.points]),
                (state, [point.leaked for point in comparison.points]),
            )
        ]
        cells = [f"{hits}/{total}", *(f"{value:.2f}" for value in means)]
        lines.append("".join(f"{cell:>12}" for cell in (method, *cells)))
    return "\n".join(lines)


def _format_rates(
    sweep: Sweep, setting: str, value: float, recipe: str
) -> str:
    """Return the identity and the cosine of a value in one line."""
    hits, cosine = (
        format_share(sweep.rate(setting, value, measure, recipe))
        for measure in ("hits", "cosine")
    )
    return f"{setting:14} {value:<6g} {hits:18} {cosine}"


def _format_gain(gain: Share) -> str:
    """Return a difference of shares in points of a hundred."""
    value, low, high = (100 * gain[key] for key in ("value", "low", "high"))
    return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"


def _format_spread(sweep: Sweep, recipe: str) -> list[str]:
    """Return how far concepts differ, in lines; none for a single one."""
    if len(sweep.seeds()) < 2:
        return []
    return [
        f"Spread {name:21} {100 * share['value']:.1f} points "
        f"({100 * share['low']:.1f} to {100 * share['high']:.1f})"
        for name, share in sweep.spread("cosine", recipe).items()
    ]
