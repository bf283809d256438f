"""What the page tells of one concept, and what is computed from it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from matplotlib.figure import Figure
from PIL import Image

from tutorial_lib.evaluation import Evaluation, Share
from tutorial_lib.figures import plot_curves, plot_rows
from tutorial_lib.images import Concept
from tutorial_lib.kinds import Kind, get_kind
from tutorial_lib.words import LearnedWord

MAX_IMAGES = 6  # under each prompt


@dataclass(frozen=True)
class Example:
    """One of the article's prompts, with the first images made of it.

    `identity` is X's for this prompt alone, and `is_counted` whether it
    belongs to the identity of the whole row.
    """

    prompt: str
    images: list[Image.Image]
    identity: Share
    is_counted: bool


@dataclass
class Story:
    """One concept: its images, the word learned from them, and how good.

    `film` holds images of one prompt while X was learned, and their labels.
    """

    name: str
    concept: Concept
    word: LearnedWord
    description: str
    evaluation: Evaluation
    film: tuple[list[Image.Image], list[str]]

    @property
    def kind(self) -> Kind:
        """The kind of the concept."""
        return get_kind(self.evaluation.kind)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The evaluation's numbers, as results.json holds them."""
        return self.evaluation.summarize()

    @cached_property
    def examples(self) -> list[Example]:
        """The kind's prompts with X in them."""
        return [
            Example(
                prompt=prompt.text.format(self.word.word),
                images=self.evaluation.images("x", prompt)[:MAX_IMAGES],
                identity=self.evaluation.rate("identity", "x", prompt=prompt),
                is_counted=prompt.shows_identity,
            )
            for prompt in self.kind.prompts
        ]

    @property
    def curves(self) -> dict[str, tuple[list[int], list[float]]]:
        """The curves worth showing, as title -> (steps, values)."""
        history = self.word.history
        curves = {
            "similarity, CLIP": history.curve(
                "similarity", recipe="similarity"
            ),
            "denoising error, fixed batch": history.curve(
                "evaluation", recipe="denoising"
            ),
        }
        return {title: curve for title, curve in curves.items() if curve[0]}

    def plot_curves(self, theme: str) -> Figure:
        """Plot the curves of the learning."""
        return plot_curves(self.curves, theme=theme)

    def plot_rows(self, theme: str) -> Figure:
        """Plot X beside the reference rows."""
        panels = {key: self.summary[key] for key in ("identity", "prompt")}
        return plot_rows(panels, theme=theme)
