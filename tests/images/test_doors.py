"""Every public door that takes images takes the same ones."""

import numpy as np
import pytest
import torch
from image_files import make_image
from PIL import Image

from tutorial_lib import (
    TextualInversionTrainer,
    TrainingConfig,
    evaluation,
    figures,
    generation,
    learn_word,
)
from tutorial_lib.errors import ImageError, TutorialError
from tutorial_lib.figures import image_to_html, make_grid
from tutorial_lib.generation import encode_images
from tutorial_lib.images import Concept, load_concept

RGB = np.asarray(make_image(40, 48))


def list_doors(models):
    """Return what each public door makes of images, by its name."""
    judge = evaluation.AttributeJudge(
        64, labels={"object": ["mug", "corgi"]}
    ).eval()
    embedder = evaluation.EmbeddingJudge(64).eval()
    torch.manual_seed(0)
    gallery = evaluation.Gallery(None, torch.randn(100, 64))
    config = TrainingConfig(recipe="similarity", steps=1)
    return {
        "embed_images": lambda v: generation.embed_images(models, v),
        "measure_similarity": lambda v: generation.measure_similarity(
            models, v, "a mug"
        ),
        "encode_images": lambda v: generation.encode_images(models, v),
        "encode_distributions": lambda v: generation.encode_distributions(
            models, v, progress=False
        )[0],
        "learn_word": lambda v: (
            learn_word(
                models, v, recipe="both", steps=1, progress=False
            ).vectors
        ),
        "trainer": lambda v: (
            TextualInversionTrainer(models, v, config, progress=False)
            .fit()
            .vectors
        ),
        "identity": lambda v: evaluation.identity(embedder, v, gallery),
        "rank_truth": lambda v: evaluation.rank_truth(embedder, v, gallery),
        "prompt_score": lambda v: evaluation.prompt_score(
            judge, v, {"object": "mug"}
        ),
        "read_attributes": lambda v: evaluation.read_attributes(judge, v),
        "make_grid": lambda v: figures.make_grid(v).tobytes(),
    }


DOORS = list(list_doors(None))


@pytest.mark.parametrize("door", DOORS)
def test_each_door_takes_what_is_plainly_meant(models, tmp_path, door):
    use = list_doors(models)[door]
    image = make_image(64, 64)
    path = tmp_path / "a.png"
    image.save(path)
    pixels = np.asarray(image)
    expected = use([image])
    for value in (
        image,
        (image,),
        iter([image]),
        path,
        [str(path)],
        pixels,
        [pixels / 255],
        torch.tensor(pixels).permute(2, 0, 1),
        Concept(name="x", images=[image]),
    ):
        result = use(value)
        same = (
            torch.equal(result, expected)
            if isinstance(expected, torch.Tensor)
            else result == expected
        )
        assert same, value


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("value", [None, 3, [None], ["no such"], {}, [[]]])
def test_each_door_refuses_what_is_no_image(models, door, value):
    use = list_doors(models)[door]
    with pytest.raises(TutorialError):
        use(value)


@pytest.mark.parametrize("door", DOORS)
def test_no_images_are_refused_or_have_no_scores(models, door):
    use = list_doors(models)[door]
    if door in ("identity", "rank_truth", "prompt_score", "read_attributes"):
        assert use([]) == [] and use(iter([])) == []
    else:
        with pytest.raises(TutorialError):
            use([])


def test_a_word_is_learned_from_a_concepts_name(models):
    options = {"recipe": "similarity", "steps": 1, "progress": False}
    word = learn_word(models, "face ", **options)
    same = learn_word(models, load_concept("face"), **options)
    assert torch.equal(word.vectors, same.vectors)
    assert word.initializer == "man or woman" and word.num_images == 6


def test_a_photo_that_is_not_square_is_cropped_for_the_vae_too(
    models, tmp_path
):
    make_image(96, 64).save(tmp_path / "wide.png")
    concept = load_concept(tmp_path, size=64)
    by_hand = Image.open(tmp_path / "wide.png")
    assert torch.equal(
        encode_images(models, by_hand), encode_images(models, concept)
    )


@pytest.mark.parametrize("mode", ["CMYK", "RGBA", "I;16", "HSV", "1"])
def test_a_picture_of_any_mode_is_shown(mode):
    image = Image.new(mode, (40, 40), 255 if mode == "1" else None)
    if mode == "RGBA":
        image.putpixel((3, 3), (0, 0, 0, 255))
        assert make_grid(image).getpixel((100, 100)) == (255, 255, 255)
    assert "data:image/png" in image_to_html(image, alt="a picture")
    assert "data:image/png" in image_to_html(np.asarray(RGB), alt="an array")


@pytest.mark.parametrize("side", [0, "64", None, 2.5, -3, 10**7])
def test_the_size_of_a_grid_is_named(side):
    with pytest.raises(ImageError, match="side=.* cannot be; give a whole"):
        make_grid([RGB], side=side)
    if side is not None:
        with pytest.raises(ImageError, match="columns=.* cannot be"):
            make_grid([RGB], columns=side)
