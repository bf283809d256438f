"""Fidelity is measured by networks that X was not learned with.

They are tiny and random here, of the true classes; the arithmetic around
them is what is tested.
"""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from mini_encoders import save_mini_encoders
from safetensors.torch import load_file
from torch.nn import functional
from transformers import CLIPModel, Dinov2Model, ViTModel

from tutorial_lib.errors import ArgumentError, FetchError, TutorialError
from tutorial_lib.evaluation import (
    FidelityEncoders,
    compare_with_each_other,
    compare_with_real,
    embed_texts_with_encoder,
    embed_with_encoder,
    estimate_mean,
    image_encoders,
    load_encoder,
    load_fidelity_encoders,
    load_judges,
    measure_fidelity,
)
from tutorial_lib.evaluation.fidelity import (
    load_usual_encoders,
    measure_generated,
    measure_photos,
)
from tutorial_lib.evaluation.judges import embed_with_judge
from tutorial_lib.images import Concept


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with the tiny encoders."""
    folder = tmp_path_factory.mktemp("encoders")
    save_mini_encoders(folder)
    return folder


@pytest.fixture
def offline(folder, monkeypatch):
    """Let the encoders come from that folder."""
    monkeypatch.setattr(image_encoders, "ENCODERS_FOLDER", str(folder))


@pytest.fixture
def encoders(offline):
    """Return the tiny encoders."""
    return load_fidelity_encoders(device="cpu")


# --- loading


@pytest.mark.parametrize(
    ("name", "kind"),
    [("dino", ViTModel), ("dinov2", Dinov2Model), ("clip", CLIPModel)],
)
def test_an_encoder_is_loaded_from_a_folder(offline, name, kind):
    encoder = load_encoder(name, device="cpu")
    assert isinstance(encoder.model, kind) and not encoder.model.training
    assert not any(p.requires_grad for p in encoder.model.parameters())
    assert (encoder.tokenizer is not None) == (name == "clip")


def test_the_weights_are_those_of_the_file(offline, folder):
    loaded = load_encoder("dino", device="cpu").model.state_dict()
    saved = ViTModel.from_pretrained(folder / "dino").state_dict()
    assert all(torch.equal(saved[name], loaded[name]) for name in saved)


@pytest.mark.parametrize("name", ["dino", "clip"])
def test_the_hubs_old_files_are_read_as_well(
    folder, monkeypatch, tmp_path, images, name
):
    # These two are in the hub as they were written years ago: the weights
    # pickled, sizes as plain numbers, the class under its former name.
    shutil.copytree(folder / name, tmp_path / name)
    monkeypatch.setattr(image_encoders, "ENCODERS_FOLDER", str(folder))
    expected = embed_with_encoder(load_encoder(name, "cpu"), images)
    old = tmp_path / name
    weights = load_file(old / "model.safetensors")
    torch.save(weights, old / "pytorch_model.bin")
    (old / "model.safetensors").unlink()
    config = json.loads((old / "preprocessor_config.json").read_text())
    former = {"dino": "ViTFeatureExtractor", "clip": "CLIPFeatureExtractor"}
    del config["image_processor_type"]
    config["feature_extractor_type"] = former[name]
    config["size"] = 32
    if name == "clip":
        config["crop_size"] = 32
    (old / "preprocessor_config.json").write_text(json.dumps(config))
    monkeypatch.setattr(image_encoders, "ENCODERS_FOLDER", str(tmp_path))
    rows = embed_with_encoder(load_encoder(name, "cpu"), images)
    assert torch.allclose(rows, expected, atol=1e-5)


def test_every_revision_is_a_commit():
    for source in image_encoders.SOURCES.values():
        assert re.fullmatch("[0-9a-f]{40}", source.revision)


def test_an_encoder_that_there_is_none_of_is_refused():
    with pytest.raises(ArgumentError, match='"dino", "dinov2", "clip"'):
        load_encoder("siglip")


def test_a_folder_without_the_encoder_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(image_encoders, "ENCODERS_FOLDER", str(tmp_path))
    with pytest.raises(FetchError) as error:
        load_encoder("dino", device="cpu")
    message = str(error.value)
    assert f"'dino' in TUTORIAL_ENCODERS={tmp_path}" in message
    assert message.endswith("or unset TUTORIAL_ENCODERS to use the hub.")


def test_without_a_hub_the_error_says_what_to_do(monkeypatch, tmp_path):
    import huggingface_hub.constants as hub

    monkeypatch.setattr(image_encoders, "ENCODERS_FOLDER", None)
    monkeypatch.setattr(hub, "HF_HUB_OFFLINE", True)
    monkeypatch.setitem(
        image_encoders.SOURCES,
        "dino",
        image_encoders.EncoderSource(
            name="dino",
            label="DINO",
            repository="nobody/has-this",
            revision="0" * 40,
            megabytes=87,
            license="Apache-2.0",
        ),
    )
    with pytest.raises(FetchError, match="cannot be loaded from the hub") as e:
        load_encoder("dino", device="cpu")
    message = str(e.value)
    assert "DINO (nobody/has-this, 87 MB, Apache-2.0)" in message
    assert message.endswith("of a folder that TUTORIAL_ENCODERS names.")
    assert "\n" not in message and len(message) < 600


# --- embedding


def test_dino_is_read_at_the_class_token(offline, images):
    for name in ("dino", "dinov2"):
        encoder = load_encoder(name, device="cpu")
        inputs = encoder.processor(images=images, return_tensors="pt")
        with torch.no_grad():
            output = encoder.model(**inputs).last_hidden_state
        expected = functional.normalize(output[:, 0], dim=-1)
        rows = embed_with_encoder(encoder, images)
        assert torch.allclose(rows, expected, atol=1e-5)


def test_clip_is_read_where_it_compares_images_with_texts(offline, images):
    encoder = load_encoder("clip", device="cpu")
    texts = ["a dog", "a small brown dog in the jungle"]
    inputs = encoder.processor(images=images, return_tensors="pt")
    tokens = encoder.tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        output = encoder.model(**inputs, **tokens)
    by_image = embed_with_encoder(encoder, images)
    by_text = embed_texts_with_encoder(encoder, texts)
    assert torch.allclose(by_image, output.image_embeds, atol=1e-5)
    assert torch.allclose(by_text, output.text_embeds, atol=1e-5)


def test_many_images_are_embedded_as_one_by_one(offline, images, monkeypatch):
    encoder = load_encoder("dino", device="cpu")
    together = embed_with_encoder(encoder, images)
    monkeypatch.setattr(image_encoders, "BATCH_SIZE", 3)
    assert torch.allclose(embed_with_encoder(encoder, images), together)
    assert torch.allclose(together.norm(dim=1), torch.ones(len(images)))


def test_a_text_longer_than_clip_reads_is_cut_off(offline):
    encoder = load_encoder("clip", device="cpu")
    assert embed_texts_with_encoder(encoder, ["dog " * 200]).shape == (1, 16)


def test_the_encoders_may_be_others(offline, images):
    dinov2 = load_fidelity_encoders("dinov2", device="cpu")
    assert isinstance(dinov2, FidelityEncoders)
    assert dinov2.dino.source.label == "DINOv2 ViT-S/14"
    rows = embed_with_encoder(dinov2.dino, images)
    assert rows.shape == (4, 24)


# --- the measures


def test_the_mean_is_over_all_pairs():
    real = functional.normalize(torch.randn(3, 5), dim=1)
    generated = functional.normalize(torch.randn(4, 5), dim=1)
    pairs = [[float(g @ r) for r in real] for g in generated]
    means = compare_with_real(generated, real)
    assert means == pytest.approx(np.mean(pairs, axis=1))
    assert np.mean(means) == pytest.approx(np.mean(pairs))


def test_a_photo_is_not_compared_with_itself():
    photos = torch.eye(3)
    assert compare_with_each_other(photos) == pytest.approx([0, 0, 0])
    photos = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    assert compare_with_each_other(photos) == pytest.approx([0.5, 0.5, 0])
    with pytest.raises(TutorialError, match="give two or more"):
        compare_with_each_other(photos[:1])


def test_copies_of_one_photo_are_like_it_and_nothing_is_more(encoders, images):
    copies = measure_generated(encoders, images[:1] * 2, images[:1], ["a"] * 2)
    assert copies["DINO"] == pytest.approx([1, 1], abs=1e-5)
    others = measure_generated(encoders, images[1:3], images[:1], ["a"] * 2)
    assert max(others["DINO"]) < 1 and max(others["CLIP-I"]) < 1


def test_clip_t_compares_each_picture_with_its_own_text(encoders, images):
    texts = ["red", "green", "blue", "yellow"]
    row = measure_generated(encoders, images, images, texts)["CLIP-T"]
    for image, text, cosine in zip(images, texts, row, strict=True):
        alone = embed_with_encoder(encoders.clip, [image])
        asked = embed_texts_with_encoder(encoders.clip, [text])
        assert cosine == pytest.approx(float(alone @ asked.T), abs=1e-5)


# --- intervals


def test_the_interval_of_a_mean_holds_it_and_knows_its_clusters():
    rng = np.random.default_rng(0)
    centres = rng.normal(0.5, 0.1, 8).repeat(6)
    cosines = centres + rng.normal(0, 0.02, 48)
    prompts = np.arange(8).repeat(6)
    mean, wide = estimate_mean(cosines), estimate_mean(cosines, prompts)
    assert wide["low"] < mean["low"] < mean["value"] < mean["high"]
    assert mean["value"] == wide["value"] == pytest.approx(cosines.mean())
    assert wide["high"] - wide["low"] > 1.5 * (mean["high"] - mean["low"])


def test_one_cosine_says_nothing_of_others():
    assert estimate_mean([0.4]) == {"value": 0.4, "low": -1, "high": 1}
    with pytest.raises(TutorialError, match="no pictures"):
        estimate_mean([])


# --- the rows


PROMPTS = ["a {} in the jungle", "a red {}"]


@pytest.fixture
def fidelity(models, encoders, images, make_word):
    """Measure a word of the miniature's."""
    return measure_fidelity(
        models,
        Concept("mug", images, kind="object", initializer="mug"),
        make_word(),
        PROMPTS,
        description="small blue mug",
        encoders=encoders,
        count=2,
    )


def test_every_row_has_its_pictures_and_measures(fidelity):
    assert list(fidelity.rows) == ["real", "x", "description", "initializer"]
    for name, row in fidelity.rows.items():
        measures = {"DINO", "CLIP-I"}
        if name != "real":
            measures.add("CLIP-T")
            assert row.prompts == [PROMPTS[0]] * 2 + [PROMPTS[1]] * 2
        assert set(row.cosines) == measures and len(row.images) == 4
        for measure in measures:
            assert len(row.cosines[measure]) == 4
            share = fidelity.rate(measure, name)
            assert share["low"] <= share["value"] <= share["high"]
    assert fidelity.rate("CLIP-T", "real") is None
    assert fidelity.rows["initializer"].text == "mug"


def test_the_rows_are_made_from_the_same_noise_with_other_words(
    fidelity, models, make_word
):
    from tutorial_lib.generation import generate

    again = generate(
        models, "a red X", words=[make_word()], count=2, progress=False
    )
    assert fidelity.rows["x"].images[2:] == again
    plain = generate(models, "a red mug", count=2, progress=False)
    assert fidelity.rows["initializer"].images[2:] == plain


def test_the_real_row_is_each_photo_against_the_others(
    fidelity, encoders, images
):
    row = measure_photos(encoders, images)
    assert fidelity.rows["real"].cosines == row.cosines
    rows = embed_with_encoder(encoders.dino, images)
    by_hand = [
        np.mean([float(rows[i] @ rows[k]) for k in range(4) if k != i])
        for i in range(4)
    ]
    assert row.cosines["DINO"] == pytest.approx(by_hand, abs=1e-5)


def test_a_lead_is_paired(fidelity):
    for row in ("description", "initializer"):
        lead = fidelity.lead("DINO", row)
        means = [np.mean(fidelity.rows[r].cosines["DINO"]) for r in ("x", row)]
        assert lead["value"] == pytest.approx(means[0] - means[1])
    for row in ("real", "x"):
        with pytest.raises(TutorialError, match="cannot be paired with X"):
            fidelity.lead("DINO", row)
    with pytest.raises(TutorialError, match="There is no row 'named'"):
        fidelity.rate("DINO", "named")


def test_without_a_description_or_a_second_photo_those_rows_are_left_out(
    models, encoders, images, make_word
):
    fidelity = measure_fidelity(
        models, images[:1], make_word(), "{} here", encoders=encoders, count=1
    )
    assert list(fidelity.rows) == ["x", "initializer"]
    assert fidelity.rows["initializer"].text == "pattern"


def test_the_kinds_prompts_are_the_usual_ones(
    models, encoders, images, make_word
):
    concept = Concept("me", images, kind="person")
    fidelity = measure_fidelity(
        models, concept, make_word(), encoders=encoders, count=1
    )
    assert fidelity.rows["x"].prompts == [
        "A photo of {}",
        "An anime illustration of {}",
    ]


@pytest.mark.parametrize("prompts", ["a dog", [], 3, ["a {}", "a"], "{}s"])
def test_a_prompt_without_a_gap_is_refused(
    models, encoders, images, make_word, prompts
):
    with pytest.raises(TutorialError):
        measure_fidelity(models, images, make_word(), prompts, count=1)


# --- the judge in the place of DINO and CLIP


@pytest.mark.parametrize("kind", ["pattern", "person"])
def test_what_the_tiny_models_draw_is_measured_by_the_judge_of_its_kind(
    models, images, make_word, kind
):
    concept = Concept("drawn", images[:3], kind=kind)
    fidelity = measure_fidelity(models, concept, make_word(), count=1)
    judge = load_judges().of_kind(kind)
    assert list(fidelity.encoders) == ["judge"]
    given = embed_with_judge(judge, concept.images)
    rows = fidelity.rows
    shown = embed_with_judge(judge, rows["x"].images)
    expected = (shown @ given.T).mean(dim=1).tolist()
    assert rows["x"].cosines == {"judge": pytest.approx(expected, abs=1e-5)}
    others = [float(given[0] @ given[k]) for k in (1, 2)]
    real = rows["real"].cosines["judge"]
    assert real[0] == pytest.approx(np.mean(others), abs=1e-5)
    assert fidelity.rate("CLIP-T", "x") is None
    lead = fidelity.lead("judge", "initializer")
    assert lead["low"] <= lead["value"] <= lead["high"]


def test_photos_of_objects_and_other_models_pictures_need_dino(
    models, offline
):
    real = replace(models.profile, name="real", knows_drawn_world=False)
    for others, kind in [
        (models, "object"),
        (replace(models, profile=real), "pattern"),
    ]:
        encoders = load_usual_encoders(others, kind)
        assert isinstance(encoders, FidelityEncoders)
        assert encoders.dino.source.name == "dino"
