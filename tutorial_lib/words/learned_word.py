"""A learned word: its name, its vectors, and how they were learned."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from tutorial_lib import __version__
from tutorial_lib.arguments import describe, is_empty, read_items, read_text
from tutorial_lib.errors import ArgumentError, TutorialError, WordError
from tutorial_lib.settings import Profile, pick_profile
from tutorial_lib.words.file_forms import StoredWord, pick_form
from tutorial_lib.words.history import History
from tutorial_lib.words.word_file import (
    check_tensors,
    complete_name,
    find_word_file,
    parse_count,
    read_dtype,
    read_vectors,
    read_word_file,
    write_word_file,
)

SPECIAL_TOKENS = (  # of CLIP's tokenizers, transformers' and open_clip's
    "<|startoftext|>",
    "<|endoftext|>",
    "<start_of_text>",
    "<end_of_text>",
)
VECTOR_FIELDS = ("vectors", "vectors_2")  # for each text encoder


@dataclass
class LearnedWord:
    """A word that was learned from images.

    `word` is what the reader writes in a prompt ("X"), `vectors` its
    embedding in float32. The other fields say how it was learned; `history`
    is not stored in the file. `vectors_2` is the embedding for the second
    text encoder of models that have two, such as SDXL: as many vectors, of
    another width. Taught in notebooks/02_the_word_x.ipynb.
    """

    word: str
    vectors: Float[Tensor, "num_vectors width"]
    base_model: str = ""
    recipe: str = ""
    steps: int = 0
    initializer: str = ""
    num_images: int = 0
    library_version: str = __version__
    history: History = field(default_factory=History, repr=False)
    vectors_2: Float[Tensor, "num_vectors width_2"] | None = None

    def __post_init__(self) -> None:
        """Raise WordError for a word or vectors that no prompt could hold."""
        self.word = check_word(self.word)
        self.vectors = read_vectors(self.vectors, self.word)
        if self.vectors_2 is None:
            return
        self.vectors_2 = read_vectors(self.vectors_2, self.word)
        if len(self.vectors_2) != len(self.vectors):
            raise WordError(
                f'"{self.word}" has {len(self.vectors)} vectors for the '
                f"first text encoder and {len(self.vectors_2)} for the "
                "second; give as many for each."
            )

    @property
    def placeholder_token(self) -> str:
        """The placeholder token that stands for the word: "X" is "<x>"."""
        return make_placeholder_token(self.word)

    @property
    def num_vectors(self) -> int:
        """The number of vectors, each of which takes a token's place."""
        return self.vectors.shape[0]

    @property
    def width(self) -> int:
        """The number of entries of a vector."""
        return self.vectors.shape[1]

    @property
    def tensors(self) -> list[Float[Tensor, "num_vectors _"]]:
        """The vectors for each text encoder that the word is for."""
        if self.vectors_2 is None:
            return [self.vectors]
        return [self.vectors, self.vectors_2]

    def copy_vectors(self) -> dict[str, Any]:
        """Return copies of the vectors on the CPU, by their fields' names."""
        copies = [tensor.detach().cpu().clone() for tensor in self.tensors]
        return dict(zip(VECTOR_FIELDS, copies, strict=False))

    @torch.no_grad()
    def restore_vectors(self, saved: Mapping[str, Any]) -> None:
        """Write what `copy_vectors` returned into the tensors there are."""
        for name, tensor in zip(VECTOR_FIELDS, self.tensors, strict=False):
            tensor.copy_(saved[name])

    def rename(self, word: str) -> Self:
        """Return the same learned word under another name."""
        return replace(self, word=word)

    def save(
        self,
        path: str | Path,
        form: str | None = None,
        dtype: str | torch.dtype = "float32",
    ) -> Path:
        """Write the word to a safetensors file and return its path.

        `form` is for other programs ("a1111", "kohya", "onetrainer"; see
        FORMS in `tutorial_lib.words`), `dtype` one of float32, float16 and
        bfloat16. The suffix is added if it is missing. An older file of that
        name stays until the new one is complete. Raises WordError for the
        suffix of another format, FileError if the disk is full, and so on.
        """
        tensors = self.tensors
        form = pick_form(form, len(tensors), self.word)
        path = complete_name(path, form)
        write_word_file(
            path,
            form,
            self.placeholder_token,
            tensors,
            self.describe(),
            read_dtype(dtype),
        )
        return path

    def describe(self) -> dict[str, str]:
        """Return how the word was learned, as the file's metadata."""
        return {
            "word": self.word,
            "base_model": str(self.base_model),
            "embedding_width": str(self.width),
            "recipe": str(self.recipe),
            "steps": str(self.steps),
            "initializer": str(self.initializer),
            "num_images": str(self.num_images),
            "library_version": str(self.library_version),
        }

    @classmethod
    def load(
        cls,
        path: str | Path,
        profile: Profile | None = None,
        word: str | None = None,
    ) -> Self:
        """Read a word from a file, ours or another program's.

        That may be safetensors, webui's .pt or a picture of its that carries
        a word (see FORMS); nothing in the file is run. `word` is what to
        call it, if not by its own name. With a `profile` its width must be
        that model's. The suffix .safetensors may be left out. Raises
        WordError for a file that is missing, broken or of another kind.
        """
        path = find_word_file(path)
        if profile is not None:
            profile = read_profile(profile)
        stored = read_word_file(path)
        metadata = stored.metadata
        tensors = check_tensors(stored.tensors, path)
        # Version 0.1 wrote "num_pictures".
        num_images = metadata.get("num_images", metadata.get("num_pictures"))
        learned_word = cls(
            word=check_file_word(stored, path)
            if word is None
            else check_word(word),
            vectors=tensors[0],
            vectors_2=tensors[1] if len(tensors) > 1 else None,
            base_model=metadata.get("base_model", ""),
            recipe=metadata.get("recipe", ""),
            steps=parse_count(metadata.get("steps")),
            initializer=metadata.get("initializer", ""),
            num_images=parse_count(num_images),
            library_version=metadata.get("library_version", ""),
        )
        if profile is not None:
            widths, model = profile.embedding_widths, profile.name
            check_widths(learned_word, widths, model, path)
        return learned_word


Words: TypeAlias = LearnedWord | Sequence[LearnedWord] | None


def read_words(words: Any) -> list[LearnedWord]:
    """Return one or several learned words as a list; None stands for none.

    Raises ArgumentError for anything else.
    """
    if words is None or is_empty(words):
        return []
    if isinstance(words, LearnedWord):
        return [words]
    wanted = "learned words, as in words=[word]"
    if isinstance(words, dict):
        wanted = "their list, as in words=list(words.values())"
    words = read_items(words, "words", wanted)
    for i, word in enumerate(words):
        if not isinstance(word, LearnedWord):
            raise ArgumentError(
                f"`words[{i}]` cannot be {describe(word)}; give what "
                "`learn_word` or `LearnedWord.load` returns."
            )
    return words


def read_profile(profile: Any) -> Profile:
    """Return a Profile, or the one of that name."""
    if isinstance(profile, str):
        return pick_profile(profile)
    if isinstance(profile, Profile):
        return profile
    raise ArgumentError(
        f"`profile` cannot be {describe(profile)}; give models.profile."
    )


def check_file_word(stored: StoredWord, path: Path) -> str:
    """Return what a file calls its word; the file's own name steps in.

    Raises WordError, with the file's name, if no prompt could hold it.
    """
    name = stored.metadata.get("word") or stored.name.strip("<>")
    if not stored.name:
        name = name or path.stem
    try:
        return check_word(name)
    except TutorialError:
        raise WordError(
            f"'{path}' calls its word {describe(name)}, which cannot be "
            "written in a prompt; give it a name, as in "
            f"LearnedWord.load('{path}', word=\"X\")."
        ) from None


def make_placeholder_token(word: str) -> str:
    """Return the placeholder token of a word, lower-case: "X" is "<x>".

    Upper-case letters in added tokens break some programs' handling of
    words with several vectors.
    """
    return "<" + word.strip("<>").lower() + ">"


def check_word(word: str) -> str:
    """Return the word in Unicode's composed form, fit for a prompt.

    Raises WordError if it is empty, has spaces in it, or no letter or
    digit at all.
    """
    if not isinstance(word, str):
        raise WordError(
            f'The new word must be text, such as "X", not {describe(word)}.'
        )
    word = read_text(word, "word", "X")
    word = unicodedata.normalize("NFC", word.strip())
    if not word:
        raise WordError('The new word is empty; give it a name such as "X".')
    if re.search(r"\s", word):
        joined = re.sub(r"\s+", "-", word)
        raise WordError(
            f'The new word "{word}" has spaces in it; write it as one word, '
            f'such as "{joined}".'
        )
    if not re.search(r"[^\W_]", word) or not word.isprintable():
        raise WordError(
            f"The new word {word!r} has no letter or digit in it, or signs "
            'that cannot be seen; give it a name such as "X".'
        )
    if make_placeholder_token(word) in SPECIAL_TOKENS:
        raise WordError(explain_reserved(word))
    return word


def explain_reserved(word: str) -> str:
    """Return the sentence that says that a word's token is taken."""
    return (
        f'The new word "{word}" has the token '
        f"{make_placeholder_token(word)}, which the models use already; give "
        'it a name such as "X".'
    )


def check_widths(
    word: LearnedWord,
    widths: Sequence[int],
    model: str,
    path: Path | None = None,
) -> None:
    """Raise WordError unless a model's text encoders can read the word.

    Each of them wants vectors with as many entries as `widths` says. `model`
    is the model's name, `path` the file that the word comes from.
    """
    name = f"\"{word.word}\" in '{path}'" if path else f'"{word.word}"'
    if len(word.tensors) > len(widths):
        raise WordError(
            f"The word {name} has vectors for two text encoders, as SDXL "
            f'reads them, and "{model}" has one; learn the word again with '
            'this model, or use it with load_models("sdxl").'
        )
    if len(word.tensors) < len(widths):
        raise WordError(
            f"The word {name} has vectors for one text encoder, and "
            f'"{model}" has two; learn the word again with this model, or '
            "use it with the models that it was learned with."
        )
    theirs = tuple(tensor.shape[1] for tensor in word.tensors)
    if theirs == tuple(widths):
        return
    source = f' ("{word.base_model}")' if word.base_model else ""
    raise WordError(
        f"The word {name} was learned with another model{source}: "
        f'its vectors have {join_numbers(theirs)} entries, and "{model}" '
        f"reads {join_numbers(widths)}; load that other model, or learn the "
        "word again with this one."
    )


def join_numbers(numbers: Iterable[int]) -> str:
    """Return numbers as text, "768 and 1280"."""
    return " and ".join(str(number) for number in numbers)
