"""A learned word: its name, its vectors, and how they were learned."""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from jaxtyping import Float
from torch import Tensor

from tutorial_lib import __version__
from tutorial_lib.errors import WordError
from tutorial_lib.settings import Profile
from tutorial_lib.words.history import History
from tutorial_lib.words.word_file import (
    check_vectors,
    parse_count,
    read_word_file,
    write_word_file,
)


@dataclass
class LearnedWord:
    """A word that was learned from images.

    `word` is what the reader writes in a prompt ("X"), `vectors` its
    embedding in float32. The other fields say how it was learned; `history`
    is not stored in the file. Taught in notebooks/02_the_word_x.ipynb.
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

    def __post_init__(self) -> None:
        """Raise WordError for a word that no prompt could hold."""
        self.word = check_word(self.word)

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

    def rename(self, word: str) -> Self:
        """Return the same learned word under another name."""
        return replace(self, word=word)

    def save(self, path: str | Path) -> Path:
        """Write the word to a safetensors file and return its path.

        The suffix is added if it is missing. An older file of that name
        stays until the new one is complete.
        """
        path = Path(path).expanduser()
        if path.suffix != ".safetensors":
            path = path.with_name(path.name + ".safetensors")
        write_word_file(
            path, self.placeholder_token, self.vectors, self.describe()
        )
        return path

    def describe(self) -> dict[str, str]:
        """Return how the word was learned, as the file's metadata."""
        return {
            "word": self.word,
            "base_model": self.base_model,
            "embedding_width": str(self.width),
            "recipe": self.recipe,
            "steps": str(self.steps),
            "initializer": self.initializer,
            "num_images": str(self.num_images),
            "library_version": self.library_version,
        }

    @classmethod
    def load(
        cls,
        path: str | Path,
        profile: Profile | None = None,
        word: str | None = None,
    ) -> Self:
        """Read a word from a safetensors file, ours or another program's.

        `word` is what to call it, if not by its own name. With a `profile`
        its width must be that model's. Raises WordError for a file that is
        missing, broken or of another kind.
        """
        path = Path(path).expanduser()
        token, tensor, metadata = read_word_file(path)
        # Version 0.1 wrote "num_pictures".
        num_images = metadata.get("num_images", metadata.get("num_pictures"))
        learned_word = cls(
            word=word or metadata.get("word") or token.strip("<>"),
            vectors=check_vectors(tensor, path),
            base_model=metadata.get("base_model", ""),
            recipe=metadata.get("recipe", ""),
            steps=parse_count(metadata.get("steps")),
            initializer=metadata.get("initializer", ""),
            num_images=parse_count(num_images),
            library_version=metadata.get("library_version", ""),
        )
        if profile is not None:
            check_width(learned_word, profile.embedding_width, profile.name)
        return learned_word


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
            f'The new word must be text, such as "X", not {word!r}.'
        )
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
    return word


def check_width(word: LearnedWord, width: int, model: str) -> None:
    """Raise WordError unless the word's vectors have `width` entries.

    `model` is the name of the model that is to read them.
    """
    if word.width == width:
        return
    source = f' ("{word.base_model}")' if word.base_model else ""
    raise WordError(
        f'The word "{word.word}" was learned with another model{source}: '
        f'its vectors have {word.width} entries, and "{model}" reads '
        f"{width}; load that other model, or learn the word again with "
        "this one."
    )
