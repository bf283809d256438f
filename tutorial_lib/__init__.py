"""Textual Inversion, step by step: the library behind the notebooks.

    from tutorial_lib import generate, learn_word, load_concept, load_models

Each name is imported from its package when it is first used, so that the
drawn world can be had without waiting for torch.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tutorial_lib.errors import TutorialError
    from tutorial_lib.evaluation import load_judges
    from tutorial_lib.figures import show_grid
    from tutorial_lib.generation import (
        embed_images,
        embed_texts,
        generate,
        measure_similarity,
    )
    from tutorial_lib.images import load_concept
    from tutorial_lib.inversion import (
        TextualInversionTrainer,
        TrainingConfig,
        learn_word,
    )
    from tutorial_lib.models import load_models
    from tutorial_lib.words import LearnedWord

__version__ = "0.2.0"

# How long torch's threads spin while they wait for each other, before they
# sleep (GNU OpenMP reads it when torch is imported). Its usual 300,000 rounds
# stall learning beside another busy program; this costs a little on an idle
# machine. benchmarks/busy_machine.py measures both.
os.environ.setdefault("GOMP_SPINCOUNT", "5000")

__all__ = [
    "LearnedWord",
    "TextualInversionTrainer",
    "TrainingConfig",
    "TutorialError",
    "embed_images",
    "embed_texts",
    "generate",
    "learn_word",
    "load_concept",
    "load_judges",
    "load_models",
    "measure_similarity",
    "show_grid",
]
MODULE_OF = {
    "LearnedWord": "words",
    "TextualInversionTrainer": "inversion",
    "TrainingConfig": "inversion",
    "TutorialError": "errors",
    "embed_images": "generation",
    "embed_texts": "generation",
    "generate": "generation",
    "learn_word": "inversion",
    "load_concept": "images",
    "load_judges": "evaluation",
    "load_models": "models",
    "measure_similarity": "generation",
    "show_grid": "figures",
}


def __getattr__(name: str) -> Any:
    """Import a public name from the module where it lives."""
    if name not in MODULE_OF:
        raise AttributeError(f"tutorial_lib has no {name!r}")
    module = importlib.import_module(f"tutorial_lib.{MODULE_OF[name]}")
    return getattr(module, name)
