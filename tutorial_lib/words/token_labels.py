"""What the tokens of a prompt are called: for those who look at each."""

import itertools
from dataclasses import dataclass

from transformers import CLIPTokenizer

from tutorial_lib.words.learned_word import LearnedWord, Words, read_words
from tutorial_lib.words.tokens import (
    get_context_length,
    split_prompt,
    tokenize_text,
)

END_OF_WORD = "</w>"  # CLIP's tokenizer marks the last token of a word


@dataclass(frozen=True)
class TokenLabel:
    """A token as it is shown, and the word of the prompt that it is part of.

    "corgie" is the tokens "cor" and "gie", both of the word "corgie". The
    vectors of a learned word are its tokens: "X", or "X 1" and "X 2".
    """

    token: str
    word: str


START_LABEL = TokenLabel("<start>", "<start>")
END_LABEL = TokenLabel("<end>", "<end>")
PADDING_LABEL = TokenLabel("<padding>", "<padding>")


def label_tokens(
    tokenizer: CLIPTokenizer, prompt: str, words: Words = ()
) -> list[TokenLabel]:
    """Return the label of each token of a prompt, from start to end.

    The places are those of `tokenize_prompts` with the same words; the
    padding behind the end has no label. CLIP reads small letters only.
    """
    words = read_words(words)
    by_name = {word.word: word for word in words}
    labels: list[TokenLabel] = []
    for i, piece in enumerate(split_prompt(prompt, words)):
        if i % 2:  # every second piece is a learned word
            labels += label_learned_word(by_name[piece])
        else:
            labels += label_ordinary_words(tokenizer, piece)
    labels = labels[: get_context_length(tokenizer) - 2]
    return [START_LABEL, *labels, END_LABEL]


def label_learned_word(word: LearnedWord) -> list[TokenLabel]:
    """Return a label for each vector of a learned word."""
    if word.num_vectors == 1:
        return [TokenLabel(word.word, word.word)]
    return [
        TokenLabel(f"{word.word} {i + 1}", word.word)
        for i in range(word.num_vectors)
    ]


def label_ordinary_words(
    tokenizer: CLIPTokenizer, text: str
) -> list[TokenLabel]:
    """Return a label for each token of a text without learned words."""
    token_ids = tokenize_text(tokenizer, text)
    marked = tokenizer.convert_ids_to_tokens(token_ids)
    shown = [tokenizer.decode([token_id]).strip() for token_id in token_ids]
    ends = [token.endswith(END_OF_WORD) for token in marked]
    # The number of the word that each token is part of.
    numbers = [sum(ends[:i]) for i in range(len(ends))]
    parts = list(zip(numbers, token_ids, shown, strict=True))
    names = {
        number: tokenizer.decode([part[1] for part in group]).strip()
        for number, group in itertools.groupby(parts, key=lambda p: p[0])
    }
    return [TokenLabel(token, names[number]) for number, _, token in parts]
