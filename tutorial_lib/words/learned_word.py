"""A learned word: its vectors, how they were learned, and its file.

The file is safetensors with a single tensor, named after the token, so
that diffusers and other programs read it as well.
"""

import re
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors.torch import save

from tutorial_lib import __version__
from tutorial_lib.errors import WordError
from tutorial_lib.files import write_atomically
from tutorial_lib.words.history import History
from tutorial_lib.words.word_file import (
    check_vectors,
    read_number,
    read_word_file,
)


@dataclass
class LearnedWord:
    """A word that was learned from pictures.

    `word` is what the reader writes in a prompt ("X"), `vectors` its
    embedding, (num_vectors, width) float32. The other fields say how it
    was learned; `history` has one dict for each step of the learning
    (it is not stored in the file). Taught in
    notebooks/02_the_word_x.ipynb.
    """

    word: str
    vectors: torch.Tensor
    base_model: str = ""
    recipe: str = ""
    steps: int = 0
    initializer: str = ""
    num_images: int = 0
    library_version: str = __version__
    history: History = field(default_factory=History, repr=False)

    def __post_init__(self):
        """Raise WordError for a word that no prompt could hold."""
        self.word = check_word(self.word)

    @property
    def placeholder_token(self):
        """The placeholder token that stands for the word: "X" is "<x>"."""
        return make_placeholder_token(self.word)

    @property
    def num_vectors(self):
        """The number of vectors, each of which takes a token's place."""
        return self.vectors.shape[0]

    @property
    def width(self):
        """The number of entries of a vector."""
        return self.vectors.shape[1]

    def rename(self, word):
        """Return the same learned word under another name."""
        return replace(self, word=word)

    def save(self, path):
        """Write the word to `path` as safetensors; returns the Path.

        One float32 tensor (num_vectors, width) under the token's name.
        The file is written whole or not at all: an older one of that
        name stays until the new one is complete.
        """
        path = Path(path).expanduser()
        if path.suffix != ".safetensors":
            path = path.with_name(path.name + ".safetensors")
        vectors = self.vectors.detach().to("cpu", torch.float32)
        tensors = {self.placeholder_token: vectors.clone().contiguous()}
        with write_atomically(path) as unfinished:
            unfinished.write_bytes(save(tensors, metadata=self.describe()))
        return path

    def describe(self):
        """Return how the word was learned, as a dict of strings."""
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
    def load(cls, path, profile=None, word=None):
        """Read a word from a safetensors file, ours or another program's.

        `word` is how to call it, if not by its own name. With a
        `profile` its width must be that model's. Raises WordError, with
        the remedy, for a file that is missing, broken or of another
        kind.
        """
        path = Path(path).expanduser()
        token, vectors, notes = read_word_file(path)
        vectors = check_vectors(vectors, path=path)
        found = cls(
            word=word or notes.get("word") or token.strip("<>"),
            vectors=vectors,
            base_model=notes.get("base_model", ""),
            recipe=notes.get("recipe", ""),
            steps=read_number(notes.get("steps")),
            initializer=notes.get("initializer", ""),
            num_images=read_number(
                # until version 0.1 the key was "num_pictures"
                notes.get("num_images") or notes.get("num_pictures")
            ),
            library_version=notes.get("library_version", ""),
        )
        if profile is not None:
            check_width(found, profile.embedding_width, model=profile.name)
        return found


def make_placeholder_token(word):
    """Return the placeholder token of a word, lower-case: "X" is "<x>".

    Upper-case letters in added tokens break some programs' handling of
    words with several vectors.
    """
    return "<" + word.strip("<>").lower() + ">"


def check_word(word):
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


def check_width(word, width, model):
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
