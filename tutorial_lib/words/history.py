"""The history of a training run: one entry for each step."""

from typing import Any

Entry = dict[str, Any]


class History(list[Entry]):
    """The entries of a run in order, each a dict.

    `step`, `recipe`, `loss` (None before the first step of a recipe), `lr`,
    `norm` (the mean norm of the vectors) and `seconds` are in every entry.
    Every few steps the run is evaluated, and the entry also has `evaluation`
    (the loss on a fixed batch), `similarity` (CLIP's, of the templates with
    the images) and `vectors`; elsewhere these are None, except that the
    vectors are also kept at a few early steps, when they change most. With
    two text encoders `norm` and `similarity` are of the vectors for the first,
    and an entry with `vectors` also has `vectors_2`. `stopped` says that the
    run is not at its end, as after Ctrl-C. Taught in
    notebooks/05_textual_inversion.ipynb.
    """

    stopped = False

    def curve(
        self, key: str, recipe: str | None = None
    ) -> tuple[list[int], list[float]]:
        """Return the steps at which a key has a value, and its values.

        With a `recipe`, only the entries of that recipe count.
        """
        entries = [
            entry
            for entry in self
            if entry[key] is not None and recipe in (None, entry["recipe"])
        ]
        steps = [entry["step"] for entry in entries]
        return steps, [entry[key] for entry in entries]
