"""Evaluations and sweeps as tables for the terminal."""

from tutorial_lib.evaluation import (
    BASELINES,
    ROWS,
    SWEEPS,
    Evaluation,
    Sweep,
    format_share,
)
from tutorial_lib.figures import ROW_LABELS
from tutorial_lib.kinds import KINDS


def format_evaluation(evaluation: Evaluation) -> str:
    """Return the rows of an evaluation, and each prompt's identity."""
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
    lines.append(
        "Shares of pictures, 95 % intervals; right: identity by prompt."
    )
    return "\n".join(lines)


def format_sweep(sweep: Sweep) -> str:
    """Return the identity of each value of each setting of a sweep."""
    lines = []
    for setting, values in (*SWEEPS.items(), ("description", (0,))):
        for value in values:
            share = format_share(sweep.rate(setting, value))
            lines.append(f"{setting:14} {value:<6g} {share}")
    return "\n".join(lines)
