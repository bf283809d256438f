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
    heads = ["identity", "prompt", *(prompt.text[:20] for prompt in prompts)]
    lines = [f"{'':20}" + "".join(f"{head:22}" for head in heads)]
    for row in ROWS:
        shares = [evaluation.rate(measure, row) for measure in heads[:2]]
        shares += [
            evaluation.rate("identity", row, prompt=prompt)
            for prompt in prompts
        ]
        cells = "".join(f"{format_share(share):22}" for share in shares)
        lines.append(f"{ROW_LABELS[row]:20}{cells}")
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
