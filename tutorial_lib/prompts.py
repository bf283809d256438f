"""The article's four prompts, and what the judges are to look for."""

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Prompt:
    """A prompt with a gap, what it asks for, and its share of a row.

    `asked` are labels of the attribute judge; `tells` is whether the
    identity counts here (a corgi's small scarf may hide a pattern);
    `drawn` says how the world draws the like.
    """

    text: str
    asked: dict[str, str]
    share: float
    tells: bool
    drawn: dict[str, str]


PROMPTS = {
    "pattern": (
        Prompt(
            text="A T-shirt in the style of {}",
            asked={"object": "T-shirt"},
            share=0.75,
            tells=True,
            drawn={"carrier": "T-shirt"},
        ),
        Prompt(
            text="Corgi with {}",
            asked={"object": "corgi"},
            share=0.25,
            tells=False,
            drawn={"carrier": "corgi"},
        ),
    ),
    "person": (
        Prompt(
            text="A photo of {}",
            asked={"object": "portrait", "style": "photo"},
            share=0.5,
            tells=True,
            drawn={"style": "photo"},
        ),
        Prompt(
            text="An anime illustration of {}",
            asked={"object": "portrait", "style": "anime illustration"},
            share=0.5,
            tells=True,
            drawn={"style": "anime illustration"},
        ),
    ),
}
