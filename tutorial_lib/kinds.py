"""The kinds of concept: a pattern and a person, and all that differs.

A kind knows the article's prompts, the sentences that X is learned in, the
word that X begins as, and how many images the article took.
"""

from dataclasses import dataclass

from tutorial_lib.errors import TutorialError


@dataclass(frozen=True, eq=False)
class Prompt:
    """A prompt with a gap, what it asks for, and its share of a row.

    `asked` are labels of the attribute judge; `shows_identity` is whether
    the identity counts here (a corgi's small scarf may hide a pattern);
    `rendered` says how the world renders the like.
    """

    text: str
    asked: dict[str, str]
    share: float
    shows_identity: bool
    rendered: dict[str, str]


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of concept that a word can be learned for.

    `templates` are sentences with a gap {} that X is learned in, `prompts`
    the article's two examples, `initializer` the word or phrase that X
    begins as. `noun` says what the `num_images` images of the article show.
    """

    name: str
    noun: str
    num_images: int
    initializer: str
    templates: tuple[str, ...]
    prompts: tuple[Prompt, ...]


PATTERN = Kind(
    name="pattern",
    noun="T-shirts",
    num_images=20,
    initializer="pattern",
    templates=(
        "a photo of a T-shirt in the style of {}",
        "a T-shirt with {}",
        "an anime illustration of a T-shirt in the style of {}",
    ),
    prompts=(
        Prompt(
            text="A T-shirt in the style of {}",
            asked={"object": "T-shirt"},
            share=0.75,
            shows_identity=True,
            rendered={"carrier": "T-shirt"},
        ),
        Prompt(
            text="Corgi with {}",
            asked={"object": "corgi"},
            share=0.25,
            shows_identity=False,
            rendered={"carrier": "corgi"},
        ),
    ),
)
PERSON = Kind(
    name="person",
    noun="photos of one face",
    num_images=6,
    initializer="man or woman",
    templates=(
        "a photo of {}",
        "a photograph of {}",
        "a picture of {}",
    ),
    prompts=(
        Prompt(
            text="A photo of {}",
            asked={"object": "portrait", "style": "photo"},
            share=0.5,
            shows_identity=True,
            rendered={"style": "photo"},
        ),
        Prompt(
            text="An anime illustration of {}",
            asked={"object": "portrait", "style": "anime illustration"},
            share=0.5,
            shows_identity=True,
            rendered={"style": "anime illustration"},
        ),
    ),
)
KINDS = {kind.name: kind for kind in (PATTERN, PERSON)}


def get_kind(name: str) -> Kind:
    """Return the kind of this name, "pattern" or "person".

    Raises TutorialError for another name.
    """
    if not isinstance(name, str) or name not in KINDS:
        known = " or ".join(f'"{known}"' for known in KINDS)
        raise TutorialError(f'There is no kind "{name}"; say {known}.')
    return KINDS[name]
