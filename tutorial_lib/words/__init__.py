"""A learned word: its vectors, its file, its tokens, its place in a prompt."""

from tutorial_lib.words.history import Entry, History
from tutorial_lib.words.initializer import initialize_word
from tutorial_lib.words.learned_word import LearnedWord, check_word
from tutorial_lib.words.placeholder_embedding import (
    PlaceholderEmbedding,
    get_embedding,
    use_words,
)
from tutorial_lib.words.tokens import (
    find_words,
    split_prompt,
    tokenize_prompts,
)

__all__ = [
    "Entry",
    "History",
    "LearnedWord",
    "PlaceholderEmbedding",
    "check_word",
    "find_words",
    "get_embedding",
    "initialize_word",
    "split_prompt",
    "tokenize_prompts",
    "use_words",
]
