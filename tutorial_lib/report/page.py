"""The page as HTML: its template, filled with the stories."""

import os
import platform
import time
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure
from PIL import Image

from tutorial_lib.evaluation import format_cosine, format_share
from tutorial_lib.figures import (
    ROW_LABELS,
    image_to_data_uri,
    rasterize_figure,
    resize_to_square,
)
from tutorial_lib.report.story import Story
from tutorial_lib.report.text_tables import OFF_NOTE, format_off

TEMPLATES = Path(__file__).parent


def build_page(stories: list[Story], seconds: float) -> str:
    """Return the whole page as HTML; `seconds` is the whole time."""
    template = make_environment().get_template("page.html.jinja")
    return template.render(
        stories=stories,
        seconds=seconds,
        num_entries=max(story.word.vectors.numel() for story in stories),
        computer=f"{os.cpu_count()} cores, {platform.machine()}",
        date=time.strftime("%d %B %Y"),
        row_labels=ROW_LABELS,
        off_note=OFF_NOTE,
    )


def make_environment() -> Environment:
    """Return what Jinja needs to fill in the templates of this folder."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        cosine=format_cosine,
        data_uri=square_to_data_uri,
        figure_uri=figure_to_data_uri,
        off=format_off,
        percent=to_percent,
        share=format_share,
    )
    return environment


def square_to_data_uri(image: Image.Image, side: int) -> str:
    """Return an image, resized to a square, as a data URI."""
    return image_to_data_uri(resize_to_square(image, side))


def figure_to_data_uri(figure: Figure) -> str:
    """Return a figure with a transparent background as a data URI."""
    return image_to_data_uri(rasterize_figure(figure, transparent=True))


def to_percent(share: float) -> int:
    """Return a share, 0 to 1, as a whole number of percent."""
    return round(100 * share)
