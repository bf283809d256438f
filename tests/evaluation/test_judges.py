"""The judges: their networks, and their files."""

import pytest
import torch
from PIL import Image

from tutorial_lib.errors import JudgeError
from tutorial_lib.evaluation.judge_networks import (
    AttributeJudge,
    EmbeddingJudge,
    default_widths,
)
from tutorial_lib.evaluation.judges import (
    Judges,
    load_judges,
    save_judges,
    stack_images,
)

LABELS = {
    "object": ["T-shirt", "corgi"],
    "style": ["photo", "anime illustration"],
}


def make_judges(size=64):
    """Make untrained judges, the same each time."""
    torch.manual_seed(0)
    return Judges(
        pattern=EmbeddingJudge(size),
        person=EmbeddingJudge(size, dimensions=32),
        attributes=AttributeJudge(size, LABELS),
    )


@pytest.mark.parametrize("size", [32, 64, 128])
def test_an_embedding_judge_returns_unit_vectors_at_every_size(size):
    judge = EmbeddingJudge(size)
    vectors = judge(torch.randn(3, 3, size, size))
    assert vectors.shape == (3, 64)
    assert torch.allclose(vectors.norm(dim=-1), torch.ones(3), atol=1e-5)


def test_a_judge_has_about_a_million_parameters():
    parameters = EmbeddingJudge(64).parameters()
    assert 4e5 < sum(parameter.numel() for parameter in parameters) < 2e6


def test_a_size_that_is_no_power_of_two_is_refused_with_the_remedy():
    with pytest.raises(JudgeError, match="64, 128"):
        default_widths(100)


def test_saved_judges_come_back_frozen_and_in_fp32(tmp_path):
    judges = make_judges()
    save_judges(judges, tmp_path)
    loaded = load_judges(tmp_path)
    x = torch.randn(4, 3, 64, 64)
    assert torch.allclose(loaded.pattern(x), judges.pattern(x), atol=5e-3)
    assert loaded.attributes.labels == LABELS
    for judge in (loaded.pattern, loaded.person, loaded.attributes):
        assert not judge.training
        for parameter in judge.parameters():
            assert parameter.dtype == torch.float32
            assert not parameter.requires_grad


def test_missing_judges_are_named_with_the_remedy(tmp_path):
    with pytest.raises(JudgeError, match="no judges in .*models"):
        load_judges(tmp_path / "nowhere")


def test_a_damaged_judge_is_named(tmp_path):
    save_judges(make_judges(), tmp_path)
    file = tmp_path / "person.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(JudgeError, match="cannot be read"):
        load_judges(tmp_path)


def test_images_become_a_batch_between_minus_one_and_one():
    images = [Image.new("RGB", (64, 64), name) for name in ("white", "black")]
    batch = stack_images(images, size=32)
    assert batch.shape == (2, 3, 32, 32)
    assert batch[0].min() == 1 and batch[1].max() == -1
