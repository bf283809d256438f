"""The report: one self-contained page, its pictures and its numbers.

`out/index.html` needs nothing beside it: every picture is inside, it
follows the reader's light or dark theme and fits a phone.
"""

import html
import json
import os
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tutorial_lib.evaluation import Evaluation
from tutorial_lib.figures import plots
from tutorial_lib.images import Concept
from tutorial_lib.kinds import KINDS
from tutorial_lib.report.page_style import NEXT, STYLE
from tutorial_lib.words import LearnedWord

SIDE = 192  # pixels; a tiny picture is enlarged to this for the page
SHOWN = 6  # pictures under each prompt
MEANINGS = {
    "x": "the learned word, which the models had never seen",
    "drawn": "pictures of the true concept, drawn by the world itself: "
    "what the judges make of perfect pictures, a ceiling for pictures as "
    "varied as these",
    "named": "concepts whose names the models were trained with, each "
    "among lookalikes of its own",
    "words": "the most careful plain description: ",
    "initializer": "the word that X started from: ",
}


@dataclass
class Story:
    """All that the page tells of one concept."""

    name: str
    concept: Concept
    word: LearnedWord
    description: str
    evaluation: Evaluation
    film: tuple[list[Image.Image], list[str]]

    @property
    def kind(self) -> str:
        """Return "pattern" or "person"."""
        return self.evaluation.kind


# --- parts of the page -----------------------------------------------------


def escape(text: str) -> str:
    """Return text that may stand in HTML, in an attribute too."""
    return html.escape(str(text), quote=True)


def mark_word(prompt: str, word: str) -> str:
    """Return a prompt as HTML in which the learned word stands out."""
    return " ".join(
        f'<b class="x">{escape(part)}</b>' if part == word else escape(part)
        for part in prompt.split(" ")
    )


def embed_image(image: Image.Image, alt: str, side: int = SIDE) -> str:
    """Return one square picture as an <img> that holds its own data."""
    code = plots.encode_image(plots.enlarge(image, side))
    return f'<img src="{code}" alt="{escape(alt)}" loading="lazy">'


def embed_row(images: list, alt: str, css: str = "", side: int = SIDE):
    """Return a row of pictures, each with an alt text and its number."""
    cells = [
        embed_image(image, alt=f"{alt}, picture {i + 1}", side=side)
        for i, image in enumerate(images)
    ]
    return f'<div class="row {css}">{"".join(cells)}</div>'


def embed_plot(plot, alt: str) -> str:
    """Return a plot in light and dark; `plot` takes the name of a theme."""
    light, dark = (
        plots.encode_image(plots.render_figure(plot(theme)))
        for theme in ("light", "dark")
    )
    return (
        f'<div class="card"><picture><source srcset="{dark}" '
        f'media="(prefers-color-scheme: dark)">'
        f'<img src="{light}" alt="{escape(alt)}"></picture></div>'
    )


def list_curves(word: LearnedWord) -> dict[str, tuple[list, list]]:
    """Return the curves worth showing, as title -> (steps, values)."""
    wanted = {
        "similarity, CLIP": ("similarity", "similarity"),
        "denoising error, fixed batch": ("denoising", "evaluation"),
    }
    curves = {}
    for title, (recipe, key) in wanted.items():
        points = [
            (each["step"], each[key])
            for each in word.history
            if each["recipe"] == recipe and each[key] is not None
        ]
        if points:
            curves[title] = tuple(map(list, zip(*points, strict=True)))
    return curves


def write_share(rate: dict[str, float]) -> str:
    """Return a share and its interval, as in "83 % (67 to 96)"."""
    low, high = round(100 * rate["low"]), round(100 * rate["high"])
    return f"{100 * rate['value']:.0f} % ({low} to {high})"


def write_table(story: Story) -> str:
    """Return the rows as an HTML table, with what each row means."""
    summary = story.evaluation.summarize()
    said = {
        "words": f"“{story.description}”",
        "initializer": f"“{story.word.initializer}”",
    }
    lines = []
    for row, label in plots.ROW_LABELS.items():
        css = ' class="x"' if row == "x" else ""
        lines.append(
            f"<tr{css}><th>{label}</th>"
            f'<td class="number">{write_share(summary["identity"][row])}</td>'
            f'<td class="number">{write_share(summary["prompt"][row])}</td>'
            f"<td><small>{MEANINGS[row]}{escape(said.get(row, ''))}"
            f"</small></td></tr>"
        )
    return (
        '<div class="scroll"><table><thead><tr><th>row</th><th>identity</th>'
        "<th>prompt</th><th>what it is</th></tr></thead><tbody>"
        f"{''.join(lines)}</tbody></table></div>"
    )


def write_leads(story: Story) -> str:
    """Return how far X is ahead of the rows it has to beat, a sentence."""
    parts = []
    for row, lead in story.evaluation.summarize()["lead"].items():
        value, low, high = (
            round(100 * lead[key]) for key in ("value", "low", "high")
        )
        label = plots.ROW_LABELS[row]
        parts.append(f"the {label} by {value} points ({low} to {high})")
    return (
        f'<p class="note">In identity X is ahead of {" and of ".join(parts)}'
        ", paired picture by picture, from the same noise.</p>"
    )


def plot_story(story: Story, theme: str):
    """Return the dot plot of a concept's rows."""
    summary = story.evaluation.summarize()
    panels = {key: summary[key] for key in ("identity", "prompt")}
    return plots.plot_rows(panels, theme=theme)


def write_examples(story: Story) -> str:
    """Return a concept's two prompts as headings over their pictures."""
    parts = []
    for prompt in KINDS[story.kind].prompts:
        text = prompt.text.format(story.word.word)
        images = story.evaluation.images("x", prompt)[:SHOWN]
        heading = mark_word(text, story.word.word)
        parts.append(f"<h3>“{heading}”</h3>{embed_row(images, alt=text)}")
    return "".join(parts)


def write_hero(stories: list[Story]) -> str:
    """Return the first picture of each of the four examples, side by side."""
    cells = [
        f"<figure>{embed_image(image, alt=text, side=288)}"
        f"<figcaption>{mark_word(text, 'X')}</figcaption></figure>"
        for text, image in list_firsts(stories).items()
    ]
    return f'<div class="row hero">{"".join(cells)}</div>'


def write_by_prompt(story: Story) -> str:
    """Return X's identity for each prompt alone, as a sentence."""
    parts = []
    for prompt in KINDS[story.kind].prompts:
        rate = story.evaluation.rate("identity", "x", prompt=prompt)
        text = prompt.text.format(story.word.word)
        counted = "" if prompt.shows_identity else ", not counted above"
        parts.append(f"“{escape(text)}” {write_share(rate)}{counted}")
    return f'<p class="note">Identity of X by prompt: {"; ".join(parts)}.</p>'


def write_film(story: Story) -> str:
    """Return the film strip: one prompt, one noise, as X was learned."""
    cells = "".join(
        f"<figure>{embed_image(image, alt=f'X at {label}')}"
        f"<figcaption>{escape(label)}</figcaption></figure>"
        for image, label in zip(*story.film, strict=True)
    )
    return f'<div class="row film">{cells}</div>' if cells else ""


def write_story(story: Story) -> str:
    """Return the section on one concept: given, learned, measured."""
    num, noun = len(story.concept.images), KINDS[story.kind].noun
    curves = list_curves(story.word)
    plots = embed_plot(
        lambda theme: plot_story(story, theme=theme),
        alt=f"Identity and prompt of X and four reference rows, {noun}; "
        "the table below holds the same numbers",
    )
    if curves:
        plots = (
            embed_plot(
                lambda theme: plots.plot_curves(curves, theme=theme),
                alt=f"While learning: {', '.join(curves)}",
            )
            + plots
        )
    return (
        f"<h2>X from {num} {noun}</h2>"
        f"<p>All that was shown. A careful description says “"
        f"{escape(story.description)}”, which fits many others as well.</p>"
        f"{embed_row(story.concept.images, noun, css='small', side=128)}"
        f"{write_examples(story)}"
        "<h3>How X came about</h3><p>The same prompt from the same noise, "
        "drawn with X as it was after so many steps.</p>"
        f"{write_film(story)}<div class='pair'>{plots}</div>"
        f"{write_table(story)}{write_leads(story)}{write_by_prompt(story)}"
    )


def write_page(stories: list[Story], seconds: float) -> str:
    """Return the whole page as HTML."""
    per_word = " and ".join(
        f"{story.evaluation.seconds_per_word:.0f}" for story in stories
    )
    num_entries = max(story.word.vectors.numel() for story in stories)
    facts = {
        f"{per_word} s": "to learn the two words",
        f"{seconds / 60:.1f} min": "for everything on this page",
        f"{num_entries} numbers": "are all that one word changed",
        f"{os.cpu_count()} × {platform.machine()}": time.strftime("%d %B %Y"),
    }
    cells = "".join(
        f"<div><strong>{escape(value)}</strong>{escape(what)}</div>"
        for value, what in facts.items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A new word, X: Textual Inversion</title><style>{STYLE}</style></head>
<body><main><header><p class="eyebrow">Textual Inversion, step by step</p>
<h1>A few pictures become one new word, <b class="x">X</b></h1>
<p class="lead">Two things that no word describes, a pattern and a face, were
each turned into a word for Stable Diffusion: nothing but the word's own
vector was learned, every weight and every other word stayed as it was. All
pictures under a prompt are unselected, and judges that took no part in the
learning say how well it went.</p></header>
{write_hero(stories)}
<div class="facts">{cells}</div>
{"".join(write_story(story) for story in stories)}
<h2>How to read the numbers</h2>
<p><strong>Identity</strong> is the share of pictures whose nearest concept,
among the true one and 99 others, is the true one; 24 of the others fit the
same plain description, and guessing gives 1 %.
<strong>Prompt</strong> is the share that shows the object and style asked
for. In brackets and as whiskers: 95 % bootstrap intervals.
The same numbers stand in <code>results.json</code>.</p>
<h2>How to go on</h2>{NEXT}
<footer class="note">Drawn by the small models in <code>data/tiny</code>,
which were trained on a drawn world; no picture here was chosen by
hand.</footer></main></body></html>
"""


def list_firsts(stories: list[Story]) -> dict[str, Image.Image]:
    """Return the first picture of each example, as prompt -> picture."""
    return {
        prompt.text.format(story.word.word): images[0]
        for story in stories
        for prompt in KINDS[story.kind].prompts
        if (images := story.evaluation.images("x", prompt))
    }


# --- files -----------------------------------------------------------------


def make_image_files(stories: list[Story]) -> dict[str, Image.Image]:
    """Return the pictures for out/, as file name -> picture."""
    firsts = list_firsts(stories)
    files = {
        "gallery.png": plots.film_strip(
            list(firsts.values()), labels=list(firsts), side=SIDE
        )
    }
    for story in stories:
        name, given = story.name, story.concept.images
        files[f"{name}_given.png"] = plots.make_grid(given, side=96)
        for i, prompt in enumerate(KINDS[story.kind].prompts, start=1):
            images = story.evaluation.images("x", prompt)[:SHOWN]
            files[f"{name}_prompt_{i}.png"] = plots.make_grid(images)
        if story.film[0]:
            files[f"{name}_film.png"] = plots.film_strip(*story.film)
        plots = {"rows": plot_story(story, theme="light")}
        if curves := list_curves(story.word):
            plots["curves"] = plots.plot_curves(curves)
        for key, plot in plots.items():
            image = plots.flatten(plots.render_figure(plot))
            files[f"{name}_{key}.png"] = image
    return files


def write_report(stories: list[Story], seconds: float, folder: Path) -> Path:
    """Write index.html, results.json and the pictures; return the page.

    `seconds` is the whole time. Everything is made beside the folder
    first, then moved into place, so an old report is never half replaced.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    results = {
        "concepts": {
            each.name: each.evaluation.summarize() for each in stories
        },
        "seconds": round(seconds, 1),
    }
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new") as new:
        for file, image in make_image_files(stories).items():
            image.save(Path(new) / file)
        text = json.dumps(results, indent=1) + "\n"
        (Path(new) / "results.json").write_text(text, encoding="utf-8")
        page = write_page(stories, seconds=seconds)
        (Path(new) / "index.html").write_text(page, encoding="utf-8")
        page_last = sorted(
            Path(new).iterdir(), key=lambda p: p.suffix == ".html"
        )
        for path in page_last:
            os.replace(path, folder / path.name)
    return folder / "index.html"
