"""The kinds of concept: a pattern, a person, an object, and all that differs.

A kind knows example prompts (the article's for a pattern and a person), the
sentences that X is learned in, the word that X begins as, and how many images
are usual.
"""

from dataclasses import dataclass, field

from tutorial_lib.errors import TutorialError


@dataclass(frozen=True)
class Prompt:
    """A prompt with a gap, what it asks for, and its share of a row.

    `asked` are labels of the attribute judge; `shows_identity` is whether
    the identity counts here (a corgi's small scarf may hide a pattern);
    `rendered` says how the world renders the like.
    """

    text: str
    asked: dict[str, str] = field(compare=False)
    share: float
    shows_identity: bool
    rendered: dict[str, str] = field(compare=False)


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of concept that a word can be learned for.

    `templates` are sentences with a gap {} that X is learned in, `prompts`
    two examples, `initializer` the word or phrase that X begins as. `noun`
    says what the usual `num_images` images show.
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
# An animal or a thing in photos. The drawn world has none, so no judge knows
# it. The templates are some of Gal et al. (2022), An Image is Worth One Word,
# appendix; the prompts are two of DreamBooth's.
OBJECT = Kind(
    name="object",
    noun="photos of one thing",
    num_images=5,
    initializer="object",
    templates=(
        "a photo of a {}",
        "a rendering of a {}",
        "a cropped photo of the {}",
        "a close-up photo of a {}",
        "a bright photo of the {}",
        "a photo of my {}",
        "a good photo of the {}",
    ),
    prompts=(
        Prompt(
            text="a {} in the jungle",
            asked={},
            share=0.5,
            shows_identity=True,
            rendered={},
        ),
        Prompt(
            text="a {} on top of pink fabric",
            asked={},
            share=0.5,
            shows_identity=True,
            rendered={},
        ),
    ),
)
KINDS = {kind.name: kind for kind in (PATTERN, PERSON)}  # the drawn world's
LEARNABLE_KINDS = {**KINDS, OBJECT.name: OBJECT}


def get_kind(name: str) -> Kind:
    """Return the kind of this name: "pattern", "person" or "object".

    Raises TutorialError for another name.
    """
    if not isinstance(name, str) or name not in LEARNABLE_KINDS:
        known = " or ".join(f'"{known}"' for known in LEARNABLE_KINDS)
        raise TutorialError(f'There is no kind "{name}"; say {known}.')
    return LEARNABLE_KINDS[name]
