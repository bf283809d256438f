"""The drawn world: patterns, people and a corgi, in four styles.

Everything here is drawn from a seeded description with Pillow and NumPy
alone, so the truth about every picture is known.
"""

from tutorial_lib.world.captions import describe
from tutorial_lib.world.carriers import CARRIERS
from tutorial_lib.world.concepts import (
    attributes, draw_concept, kind_of, lookalikes, named_concepts,
    new_concept,
)
from tutorial_lib.world.corgi import WAYS
from tutorial_lib.world.patterns import MOTIFS, Pattern
from tutorial_lib.world.people import Person
from tutorial_lib.world.scenes import Scene, draw_scene
from tutorial_lib.world.styles import STYLES

__all__ = [
    "CARRIERS", "MOTIFS", "STYLES", "WAYS", "Pattern", "Person", "Scene",
    "attributes", "describe", "draw_concept", "draw_scene", "kind_of",
    "lookalikes", "named_concepts", "new_concept",
]
