"""Textual Inversion, step by step: the library behind the notebooks.

    from tutorial_lib import draw, learn_word, load_concept, load_models

Each name is fetched from its room when it is first used, so that the drawn
world can be had without waiting for torch.
"""

import importlib

__version__ = "0.1.0"

ROOM_OF = {
    "LearnedWord": "words",
    "draw": "drawing",
    "embed_pictures": "similarity",
    "embed_texts": "similarity",
    "learn_word": "learning",
    "load_concept": "pictures",
    "load_judges": "judging",
    "load_models": "models",
    "measure_similarity": "similarity",
    "show_grid": "figures",
}
__all__ = list(ROOM_OF)


def __getattr__(name):
    """Fetch a public name from the room where it lives."""
    if name not in ROOM_OF:
        raise AttributeError(f"tutorial_lib has no {name!r}")
    room = importlib.import_module(f"tutorial_lib.{ROOM_OF[name]}")
    return getattr(room, name)
