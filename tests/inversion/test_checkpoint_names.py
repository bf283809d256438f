"""Each run's checkpoint has a file of its own."""

from dataclasses import replace

import pytest
from mini_models import learn

from tutorial_lib.errors import WordError
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
