"""The map of the series: which lesson leads to which."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tutorial_lib.figures.sheet import (
    TEXT_SIZE,
    add_arrow,
    add_box,
    add_line,
    add_note,
    start_sheet,
)

WIDE, HIGH = 1.62, 0.8  # units, of a lesson's box
COLUMNS = {  # heading: left edge
    "look first": 0.15,
    "words and pictures": 2.17,
    "two ways to learn X": 4.19,
    "the four examples": 6.21,
    "how far it goes": 8.23,
}
TITLES = {
    "00": "see what\nX can do",
    "01": "CLIP compares\ntext and picture",
    "02": "a row for X\nin the table",
    "03": "by similarity:\nthe article",
    "04": "how Stable\nDiffusion draws",
    "05": "by denoising:\nthe paper",
    "06": "a T-shirt in\nthe style of X",
    "07": "a corgi\nwith X",
    "08": "a photo of X",
    "09": "an anime\ndrawing of X",
    "10": "do more\npictures help?",
    "11": "your own\npictures",
    "12": "X beside LoRA\nand others",
}
PLACES = {  # the lesson's column, and the bottom of its box
    "00": (0, 1.8),
    "01": (1, 3.2),
    "02": (1, 1.8),
    "04": (1, 0.4),
    "03": (2, 2.5),
    "05": (2, 1.1),
    "06": (3, 3.3),
    "07": (3, 2.3),
    "08": (3, 1.3),
    "09": (3, 0.3),
    "10": (4, 3.2),
    "11": (4, 1.8),
    "12": (4, 0.4),
}
ROADS = (
    *(("00", "01"), ("01", "02"), ("01", "03"), ("02", "03"), ("02", "05")),
    *(("03", "05"), ("04", "05")),
    *(("05", "06"), ("05", "07"), ("05", "08"), ("05", "09")),
)
EXIT = 8.0  # units, where the roads from the examples come together


def sketch_series(theme: str = "light") -> Figure:
    """Sketch the map of the series: its lessons, and which leads to which."""
    figure, axis = start_sheet(height=5.0)
    for heading, left in COLUMNS.items():
        place = (left + WIDE / 2, 4.65)
        add_note(axis, place, heading, theme, size=TEXT_SIZE)
    for number, title in TITLES.items():
        left, bottom = _get_corner(number)
        text = f"{number}\n{title}"
        add_box(axis, (left, bottom, WIDE, HIGH), text, theme)
    for start, end in ROADS:
        _add_road(axis, start, end, theme)
    add_line(axis, [(EXIT, 0.3), (EXIT, 4.1)], theme, "ink")
    for number, (column, bottom) in PLACES.items():
        if column == 4:
            left, _ = _get_corner(number)
            y = bottom + HIGH / 2
            add_arrow(axis, (EXIT, y), (left, y), theme)
    return figure


def _get_corner(number: str) -> tuple[float, float]:
    """Return the lower left corner of a lesson's box."""
    column, bottom = PLACES[number]
    return list(COLUMNS.values())[column], bottom


def _add_road(axis: Axes, start: str, end: str, theme: str) -> None:
    """Add an arrow from one lesson to another, straight down or rightwards."""
    (left, bottom), (goal, goal_bottom) = _get_corner(start), _get_corner(end)
    if left == goal:
        x = left + WIDE / 2
        add_arrow(axis, (x, bottom), (x, goal_bottom + HIGH), theme)
        return
    # It comes in above the middle from above, below it from below.
    height = 0.5 + 0.25 * ((bottom > goal_bottom) - (bottom < goal_bottom))
    begin = (left + WIDE, bottom + HIGH / 2)
    add_arrow(axis, begin, (goal, goal_bottom + height * HIGH), theme)
