"""The page of `make run`, and tables for the terminal."""

from tutorial_lib.report.files import write_report
from tutorial_lib.report.run import report_shipped_concepts
from tutorial_lib.report.story import Story
from tutorial_lib.report.text_tables import (
    format_evaluation,
    format_lora_comparison,
    format_sweep,
)

__all__ = [
    "Story",
    "format_evaluation",
    "format_lora_comparison",
    "format_sweep",
    "report_shipped_concepts",
    "write_report",
]
