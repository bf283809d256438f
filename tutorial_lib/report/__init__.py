"""The page of `make run`."""

from tutorial_lib.report.page import Story, write_report

__all__ = [
    "Story",
    "write_report",
]
