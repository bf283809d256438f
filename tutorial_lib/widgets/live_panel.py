"""The live panel: curves and previews that follow the learning of a word.

It is a figure in the output of the cell that learns. It needs no
ipywidgets: each frame replaces the one before, and the last one stays as
an ordinary output, a picture with alt text.
"""

import time
from dataclasses import dataclass, field

from IPython.display import HTML, DisplayHandle, display
from PIL import Image

from tutorial_lib.figures import (
    image_to_html,
    make_grid,
    plot_curves,
    rasterize_figure,
)
from tutorial_lib.generation import generate
from tutorial_lib.inversion import should_stop_early
from tutorial_lib.models import Models
from tutorial_lib.words import Entry, History, LearnedWord

PREVIEW_EVERY = 20  # steps
MAX_PREVIEWS = 6  # the latest ones are shown


@dataclass
class LivePanel:
    """A panel for one learning run, to be handed over as a callback.

    `steps` is the most that the run may take. The panel is updated whenever
    the run has measured the similarity, every ten steps. With `models` and
    a `prompt` that holds the `word`, it also shows what the word generates
    by then, every twenty steps and always from the same noise; each such
    picture takes as long as any other. Taught in
    notebooks/03_learn_x_by_similarity.ipynb, 05_textual_inversion.ipynb and
    11_your_own_x.ipynb.
    """

    steps: int
    models: Models | None = None
    prompt: str = ""
    word: str = "X"
    history: History = field(default_factory=History)
    previews: dict[int, Image.Image] = field(default_factory=dict)
    start: float = 0.0
    handle: DisplayHandle | None = None

    def __call__(self, entry: Entry) -> None:
        """Take a step's entry, as in `word.history`, and show it."""
        if not self.history:
            self.start = time.monotonic()
        self.history.append(entry)
        if entry["similarity"] is None:
            return
        if self.models and entry["step"] % PREVIEW_EVERY == 0:
            preview = self._generate_preview(self.models, entry)
            self.previews[entry["step"]] = preview
        seconds = time.monotonic() - self.start
        panel = HTML(
            make_panel(self.history, self.steps, seconds, self.previews)
        )
        if self.handle:
            self.handle.update(panel)
        else:
            self.handle = display(panel, display_id=True)

    def _generate_preview(self, models: Models, entry: Entry) -> Image.Image:
        """Generate the prompt's image with the vectors of a step."""
        word = LearnedWord(word=self.word, vectors=entry["vectors"])
        return generate(
            models, self.prompt, words=[word], seed=0, progress=False
        )[0]


def make_panel(
    history: History,
    steps: int,
    seconds: float,
    previews: dict[int, Image.Image] | None = None,
) -> str:
    """Make the panel as HTML, from the history so far.

    `steps` is the most that may come, `seconds` the time gone by;
    `previews` are pictures by their step.
    """
    last = [entry for entry in history if entry["similarity"] is not None][-1]
    alt = (
        f"Curves over the steps of learning, up to step {last['step']}: "
        f"similarity {last['similarity']:.2f}, norm {last['norm']:.2f}"
    )
    caption = f"step {last['step']}, {seconds:.0f} s"
    if not has_ended(history, steps):
        caption += describe_rest(last, steps, seconds)
    panel = image_to_html(plot_history(history, steps), alt, caption)
    return panel + make_previews(previews) if previews else panel


def plot_history(history: History, steps: int) -> Image.Image:
    """Plot similarity, norm and, in the paper's recipe, the fixed error."""
    curves = {
        "similarity to the pictures": history.curve("similarity"),
        "norm of X": history.curve("norm"),
    }
    errors = history.curve("evaluation", recipe="denoising")
    if errors[0]:
        curves["error on the fixed batch"] = errors
    figure = plot_curves(curves)
    figure.set_size_inches(2.5 * len(curves), 3)
    for axis in figure.axes:
        axis.set_xlim(-0.02 * steps, 1.02 * steps)
    _, similarities = history.curve("similarity")
    figure.axes[0].set_ylim(min(0, *similarities) - 0.05, 1.05)
    figure.axes[1].set_ylim(bottom=0)
    return rasterize_figure(figure, dpi=110)


def make_previews(previews: dict[int, Image.Image]) -> str:
    """Make HTML of the latest previews, side by side."""
    steps = sorted(previews)[-MAX_PREVIEWS:]
    strip = make_grid([previews[step] for step in steps])
    listed = ", ".join(str(step) for step in steps)
    caption = f"one noise, drawn with the word of step {listed}"
    return image_to_html(strip, caption, caption, format="JPEG")


def has_ended(history: History, steps: int) -> bool:
    """Return whether a run has had its steps, or stops early."""
    last = history[-1]
    _, evaluations = history.curve("evaluation", recipe=last["recipe"])
    return last["step"] >= steps or should_stop_early(evaluations)


def describe_rest(last: Entry, steps: int, seconds: float) -> str:
    """Say how many steps are left at most, and how long they may take."""
    left = steps - last["step"]
    text = f"; at most {left} steps left"
    if last["step"]:
        text += f", {seconds / last['step'] * left:.0f} s"
    return text
