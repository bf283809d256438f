"""A learned word: its vectors, its file, its tokens, its place in a prompt."""

from tutorial_lib.words.file_forms import FORMS, FileForm, pick_form
from tutorial_lib.words.history import Entry, History
from tutorial_lib.words.initializer import (
    check_num_vectors,
    initialize_word,
    list_embedding_tables,
)
from tutorial_lib.words.learned_word import (
    LearnedWord,
    Words,
    check_word,
    read_words,
)
from tutorial_lib.words.placeholder_embedding import (
    PlaceholderEmbedding,
    get_embedding,
    use_words,
)
from tutorial_lib.words.token_labels import (
    PADDING_LABEL,
    TokenLabel,
    label_tokens,
)
from tutorial_lib.words.tokens import (
    count_most_vectors,
    find_words,
    split_prompt,
    tokenize_prompts,
)
from tutorial_lib.words.two_encoders import select_encoder
from tutorial_lib.words.word_file import complete_name

__all__ = [
    "FORMS",
    "Entry",
    "FileForm",
    "History",
    "LearnedWord",
    "PADDING_LABEL",
    "PlaceholderEmbedding",
    "TokenLabel",
    "Words",
    "check_num_vectors",
    "check_word",
    "complete_name",
    "count_most_vectors",
    "find_words",
    "get_embedding",
    "initialize_word",
    "label_tokens",
    "list_embedding_tables",
    "pick_form",
    "read_words",
    "select_encoder",
    "split_prompt",
    "tokenize_prompts",
    "use_words",
]
