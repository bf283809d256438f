"""The live panel: similarity and norm, drawn anew while a word is learned.

It is a figure in the output of the cell that learns. It asks for no
ipywidgets: each frame replaces the one before, and the last one stays as
an ordinary output, a picture with alt text.
"""

import time
from dataclasses import dataclass, field

from IPython.display import HTML, DisplayHandle, display

from tutorial_lib.figures import (
    flatten,
    plot_curves,
    render_figure,
    write_picture,
)
from tutorial_lib.learning import no_longer_improves


@dataclass
class LivePanel:
    """A panel for one learning run, to be handed over as its callback.

    `steps` is the most that the run may take. The panel is drawn whenever
    the run has measured the similarity, every ten steps. Taught in
    notebooks/03_learn_x_by_similarity.ipynb.
    """

    steps: int
    entries: list[dict] = field(default_factory=list)
    began: float = 0.0
    handle: DisplayHandle | None = None

    def __call__(self, entry: dict) -> None:
        """Take a step's dict, as in `word.history`, and show it."""
        if not self.entries:
            self.began = time.monotonic()
        self.entries.append(entry)
        if entry["similarity"] is None:
            return
        seconds = time.monotonic() - self.began
        page = HTML(write_panel(self.entries, self.steps, seconds))
        if self.handle:
            self.handle.update(page)
        else:
            self.handle = display(page, display_id=True)


def write_panel(entries: list[dict], steps: int, seconds: float) -> str:
    """Return the panel as HTML, from the dicts of the steps so far.

    `steps` is the most that may come, `seconds` the time gone by.
    """
    measured = [e for e in entries if e["similarity"] is not None]
    last = measured[-1]
    figure = plot_curves({
        "similarity to the pictures": (
            [e["step"] for e in measured],
            [e["similarity"] for e in measured],
        ),
        "norm of X": (
            [e["step"] for e in entries],
            [e["norm"] for e in entries],
        ),
    })
    for axis in figure.axes:
        axis.set_xlim(-0.02 * steps, 1.02 * steps)
    lowest = min(e["similarity"] for e in measured)
    figure.axes[0].set_ylim(min(0, lowest) - 0.05, 1.05)
    figure.axes[1].set_ylim(bottom=0)
    alt = (
        f"Curves over the steps of learning, up to step {last['step']}: "
        f"similarity {last['similarity']:.2f}, norm {last['norm']:.2f}"
    )
    left = "" if has_ended(entries, steps) else tell_left(last, steps, seconds)
    return write_picture(
        flatten(render_figure(figure, dpi=110)),
        alt=alt,
        caption=f"step {last['step']}, {seconds:.0f} s{left}",
    )


def has_ended(entries: list[dict], steps: int) -> bool:
    """Say whether a run has had its steps, or stops since it stands still."""
    last = entries[-1]
    found = [e["evaluation"] for e in entries if e["recipe"] == last["recipe"]]
    found = [each for each in found if each is not None]
    return last["step"] >= steps or no_longer_improves(found)


def tell_left(last: dict, steps: int, seconds: float) -> str:
    """Say how many steps are left at most, and how long they may take."""
    left = steps - last["step"]
    text = f"; at most {left} steps left"
    if last["step"]:
        text += f", {seconds / last['step'] * left:.0f} s"
    return text
