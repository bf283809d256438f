"""What the lessons share: claims, and words that are learned once.

The lessons' numbers were measured with the tiny models, which were trained
on the drawn world. Other models go through the same cells.
"""

import contextlib
from collections.abc import Iterator

from tutorial_lib.images import load_concept
from tutorial_lib.inversion import learn_word, name_checkpoint
from tutorial_lib.models import Models
from tutorial_lib.settings import OUT, find_data
from tutorial_lib.words import LearnedWord


@contextlib.contextmanager
def measured_on_tiny(models: Models, usual: bool = True) -> Iterator[None]:
    """Hold an `assert` of what was measured with the tiny models only.

    With these, an `assert` that fails is an error. With other models it ends
    the `with` block: what follows it there is passed over, and a sentence
    says so. `usual` is False if the run was stopped, or has settings or
    pictures of its own: then, too, the result may differ from what was
    measured.
    """
    try:
        yield
    except AssertionError:
        if models.profile.knows_drawn_world and usual:
            raise
        if usual:
            because = f'with "{models.profile.name}" the result differs'
        else:
            because = "this run was stopped, or has settings of its own"
        print(f"Passed over: measured on the tiny models only; {because}.")


def load_or_learn_word(models: Models, name: str) -> LearnedWord:
    """Load the word that was learned from a shipped concept, or learn it.

    `name` is "tshirt" or "face". The words in data/ belong to the tiny
    models. With others the first lesson that needs a word learns it, as
    lessons 06 and 08 do, and later ones go on from its checkpoint.
    """
    if models.profile.knows_drawn_world:
        file = find_data() / "words" / f"{name}.safetensors"
        return LearnedWord.load(file, models.profile)
    concept = load_concept(name)
    print(f'The shipped word is for the tiny models; "{name}" is learned now.')
    checkpoint = name_checkpoint(OUT, models, concept)
    return learn_word(models, concept, checkpoint=checkpoint)
