"""Each run's checkpoint has a file of its own."""

from dataclasses import replace

import pytest
from mini_models import learn

from tutorial_lib.errors import TutorialError, WordError
from tutorial_lib.images import Concept
from tutorial_lib.inversion import name_checkpoint


def test_the_same_run_has_the_same_path_and_goes_on(models, images, tmp_path):
    concept = Concept(name="mug", images=images)
    settings = {"recipe": "similarity", "steps": 12}
    path = name_checkpoint(tmp_path, models, concept, **settings)
    assert path.parent == tmp_path
    assert path.name.startswith("mug ") and path.suffix == ".checkpoint"
    word = learn(models, concept, checkpoint=path, **settings)
    assert path == name_checkpoint(tmp_path, models, concept, **settings)
    again = learn(models, concept, checkpoint=path, **settings)
    assert again.vectors.equal(word.vectors)
    assert again.history[-1]["seconds"] == word.history[-1]["seconds"]


def test_other_images_kinds_names_and_settings_have_other_paths(
    models, images, tmp_path
):
    concept = Concept(name="mug", images=images)
    paths = {
        name_checkpoint(tmp_path, models, changed, **settings)
        for changed, settings in (
            (concept, {}),
            (concept, {"recipe": "similarity"}),
            (concept, {"num_vectors": 2}),
            (concept, {"word": "Y"}),
            (concept, {"seed": 1}),
            (replace(concept, images=images[:1]), {}),
            (replace(concept, kind="person"), {}),
            (replace(concept, name="my mug"), {}),
        )
    }
    assert len(paths) == 8


def test_a_setting_that_there_is_none_of_is_refused(models, images, tmp_path):
    with pytest.raises(WordError, match='no setting "colour"'):
        name_checkpoint(tmp_path, models, images, colour="red")


def test_images_are_taken_as_learn_word_takes_them(models, images, tmp_path):
    (tmp_path / "mug").mkdir()
    for i, image in enumerate(images):
        image.save(tmp_path / "mug" / f"{i}.png")
    path = name_checkpoint(str(tmp_path), models, str(tmp_path / "mug"))
    assert path.parent == tmp_path and path.name.startswith("mug ")
    paths = sorted((tmp_path / "mug").iterdir())
    assert name_checkpoint(tmp_path, models, paths).name.startswith("pict")


def test_a_name_that_no_file_could_have_becomes_one(models, images, tmp_path):
    concept = Concept(name='../a: "b"?', images=images)
    path = name_checkpoint(tmp_path, models, concept)
    assert path.parent == tmp_path and path.name.startswith(".._a_ _b__ ")


@pytest.mark.parametrize(
    "changed",
    [{"folder": None}, {"concept": 5}, {"config": 5}, {"models": "tiny"}],
)
def test_what_no_run_could_have_is_refused(models, images, changed):
    given = {"folder": "out", "models": models, "concept": images, **changed}
    with pytest.raises(TutorialError):
        name_checkpoint(**given)
