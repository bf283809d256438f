"""What was done to each file of a folder, to be printed for its owner."""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_USED = 3  # names in a line of the report; the rest are counted
MAX_SKIPPED = 10
UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class FileEntry:
    """What was done to one file, or why it was left out."""

    file: str
    used: bool
    notes: tuple[str, ...] = ()


@dataclass
class FolderReport:
    """What was done to each file of a folder; `str(report)` is readable.

    `credit` says who made the pictures and on which terms, if that is known.
    """

    folder: str = ""
    size: int = 0
    entries: list[FileEntry] = field(default_factory=list)
    credit: str = ""

    @property
    def used(self) -> list[str]:
        """The names of the files that became images."""
        return [entry.file for entry in self.entries if entry.used]

    @property
    def skipped(self) -> list[str]:
        """The names of the files that were left out."""
        return [entry.file for entry in self.entries if not entry.used]

    def __str__(self) -> str:
        """Return a summary line, then a line for each thing worth saying."""
        if not self.entries:
            return "These pictures were not read from files."
        lines = [
            f"'{self.folder}': {len(self.used)} of {len(self.entries)} files "
            f"used, each as {self.size}x{self.size} pixels."
        ]
        if len(self.used) < 3:
            lines.append("That is few; three to twenty pictures work best.")
        if self.credit:
            lines.append(self.credit)
        return "\n".join([*map(make_printable, lines), *self.list_notes()])

    def list_notes(self) -> list[str]:
        """Return a line for each note: the files' names, and what it says."""
        lines = []
        for (used, notes), files in group_entries(self.entries).items():
            most = MAX_USED if used else MAX_SKIPPED
            shown = ", ".join(files)
            if len(files) > most:
                shown = ", ".join(files[: most - 1])
                shown += f" and {len(files) - most + 1} more"
            lines.append(make_printable(f"- {shown}: {', '.join(notes)}."))
        return lines


def group_entries(
    entries: Iterable[FileEntry],
) -> dict[tuple[bool, tuple[str, ...]], list[str]]:
    """Return the file names with the same notes, by (used, notes)."""
    groups: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for entry in entries:
        if entry.notes:
            groups.setdefault((entry.used, entry.notes), []).append(entry.file)
    return groups


def make_printable(text: str) -> str:
    r"""Return a line with escapes for what cannot be printed.

    That is bytes of a file's name that are no UTF-8 ("\x83"), control
    characters, and what a strict output such as an old console lacks.
    """
    text = UNPRINTABLE.sub(_escape, text)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:  # an output of an encoding that Python lacks
        return text


def _escape(match: re.Match[str]) -> str:
    """Return the escape of one character that cannot be printed."""
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # Python's sign for a byte that is no UTF-8
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
