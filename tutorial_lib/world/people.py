"""People: everything that tells one face from another."""

import random
from dataclasses import dataclass

from tutorial_lib.world.colors import (
    COLORS,
    EYE_COLORS,
    HAIR_COLORS,
    RGB,
    SKIN_TONES,
    sample_shade,
    vary,
)

HAIR = ("short", "long", "bob", "curly", "ponytail", "bun", "spiky", "bald")
HAIR_OF = {
    "man": ("short", "short", "curly", "spiky", "bald", "long"),
    "woman": ("long", "bob", "ponytail", "bun", "curly", "short"),
}
HAIR_COLOR_CHOICES = (
    "black",
    "black",
    "brown",
    "brown",
    "blond",
    "blond",
    "red",
    "grey",
    "blue",
    "pink",
    "green",
)
GLASSES = ("none", "none", "round", "square")
MARKS = ("none", "none", "freckles", "mole")

PersonWords = tuple[str, str, str, str, bool, bool]


@dataclass(frozen=True)
class Person:
    """One person: words name gender, hair, glasses and beard, no more.

    Lengths are shares of the image's side; `brow` and `mouth` tell how
    far they slant and smile.
    """

    gender: str
    hair: str
    hair_color: str
    glasses: str
    beard: bool
    moustache: bool
    skin_rgb: RGB
    hair_rgb: RGB
    eye_color: str
    eye_rgb: RGB
    shirt_rgb: RGB
    face_width: float
    face_height: float
    eye_gap: float
    eye_size: float
    brow: float
    brow_width: float
    nose: float
    mouth: float
    mouth_width: float
    mark: str

    @property
    def words(self) -> PersonWords:
        """What a description tells: gender, hair, glasses and beard."""
        return (
            self.gender,
            self.hair,
            self.hair_color,
            self.glasses,
            self.beard,
            self.moustache,
        )


def sample_person(
    rng: random.Random,
    words: PersonWords | None = None,
) -> Person:
    """Sample a person, one with the same `words` if they are given."""
    gender = rng.choice(("man", "woman"))
    hair = rng.choice(HAIR_OF[gender])
    hair_color = rng.choice(HAIR_COLOR_CHOICES)
    glasses = rng.choice(GLASSES)
    beard = gender == "man" and rng.random() < 0.35
    moustache = gender == "man" and not beard and rng.random() < 0.3
    if words:
        gender, hair, hair_color, glasses, beard, moustache = words
    eye_color = rng.choice(list(EYE_COLORS))
    return Person(
        gender=gender,
        hair=hair,
        hair_color=hair_color,
        glasses=glasses,
        beard=beard,
        moustache=moustache,
        skin_rgb=vary(rng.choice(SKIN_TONES), rng, 5),
        hair_rgb=vary(HAIR_COLORS[hair_color], rng, 8),
        eye_color=eye_color,
        eye_rgb=vary(EYE_COLORS[eye_color], rng, 6),
        shirt_rgb=sample_shade(rng.choice(list(COLORS)), rng),
        face_width=rng.uniform(0.215, 0.275),
        face_height=rng.uniform(0.255, 0.305),
        eye_gap=rng.uniform(0.090, 0.125),
        eye_size=rng.uniform(0.85, 1.15),
        brow=rng.uniform(-0.025, 0.03),
        brow_width=rng.uniform(0.016, 0.030),
        nose=rng.uniform(0.02, 0.045),
        mouth=rng.uniform(-0.025, 0.05),
        mouth_width=rng.uniform(0.05, 0.09),
        mark=rng.choice(MARKS),
    )
