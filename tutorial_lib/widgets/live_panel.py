"""The live panel: curves and previews, drawn anew while a word is learned.

It is a figure in the output of the cell that learns. It asks for no
ipywidgets: each frame replaces the one before, and the last one stays as
an ordinary output, a picture with alt text.
"""

import time
from dataclasses import dataclass, field

from IPython.display import HTML, DisplayHandle, display
from PIL import Image

from tutorial_lib.figures import (
    flatten,
    make_grid,
    plot_curves,
    rasterize_figure,
    write_image,
)
from tutorial_lib.generation import generate
from tutorial_lib.inversion import should_stop_early
from tutorial_lib.models import Models
from tutorial_lib.words import LearnedWord

PREVIEW_EVERY = 20  # steps
MOST_PREVIEWS = 8  # the latest ones are shown


@dataclass
class LivePanel:
    """A panel for one learning run, to be handed over as its callback.

    `steps` is the most that the run may take. The panel is drawn whenever
    the run has measured the similarity, every ten steps. With `models` and
    a `prompt` that holds the `word`, it also shows what the word draws by
    then, every twenty steps and always from the same noise; each such
    picture takes as long as any other. Taught in
    notebooks/03_learn_x_by_similarity.ipynb and 05_textual_inversion.ipynb.
    """

    steps: int
    models: Models | None = None
    prompt: str = ""
    word: str = "X"
    entries: list[dict] = field(default_factory=list)
    previews: dict[int, Image.Image] = field(default_factory=dict)
    began: float = 0.0
    handle: DisplayHandle | None = None

    def __call__(self, entry: dict) -> None:
        """Take a step's dict, as in `word.history`, and show it."""
        if not self.entries:
            self.began = time.monotonic()
        self.entries.append(entry)
        if entry["similarity"] is None:
            return
        if self.models and entry["step"] % PREVIEW_EVERY == 0:
            self.previews[entry["step"]] = self.generate_preview(entry)
        seconds = time.monotonic() - self.began
        page = HTML(
            write_panel(self.entries, self.steps, seconds, self.previews)
        )
        if self.handle:
            self.handle.update(page)
        else:
            self.handle = display(page, display_id=True)

    def generate_preview(self, entry: dict) -> Image.Image:
        """Draw the prompt with the vectors as they are at a step."""
        then = LearnedWord(word=self.word, vectors=entry["vectors"])
        return generate(
            self.models, self.prompt, words=[then], seed=0, progress=False
        )[0]


def write_panel(
    entries: list[dict],
    steps: int,
    seconds: float,
    previews: dict[int, Image.Image] | None = None,
) -> str:
    """Return the panel as HTML, from the dicts of the steps so far.

    `steps` is the most that may come, `seconds` the time gone by;
    `previews` are pictures by their step.
    """
    measured = [e for e in entries if e["similarity"] is not None]
    last = measured[-1]
    image = plot_entries(entries, measured, steps)
    alt = (
        f"Curves over the steps of learning, up to step {last['step']}: "
        f"similarity {last['similarity']:.2f}, norm {last['norm']:.2f}"
    )
    left = "" if has_ended(entries, steps) else tell_left(last, steps, seconds)
    page = write_image(
        image, alt=alt, caption=f"step {last['step']}, {seconds:.0f} s{left}"
    )
    if previews:
        page += write_previews(previews)
    return page


def plot_entries(
    entries: list[dict], measured: list[dict], steps: int
) -> Image.Image:
    """Plot similarity, norm and, in the paper's recipe, the fixed error."""
    denoising = [e for e in measured if e["recipe"] == "denoising"]
    curves = {
        "similarity to the pictures": (
            [e["step"] for e in measured],
            [e["similarity"] for e in measured],
        ),
        "norm of X": (
            [e["step"] for e in entries],
            [e["norm"] for e in entries],
        ),
    }
    if denoising:
        curves["error on the fixed batch"] = (
            [e["step"] for e in denoising],
            [e["evaluation"] for e in denoising],
        )
    figure = plot_curves(curves)
    figure.set_size_inches(2.5 * len(curves), 3)
    for axis in figure.axes:
        axis.set_xlim(-0.02 * steps, 1.02 * steps)
    lowest = min(e["similarity"] for e in measured)
    figure.axes[0].set_ylim(min(0, lowest) - 0.05, 1.05)
    figure.axes[1].set_ylim(bottom=0)
    return flatten(rasterize_figure(figure, dpi=110))


def write_previews(previews: dict[int, Image.Image]) -> str:
    """Return the latest previews, side by side, as HTML."""
    steps = sorted(previews)[-MOST_PREVIEWS:]
    strip = make_grid(
        [previews[step] for step in steps], columns=MOST_PREVIEWS, side=88
    )
    listed = ", ".join(str(step) for step in steps)
    caption = f"one noise, drawn with the word of step {listed}"
    return write_image(strip, alt=caption, caption=caption)


def has_ended(entries: list[dict], steps: int) -> bool:
    """Say whether a run has had its steps, or stops since it stands still."""
    last = entries[-1]
    found = [e["evaluation"] for e in entries if e["recipe"] == last["recipe"]]
    found = [each for each in found if each is not None]
    return last["step"] >= steps or should_stop_early(found)


def tell_left(last: dict, steps: int, seconds: float) -> str:
    """Say how many steps are left at most, and how long they may take."""
    left = steps - last["step"]
    text = f"; at most {left} steps left"
    if last["step"]:
        text += f", {seconds / last['step'] * left:.0f} s"
    return text
