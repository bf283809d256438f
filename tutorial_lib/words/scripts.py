"""Where a word stands alone, in scripts with and without spaces.

English puts spaces between words, so "Xmas" is another word than "X". A
Japanese reader writes "Xの写真", and there X is a word of its own.
"""

import re
from collections.abc import Iterable

# Scripts whose letters may stand right beside a word of another script, as
# ranges of a regular expression. Korean has spaces, but its particles follow
# a word without one ("X의 사진"). Digits are left out: X1 is not X.
SCRIPTS = {
    "Han": (
        "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf"
        "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
    ),
    "Hiragana": "\u3041-\u309f\U0001b001-\U0001b11f",
    "Katakana": "\u30a1-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "Bopomofo": "\u3105-\u312f\u31a0-\u31bf",
    "Hangul": (
        "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb\uffa0-\uffdc"
    ),
    "Thai": "\u0e01-\u0e4e",
    "Lao": "\u0e81-\u0ece\u0edc-\u0edf",
    "Khmer": "\u1780-\u17d3\u17d7\u17dc",
    "Burmese": "\u1000-\u103f\u1050-\u108f\uaa60-\uaa7f",
}


def compile_standing_alone(names: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern of names that stand alone, in one group.

    No letter or digit is beside such a name, nor one behind a hyphen
    (X-ray). The scripts without spaces are an exception: a letter of theirs
    may be beside a name whose own letter there is of another script. A
    longer name comes first: of X and X-2, "X-2" is the second.
    """
    longest_first = sorted(names, key=len, reverse=True)
    either = "|".join(make_pattern(name) for name in longest_first)
    return re.compile(f"({either})")


def make_pattern(name: str) -> str:
    """Return the pattern of one name with nothing of its own kind beside."""
    before, after = make_neighbours(name[0]), make_neighbours(name[-1])
    return (
        rf"(?<!{before})(?<!{before}-){re.escape(name)}"
        rf"(?!{after})(?!-{after})"
    )


def make_neighbours(letter: str) -> str:
    """Return a pattern of the letters and digits that extend a word.

    They are all but those of the scripts without spaces, save the one that
    `letter`, the outermost of the word, belongs to.
    """
    free = "".join(
        ranges
        for ranges in SCRIPTS.values()
        if not re.match(f"[{ranges}]", letter)
    )
    return rf"[^\W{free}]"
