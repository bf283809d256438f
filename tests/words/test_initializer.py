"""The vectors that a word starts from."""

import open_clip
import pytest
import torch

from tutorial_lib.errors import TutorialError
from tutorial_lib.words import initialize_word


def test_a_word_starts_as_the_mean_of_its_initializers_rows(models):
    table = models.clip.token_embedding.weight
    tokens = open_clip.SimpleTokenizer().encode("red stars")
    one = initialize_word(models, "X", "red stars", num_vectors=1)
    assert torch.allclose(one.vectors, table[tokens].mean(0))
    three = initialize_word(models, "X", "red stars", num_vectors=3)
    assert torch.equal(three.vectors, table[[*tokens, tokens[0]]])
    assert three.vectors.requires_grad and three.vectors.is_leaf
    again = initialize_word(models, "Y", three, num_vectors=3)
    assert torch.equal(again.vectors, three.vectors)
    assert again.initializer == "red stars"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initializer": "  "}, "initializer is empty; name an ordinary"),
        ({"num_vectors": 0}, "`num_vectors` cannot be 0; give a whole"),
        ({"num_vectors": 23}, "cannot be 23: .* at most 22 vectors here"),
        ({"word": "shirt"}, 'hide it; write it with a capital \\("Shirt"'),
    ],
)
def test_a_start_that_is_none_is_refused(models, settings, message):
    with pytest.raises(TutorialError, match=message):
        initialize_word(
            models,
            **{
                "word": "X",
                "initializer": "pattern",
                "num_vectors": 1,
                **settings,
            },
        )
