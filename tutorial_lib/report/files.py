"""The files of the report: the page, its numbers, and its images."""

from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from tutorial_lib.figures import film_strip, make_grid, rasterize_figure
from tutorial_lib.files import write_atomically, write_json
from tutorial_lib.report.page import build_page
from tutorial_lib.report.story import Story


def write_report(stories: list[Story], seconds: float, folder: Path) -> Path:
    """Write index.html, results.json and the images; return the page.

    `seconds` is the whole time. Nothing is put in place before everything
    is written, and the page comes last, so an old report is never half
    replaced.
    """
    folder = Path(folder)
    page = build_page(stories, seconds)
    images = make_images(stories)
    results = {
        "concepts": {story.name: story.summary for story in stories},
        "seconds": round(seconds, 1),
    }
    with ExitStack() as stack:  # the file that is opened first comes last
        unfinished = {
            name: stack.enter_context(write_atomically(folder / name))
            for name in ("index.html", "results.json", *images)
        }
        unfinished["index.html"].write_text(page, encoding="utf-8")
        write_json(unfinished["results.json"], results)
        for name, image in images.items():
            image.save(unfinished[name])
    return folder / "index.html"


def make_images(stories: list[Story]) -> dict[str, Image.Image]:
    """Return the images beside the page, as file name -> image."""
    firsts = {
        example.prompt: example.images[0]
        for story in stories
        for example in story.examples
    }
    images = {"gallery.png": film_strip([*firsts.values()], [*firsts], 256)}
    for story in stories:
        for part, image in make_story_images(story).items():
            images[f"{story.name}_{part}.png"] = image
    return images


def make_story_images(story: Story) -> dict[str, Image.Image]:
    """Return the images of one concept, as part of the page -> image."""
    images = {
        "given": make_grid(story.concept.images),
        "rows": rasterize_figure(story.plot_rows("light")),
    }
    for i, example in enumerate(story.examples, start=1):
        images[f"prompt_{i}"] = make_grid(example.images)
    if story.film[0]:
        images["film"] = film_strip(*story.film)
    if story.curves:
        images["curves"] = rasterize_figure(story.plot_curves("light"))
    return images
