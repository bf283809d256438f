"""How good is X where the truth is not known: subject and prompt fidelity.

DreamBench's measures (Ruiz et al., 2023, DreamBooth, section 4.2), taken with
networks that X was not learned with, beside rows that say what such a number
is worth:

- `real`: each real photo against the others, left out in turn;
- `x`: pictures made with the learned word;
- `description`: with a plain description in its place;
- `initializer`: with the ordinary word that X began as.

DINO knows photos. What the tiny models draw is measured by a judge of their
drawn world instead, the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from tutorial_lib.arguments import read_texts, read_whole_number
from tutorial_lib.errors import TutorialError
from tutorial_lib.evaluation.image_encoders import (
    ImageEncoder,
    embed_texts_with_encoder,
    embed_with_encoder,
    load_encoder,
)
from tutorial_lib.evaluation.judge_networks import EmbeddingJudge
from tutorial_lib.evaluation.judges import embed_with_judge, load_judges
from tutorial_lib.evaluation.statistics import (
    Share,
    estimate_mean,
    paired_interval,
)
from tutorial_lib.generation import generate
from tutorial_lib.images import Concept, Images, as_concept
from tutorial_lib.inversion import fill_templates
from tutorial_lib.kinds import KINDS, get_kind
from tutorial_lib.models import Models
from tutorial_lib.words import LearnedWord


@dataclass
class FidelityEncoders:
    """The networks that measure: one for images alone, and a CLIP."""

    dino: ImageEncoder
    clip: ImageEncoder


# The judge stands for all of them where pictures are drawn.
Encoders = FidelityEncoders | EmbeddingJudge
JUDGE = "judge"  # its measure


@dataclass
class FidelityRow:
    """One row: its pictures, each one's measures, and each one's prompt.

    `text` is what stood in the prompts' gap. `cosines` holds a number for
    each picture, by measure; `prompts` the prompt of each. Real photos have
    no prompt and no CLIP-T.
    """

    name: str
    text: str
    images: list[Image.Image]
    prompts: list[str]
    cosines: dict[str, list[float]]


@dataclass
class Fidelity:
    """The rows of one concept, and how they were measured.

    `encoders` says which network takes each measure, `learned_with` which
    CLIP the word was learned with.
    """

    concept: str
    encoders: dict[str, str]
    learned_with: str
    rows: dict[str, FidelityRow] = field(default_factory=dict)

    def rate(self, measure: str, row: str) -> Share | None:
        """Return a row's mean with its 95 % interval; None if it has none.

        Pictures of one prompt are not independent of each other, so whole
        prompts are sampled, if there are several.
        """
        part = self._get(row)
        if measure not in part.cosines:
            return None
        return estimate_mean(part.cosines[measure], part.prompts or None)

    def lead(self, measure: str, row: str) -> Share:
        """Return how far X is above a row, with the interval of that.

        The row is "description" or "initializer": its pictures start from
        the same noise as X's. Raises TutorialError for any other.
        """
        x, other = self._get("x"), self._get(row)
        if row == "x" or x.prompts != other.prompts:
            raise TutorialError(
                f"The row {row!r} cannot be paired with X; say "
                '"description" or "initializer".'
            )
        ours, theirs = x.cosines[measure], other.cosines[measure]
        low, high = paired_interval(ours, theirs, clusters=x.prompts)
        value = float(np.mean(ours) - np.mean(theirs))
        return {"value": value, "low": low, "high": high}

    def _get(self, row: str) -> FidelityRow:
        """Return a row by its name."""
        if row not in self.rows:
            raise TutorialError(
                f"There is no row {row!r}; there are {', '.join(self.rows)}."
            )
        return self.rows[row]


def load_fidelity_encoders(
    dino: str = "dino", device: str | None = None
) -> FidelityEncoders:
    """Load the networks that measure fidelity.

    `dino` is "dino", with which the published rows were measured, or
    "dinov2". Both have read no captions, and neither took part in learning
    X. CLIP ViT-B/32 has, like the ViT-L/14 of Stable Diffusion 1.5, been
    trained by OpenAI on the same pictures, so it is another CLIP, but not a
    stranger. Raises FetchError if one of them cannot be had.
    """
    return FidelityEncoders(
        dino=load_encoder(dino, device), clip=load_encoder("clip", device)
    )


def load_usual_encoders(models: Models, kind: str) -> Encoders:
    """Load what knows the models' pictures of this kind of concept.

    For the tiny models it is the judge of patterns or of people, which
    learned from drawn pictures alone; there is none of objects. For all
    others it is DINO and CLIP. Raises FetchError if these cannot be had.
    """
    if models.profile.knows_drawn_world and kind in KINDS:
        return load_judges(device=models.device).of_kind(kind)
    return load_fidelity_encoders(device=models.device)


def compare_with_real(
    generated: Float[Tensor, "num_images width"],
    real: Float[Tensor, "num_real width"],
) -> list[float]:
    """Return each picture's mean cosine with all real ones.

    All vectors are of length one. The mean of the list is DreamBench's DINO
    or CLIP-I: the mean pairwise cosine. Taught in
    notebooks/11_your_own_x.ipynb.
    """
    return (generated @ real.T).mean(dim=1).tolist()


def compare_with_each_other(
    real: Float[Tensor, "num_real width"],
) -> list[float]:
    """Return each real photo's mean cosine with the others.

    This is what a perfect word could reach. Raises TutorialError for fewer
    than two photos. Taught in notebooks/11_your_own_x.ipynb.
    """
    if len(real) < 2:
        raise TutorialError(
            "One picture has no others to be compared with; give two or more."
        )
    cosines = real @ real.T
    return ((cosines.sum(1) - cosines.diagonal()) / (len(real) - 1)).tolist()


def embed_for_each_measure(
    encoders: Encoders, images: list[Image.Image]
) -> dict[str, Float[Tensor, "num_images width"]]:
    """Return the images' vectors for each measure that compares images."""
    if isinstance(encoders, EmbeddingJudge):
        return {JUDGE: embed_with_judge(encoders, images)}
    return {
        "DINO": embed_with_encoder(encoders.dino, images),
        "CLIP-I": embed_with_encoder(encoders.clip, images),
    }


def measure_generated(
    encoders: Encoders,
    generated: list[Image.Image],
    real: list[Image.Image],
    texts: list[str],
) -> dict[str, list[float]]:
    """Return a row's cosines, by measure, a number for each picture.

    `texts[i]` is what the i-th generated picture is to show. A judge reads
    no texts.
    """
    vectors = embed_for_each_measure(encoders, generated)
    given = embed_for_each_measure(encoders, real)
    cosines = {
        measure: compare_with_real(vectors[measure], given[measure])
        for measure in vectors
    }
    if isinstance(encoders, FidelityEncoders):
        asked = embed_texts_with_encoder(encoders.clip, texts)
        cosines["CLIP-T"] = (vectors["CLIP-I"] * asked).sum(dim=1).tolist()
    return cosines


def measure_photos(
    encoders: Encoders, photos: list[Image.Image]
) -> FidelityRow:
    """Return the row of the real photos, each against the others."""
    cosines = {
        measure: compare_with_each_other(vectors)
        for measure, vectors in embed_for_each_measure(
            encoders, photos
        ).items()
    }
    return FidelityRow("real", "", photos, [], cosines)


def measure_fidelity(
    models: Models,
    concept: Images,
    word: LearnedWord,
    prompts: str | Sequence[str] | None = None,
    *,
    description: str | None = None,
    encoders: Encoders | None = None,
    count: int = 4,
    seed: int = 0,
) -> Fidelity:
    """Make `count` pictures of each row for each prompt, and measure them.

    `prompts` have a gap {}, by default the kind's; `list_prompts` returns
    DreamBench's. `description` says what the pictures show in ordinary words
    ("small brown dog"); without it that row is left out, and so is that of
    the real photos if there is only one. CLIP-T is the cosine with the prompt
    that has the initializer in its gap, for every row. `encoders` are the
    networks that measure, by default those that know the models' pictures
    (`load_usual_encoders`). Raises FetchError if they cannot be had,
    WordError for a prompt without a gap. Taught in
    notebooks/11_your_own_x.ipynb.
    """
    concept = as_concept(concept)
    prompts = read_prompts(prompts, concept.kind, word)
    count = read_whole_number(count, "count", 1)
    if encoders is None:
        encoders = load_usual_encoders(models, concept.kind)
    fidelity = Fidelity(
        concept.name, describe_encoders(encoders), describe_clip(models)
    )
    if len(concept.images) > 1:
        fidelity.rows["real"] = measure_photos(encoders, concept.images)
    start = pick_initializer(word, concept)
    texts = {"x": word.word, "description": description, "initializer": start}
    shown = [prompt for prompt in prompts for _ in range(count)]
    asked = [prompt.replace("{}", start) for prompt in shown]
    for name, text in texts.items():
        if text:
            words = [word] if name == "x" else []
            images = generate_row(models, prompts, text, words, count, seed)
            values = measure_generated(encoders, images, concept.images, asked)
            row = FidelityRow(name, text, images, shown, values)
            fidelity.rows[name] = row
    return fidelity


def read_prompts(
    prompts: str | Sequence[str] | None, kind: str, word: LearnedWord
) -> list[str]:
    """Return prompts with a gap as a list, the kind's if there are none.

    Raises WordError for one without a gap in which the word can stand.
    """
    if prompts is None:
        prompts = [prompt.text for prompt in get_kind(kind).prompts]
    texts = read_texts(prompts, "prompts", "a {} in the jungle")
    fill_templates(texts, word.word)
    return texts


def pick_initializer(word: LearnedWord, concept: Concept) -> str:
    """Return the ordinary word that X began as, or should have."""
    usual = get_kind(concept.kind).initializer
    return word.initializer or concept.initializer or usual


def generate_row(
    models: Models,
    prompts: list[str],
    text: str,
    words: list[LearnedWord],
    count: int,
    seed: int,
) -> list[Image.Image]:
    """Generate the pictures of a row, `count` for each prompt, with a bar."""
    return generate(
        models,
        [prompt.replace("{}", text) for prompt in prompts],
        words=words,
        count=count,
        seed=seed,
    )


def describe_encoders(encoders: Encoders) -> dict[str, str]:
    """Return which network takes each measure."""
    if isinstance(encoders, EmbeddingJudge):
        return {JUDGE: "a judge that learned from drawn pictures alone"}
    clip = encoders.clip.source.label
    return {"DINO": encoders.dino.source.label, "CLIP-I": clip, "CLIP-T": clip}


def describe_clip(models: Models) -> str:
    """Return which CLIP the words of these models are learned with."""
    name = models.profile.clip_model
    if name.startswith("local-dir:"):
        return f'the CLIP of "{models.profile.name}"'
    return f"CLIP {name}"
