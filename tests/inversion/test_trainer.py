"""Learning a word: what moves, what stays, when it stops, how it resumes."""

import copy

import pytest
import torch
from mini_models import learn
from tqdm.notebook import tqdm as notebook_bar
from tqdm.std import tqdm as plain_bar

from tutorial_lib.errors import WordError
from tutorial_lib.images import Concept
from tutorial_lib.inversion import (
    MAX_NORM,
    DenoisingLoss,
    SimilarityLoss,
    should_stop_early,
    trainer,
)
from tutorial_lib.models import load_models

BOTH = ["similarity", "denoising"]


def copy_states(models):
    """Return copies of all weights of all models."""
    pipeline = models.pipeline
    parts = [models.clip, pipeline.text_encoder, pipeline.vae, pipeline.unet]
    return [copy.deepcopy(part.state_dict()) for part in parts]


@pytest.mark.parametrize("make_bar", [notebook_bar, plain_bar])
def test_a_bar_that_stops_early_is_full(make_bar):
    with make_bar(total=88, initial=10) as bar:
        bar.update(60)
        trainer.fill_bar(bar)
    assert bar.total == bar.n == 70
    if make_bar is notebook_bar:
        widget = bar.container.children[1]
        assert widget.max == widget.value == 70


@pytest.mark.parametrize("make_bar", [notebook_bar, plain_bar])
def test_a_bar_that_is_switched_off_needs_no_filling(make_bar):
    with make_bar(total=88, disable=True) as bar:
        trainer.fill_bar(bar)


# --- what moves and what stays


@pytest.mark.parametrize("recipe", [*BOTH, "both"])
@pytest.mark.parametrize("num_vectors", [1, 2])
def test_the_word_moves_and_every_other_row_and_weight_stays(
    models, images, recipe, num_vectors
):
    before = copy_states(models)
    word = learn(
        models, images, recipe=recipe, num_vectors=num_vectors, steps=5
    )
    after = copy_states(models)
    for old, new in zip(before, after, strict=True):
        assert old.keys() == new.keys()
        for name in old:
            assert torch.equal(old[name], new[name]), name
    assert len(before[0]["token_embedding.weight"]) == 49408
    start = word.history[0]["vectors"]
    assert word.vectors.shape == (num_vectors, models.profile.embedding_width)
    moved = (word.vectors - start).norm(dim=1)
    assert moved.min() > 0.05  # each of its vectors moved


def test_the_tests_above_would_see_a_single_moved_row(models):
    before = copy_states(models)[0]["token_embedding.weight"]
    table = models.clip.token_embedding.weight
    old = table[343, 0].item()
    with torch.no_grad():
        table[343, 0] += 1e-6
        after = copy_states(models)[0]["token_embedding.weight"]
        table[343, 0] = old
    assert not torch.equal(before, after)


@pytest.mark.parametrize("recipe", BOTH)
def test_only_the_vectors_have_a_gradient_and_an_optimizer(
    models, images, recipe, monkeypatch
):
    seen = []

    class Watched(torch.optim.Adam):
        def __init__(self, params, **options):
            super().__init__(params, **options)
            seen.append(self)

    monkeypatch.setattr(torch.optim, "Adam", Watched)
    word = learn(models, images, recipe=recipe, steps=3)
    held = seen[0].param_groups[0]
    assert len(held["params"]) == 1 and held["weight_decay"] == 0
    assert held["params"][0].shape == word.vectors.shape
    assert held["params"][0].dtype == torch.float32
    state = seen[0].state[held["params"][0]]
    numbers = sum(value.numel() for value in state.values())
    assert numbers <= 2 * word.vectors.numel() + 1  # kilobytes
    pipeline = models.pipeline
    for part in (models.clip, pipeline.text_encoder, pipeline.unet):
        for parameter in part.parameters():
            assert not parameter.requires_grad and parameter.grad is None


def test_the_word_says_how_it_was_learned(models, images):
    concept = Concept(name="me", images=images, kind="person")
    word = learn(models, concept, recipe="both", steps=4, word="Köln")
    assert (word.word, word.recipe, word.num_images) == ("Köln", "both", 4)
    assert word.base_model == "miniature"
    assert word.initializer == "man or woman"
    assert word.steps == word.history[-1]["step"]
    assert not word.vectors.requires_grad
    assert word.vectors.dtype == torch.float32


def test_the_history_has_each_step_and_ends_with_the_word(models, images):
    heard = []
    word = learn(
        models, images, recipe="denoising", steps=12, callbacks=[heard.append]
    )
    assert heard == word.history[: len(heard)]
    assert [entry["step"] for entry in heard] == list(range(13))
    measured = [e["step"] for e in heard if e["evaluation"] is not None]
    assert measured == [0, 10, 12]
    kept = [e["step"] for e in heard if e["vectors"] is not None]
    assert kept == [0, 1, 2, 3, 5, 10, 12]
    assert heard[0]["loss"] is None and heard[5]["loss"] > 0
    assert heard[1]["lr"] > heard[11]["lr"] > heard[12]["lr"] > 0
    assert torch.equal(word.history[-1]["vectors"], word.vectors)
    for key in ("similarity", "norm", "seconds"):
        assert heard[-1][key] is not None


# --- the two phases


def test_the_similarity_grows(models, images):
    word = learn(models, images, recipe="similarity", steps=30)
    _, similarity = word.history.curve("similarity")
    assert similarity == sorted(similarity)
    assert similarity[-1] > similarity[0] + 0.1
    assert word.vectors.norm() < 3  # and the norm is not blown up


def test_a_warm_start_goes_on_where_the_similarity_ended(models, images):
    word = learn(models, images, recipe="both", steps=4)
    names = [entry["recipe"] for entry in word.history]
    turn = names.index("denoising")
    assert set(names[:turn]) == {"similarity"}
    assert torch.equal(
        word.history[turn]["vectors"], word.history[turn - 1]["vectors"]
    )
    alone = learn(models, images, recipe="denoising", steps=4)
    assert not torch.equal(word.vectors, alone.vectors)


# --- stopping


@pytest.mark.parametrize(
    ("evaluations", "stops"),
    [
        ([], False),
        ([1.0] * 4, False),  # too early to say
        ([1.0] * 5, True),
        ([1.0, 0.8, 0.6, 0.4, 0.2, 0.1], False),
        ([1.0, 0.5, 0.501, 0.499, 0.5, 0.498], True),
        ([1.0, 0.5, 0.6, 0.7, 0.6, 0.7], True),
        ([1.0, 1.1, 1.2, 1.1, 1.05, 0.9], False),  # late, but it falls
    ],
)
def test_it_stops_when_the_measure_no_longer_falls(evaluations, stops):
    assert should_stop_early(evaluations) == stops


def test_learning_stops_by_itself(models, images, monkeypatch):
    word = learn(models, images, recipe="similarity", steps=3000)
    assert 50 <= word.steps < 2000
    monkeypatch.setattr(DenoisingLoss, "evaluate", lambda loss: 1.0)
    quiet = learn(models, images, recipe="denoising", steps=100)
    assert quiet.steps == 40  # nothing was gained


def test_the_best_vectors_are_kept(models, images, monkeypatch):
    values = iter([3.0, 1.0, 2.0, 2.5])
    monkeypatch.setattr(DenoisingLoss, "evaluate", lambda loss: next(values))
    word = learn(models, images, recipe="denoising", steps=30)
    best = [e for e in word.history if e["step"] == 10][0]
    assert torch.equal(word.vectors, best["vectors"])
    assert word.history[-1]["evaluation"] == 1.0


def test_a_norm_that_runs_away_is_kept_in_check(models, images):
    word = learn(models, images, recipe="similarity", steps=8, lr=50.0)
    table = models.clip.token_embedding.weight
    usual = table.norm(dim=1).median()
    assert word.vectors.norm() == pytest.approx(
        MAX_NORM * usual.item(), rel=1e-3
    )


def test_a_loss_that_is_no_number_is_said_with_the_remedy(
    models, images, monkeypatch, tmp_path
):
    monkeypatch.setattr(
        SimilarityLoss,
        "compute",
        lambda loss, generator: loss.measure_similarity() * float("nan"),
    )
    with pytest.raises(WordError, match="with a lower lr, say 0.005"):
        learn(models, images, recipe="similarity", steps=3)


# --- settings


def test_the_same_seed_gives_the_same_word_and_another_another(models, images):
    one, same, other = (
        learn(models, images, recipe="denoising", steps=3, seed=seed)
        for seed in (1, 1, 2)
    )
    assert torch.equal(one.vectors, same.vectors)
    assert not torch.equal(one.vectors, other.vectors)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"word": ""}, "the new word is empty"),
        ({"word": "my shirt"}, 'write it as one word, such as "my-shirt"'),
        ({"word": "cat"}, 'hide it; write it with a capital \\("Cat"\\)'),
        ({"recipe": "magic"}, '"magic" is unknown; say one of "similarity"'),
        ({"kind": "dog"}, '"dog" is unknown; say one of "pattern"'),
        ({"templates": ["a photo"]}, "has no gap for the word; write {}"),
        ({"num_vectors": 22}, "at most 10 vectors here"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(
    models, images, settings, message
):
    with pytest.raises(WordError, match=f"(?i){message}"):
        learn(models, images, **settings)


def test_learning_from_no_pictures_is_refused(models):
    with pytest.raises(WordError, match="no pictures to learn from"):
        learn(models, [])


def test_pictures_of_any_size_will_do(models, images):
    sizes = [(32, 32), (512, 512), (100, 100), (33, 33)]
    mixed = [p.resize(s) for p, s in zip(images, sizes, strict=True)]
    assert learn(models, mixed, steps=2).steps > 2


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_models_learn_in_float32(mini_profile, images, dtype):
    """As on a GPU: the frozen parts in half, the word and Adam in whole."""
    models = load_models(mini_profile, device="cpu")
    models.pipeline.to(dtype)
    word = learn(models, images, recipe="denoising", steps=4, autocast=True)
    assert word.vectors.dtype == torch.float32
    assert torch.isfinite(word.vectors).all()
    assert not torch.equal(word.vectors, word.history[0]["vectors"])
