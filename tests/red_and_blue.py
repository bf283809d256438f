"""A pattern of which several tests change one thing at a time."""

from dataclasses import replace

from tutorial_lib import world


def make_pattern(motif="dots", **changes):
    """Make a pattern of one motif, in red and blue on white."""
    pattern = replace(
        world.new_concept("pattern", 1),
        motif=motif,
        other_motif=None,
        color="red",
        background="white",
        color_rgb=(200, 30, 30),
        second_rgb=(30, 30, 200),
        background_rgb=(250, 250, 250),
        period=0.4,
        angle=0.0,
        stagger=0.0,
    )
    return replace(pattern, **changes)
