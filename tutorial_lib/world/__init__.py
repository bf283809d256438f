"""The drawn world: patterns, people and a corgi, in four styles.

Everything here is rendered from a seeded description with Pillow and NumPy
alone, so the truth about every image is known.
"""

from tutorial_lib.world.captioned_scenes import (
    label_scene,
    sample_captioned_scene,
    sample_wearer_scene,
)
from tutorial_lib.world.captions import HAIR_PHRASES, STYLE_CAPTIONS, describe
from tutorial_lib.world.carriers import CARRIERS
from tutorial_lib.world.color_difference import (
    Lab,
    color_difference,
    to_lab,
)
from tutorial_lib.world.colors import COLORS, EYE_COLORS, HAIR_COLORS
from tutorial_lib.world.concepts import (
    KIND_NAMES,
    Concept,
    attributes,
    kind_of,
    lookalikes,
    named_concepts,
    new_concept,
    render_concept,
    sample_concept,
)
from tutorial_lib.world.corgi import WAYS
from tutorial_lib.world.measures import (
    COLOR_AXES,
    FACE_RANGES,
    FOLDS,
    NUMBERS,
    PATTERN_COLORS,
    PERSON_COLORS,
    VISIBLE_FACE,
    VISIBLE_PERIOD,
    angle_between,
    fold_of,
    has_offset,
    measure_pattern,
    measure_person,
    measure_scene,
    shows_hair,
    visible_distance,
)
from tutorial_lib.world.patterns import MOTIFS, SITE_MOTIFS, Pattern
from tutorial_lib.world.people import GLASSES, HAIR, MARKS, Person
from tutorial_lib.world.scenes import (
    Scene,
    pattern_scene,
    person_scene,
    render_scene,
)
from tutorial_lib.world.styles import STYLES
from tutorial_lib.world.wearers import PARTS, cut_part, render_wearer

__all__ = [
    "CARRIERS",
    "COLORS",
    "COLOR_AXES",
    "Concept",
    "EYE_COLORS",
    "FACE_RANGES",
    "FOLDS",
    "GLASSES",
    "HAIR",
    "HAIR_COLORS",
    "HAIR_PHRASES",
    "KIND_NAMES",
    "Lab",
    "MARKS",
    "MOTIFS",
    "NUMBERS",
    "PARTS",
    "PATTERN_COLORS",
    "PERSON_COLORS",
    "Pattern",
    "Person",
    "SITE_MOTIFS",
    "STYLES",
    "STYLE_CAPTIONS",
    "Scene",
    "VISIBLE_FACE",
    "VISIBLE_PERIOD",
    "WAYS",
    "angle_between",
    "attributes",
    "color_difference",
    "cut_part",
    "describe",
    "fold_of",
    "has_offset",
    "kind_of",
    "label_scene",
    "lookalikes",
    "measure_pattern",
    "measure_person",
    "measure_scene",
    "named_concepts",
    "new_concept",
    "pattern_scene",
    "person_scene",
    "render_concept",
    "render_scene",
    "render_wearer",
    "sample_captioned_scene",
    "sample_concept",
    "sample_wearer_scene",
    "shows_hair",
    "to_lab",
    "visible_distance",
]
