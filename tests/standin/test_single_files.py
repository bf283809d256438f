"""A whole model in one file is what the folder with its parts is.

The files are stand-ins: the names and edges of real ones, few layers. The
sizes that real ones are read with are counted.
"""

import json
from dataclasses import replace
from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from single_files import save_single_file
from standins import make_standin
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
)

from tutorial_lib import generate
from tutorial_lib.errors import DataError
from tutorial_lib.generation import encode_prompts, make_noise, predict_noise
from tutorial_lib.models import load_models
from tutorial_lib.pipelines import list_networks
from tutorial_lib.settings import DATA, PROFILES
from tutorial_lib.single_files import FileHeader, read_prediction_type

FAMILIES = ["sd15", "sd2", "sdxl"]
UNET = "model.diffusion_model."
KEY = f"{UNET}output_blocks.3.1.transformer_blocks.0.attn2.to_k.weight"
VELOCITY = {"modelspec.prediction_type": "v"}
# Counted in the real models.
NUM_WEIGHTS = {
    ("sd15", "unet"): 859_520_964,
    ("sd15", "vae"): 83_653_863,
    ("sd15", "text_encoder"): 123_060_480,
    ("sd2", "unet"): 865_910_724,
    ("sd2", "vae"): 83_653_863,
    ("sd2", "text_encoder"): 340_387_840,
    ("sdxl", "unet"): 2_567_463_684,
    ("sdxl", "vae"): 83_653_863,
    ("sdxl", "text_encoder"): 123_060_480,
    ("sdxl", "text_encoder_2"): 694_659_840,
}


# --- the real sizes


@pytest.mark.parametrize(("name", "part"), NUM_WEIGHTS)
def test_a_single_file_is_read_with_the_real_sizes(name, part):
    path = DATA / name / part / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    with torch.device("meta"):
        if part == "unet":
            network = UNet2DConditionModel.from_config(config)
        elif part == "vae":
            network = AutoencoderKL.from_config(config)
        elif part == "text_encoder_2":
            network = CLIPTextModelWithProjection(CLIPTextConfig(**config))
        else:
            network = CLIPTextModel(CLIPTextConfig(**config))
    count = sum(weight.numel() for weight in network.parameters())
    assert count == NUM_WEIGHTS[name, part]


@pytest.mark.parametrize("name", FAMILIES)
def test_a_single_file_is_read_with_the_profile_s_edges(name):
    profile, configs = PROFILES[name], {}
    for path in (DATA / name).glob("*/*.json"):
        text = path.read_text(encoding="utf-8")
        configs[path.parent.name] = json.loads(text)
    assert configs["unet"]["sample_size"] * 8 == profile.size
    assert configs["vae"]["sample_size"] == profile.size
    width = sum(profile.embedding_widths)
    assert configs["unet"]["cross_attention_dim"] == width
    scaling_factor = configs["vae"]["scaling_factor"]
    assert scaling_factor == (0.13025 if name == "sdxl" else 0.18215)
    assert configs["scheduler"]["prediction_type"] == "epsilon"


# --- a file and the folder


@pytest.fixture(scope="module", params=FAMILIES)
def pair(request, tmp_path_factory):
    """Return the Models of a stand-in's folder, and of the same as a file.

    That of "sd2" predicts velocities.
    """
    name, folder = request.param, tmp_path_factory.mktemp("single")
    data, path = folder / "data", folder / "models" / "mine.safetensors"
    if name == "sd2":
        made = make_standin(
            name, folder / name, prediction_type="v_prediction"
        )
    else:
        made = request.getfixturevalue(
            "standin" if name == "sd15" else "sdxl_folder"
        )
    data.mkdir()
    (data / "tiny").symlink_to(DATA / "tiny")
    (data / name).symlink_to(made)  # its own sizes, not the real ones
    path.parent.mkdir()
    (path.parent / "clip").symlink_to(made / "clip")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        place = f"TUTORIAL_{name.upper()}"
        monkeypatch.setenv(place, str(made))
        whole = load_models(name, device="cpu")
        save_single_file(
            whole.pipeline, path, VELOCITY if name == "sd2" else None
        )
        monkeypatch.setenv(place, str(path))
        target = "tutorial_lib.single_files.find_data"
        monkeypatch.setattr(target, lambda: data)
        models = load_models(name, device="cpu")
    return SimpleNamespace(name=name, folder=whole, file=models, path=path)


def test_a_file_has_the_weights_of_the_folder(pair):
    assert pair.file.profile.pipeline == str(pair.path)
    networks = zip(
        list_networks(pair.folder.pipeline),
        list_networks(pair.file.pipeline),
        strict=True,
    )
    for expected, network in networks:
        assert type(network) is type(expected)
        state, weights = expected.state_dict(), network.state_dict()
        assert state.keys() == weights.keys()
        for name, weight in weights.items():
            assert torch.equal(weight, state[name]), name


def test_a_file_computes_what_the_folder_computes(pair):
    prompts = ["A photo of a corgi, in winter!", ""]
    embeds = encode_prompts(pair.folder, prompts)
    assert torch.equal(encode_prompts(pair.file, prompts), embeds)
    noise = make_noise(pair.folder, seed=0, numbers=[0, 1])[..., :16, :16]
    expected = predict_noise(pair.folder, noise, 500, embeds)
    assert torch.equal(predict_noise(pair.file, noise, 500, embeds), expected)
    assert expected.std() > 0.01


def test_a_file_s_images_have_the_size_that_it_was_made_for(pair):
    size = {"sd15": 512, "sd2": 768, "sdxl": 1024}[pair.name]
    assert pair.file.profile.size == size
    scheduler = pair.file.pipeline.scheduler
    kind = "v_prediction" if pair.name == "sd2" else "epsilon"
    assert scheduler.config.prediction_type == kind
    assert len(make_noise(pair.file, 0, [0])[0, 0]) * 8 == size


@pytest.mark.parametrize("pair", ["sd15"], indirect=True)
def test_a_file_draws_what_the_folder_draws(pair):
    settings = {"num_inference_steps": 2, "seed": 1, "progress": False}
    [here] = generate(pair.folder, "a corgi", **settings)
    [there] = generate(pair.file, "a corgi", **settings)
    assert np.array_equal(np.asarray(here), np.asarray(there))


# --- what is refused


@pytest.fixture
def refuse(monkeypatch, tmp_path):
    """Return a function that returns why a file is refused.

    `shapes` are those of its weights, by their names.
    """

    def load(name, shapes, path=tmp_path / "mine.safetensors"):
        if shapes is not None:
            tensors = {k: torch.zeros(*shape) for k, shape in shapes.items()}
            save_file(tensors, path)
        monkeypatch.setenv(f"TUTORIAL_{name.upper()}", str(path))
        with pytest.raises(DataError) as error:
            load_models(name, device="cpu")
        message = str(error.value)
        assert str(path) in message
        assert f"TUTORIAL_{name.upper()}" in message
        return message

    return load


@pytest.mark.parametrize(("name", "other"), permutations(FAMILIES, 2))
def test_a_file_of_another_family_says_where_it_belongs(name, other, refuse):
    width = sum(PROFILES[other].embedding_widths)
    message = refuse(name, {KEY: (2, width)})
    assert f'is no "{name}": it is "{other}"' in message
    assert f'TUTORIAL_{other.upper()} and say load_models("{other}")' in (
        message
    )


def test_a_file_of_no_known_family_is_refused(refuse):
    assert "1280 numbers a token" in refuse("sdxl", {KEY: (2, 1280)})


@pytest.mark.parametrize(
    ("weight", "contents"),
    [
        ("lora_unet_mid_block_attentions_0_proj_in.lora_up.weight", "a LoRA"),
        ("unet.mid_block.attentions.0.to_q.lora_A.weight", "a LoRA"),
        ("control_model.input_blocks.0.0.weight", "a ControlNet"),
        (f"{UNET}double_blocks.0.img_attn.qkv.weight", "such as FLUX"),
        ("first_stage_model.decoder.conv_in.weight", "a VAE"),
        ("decoder.conv_in.weight", "a VAE"),
        ("down_blocks.0.resnets.0.conv1.weight", "of a diffusers folder"),
        ("emb_params", "a learned word"),
        ("<x>", "a learned word"),
    ],
)
@pytest.mark.parametrize("name", FAMILIES)
def test_a_file_that_is_no_whole_model_is_called_by_its_name(
    name, weight, contents, refuse
):
    message = refuse(name, {weight: (1, 4)})
    assert contents in message
    assert f'name a whole "{name}" model' in message


def test_a_file_of_anything_else_is_refused(refuse):
    weights = {f"layer.{i}.weight": (1, 4) for i in range(3)}
    assert "is no Stable Diffusion" in refuse("sd15", weights)


def test_a_model_for_inpainting_is_refused(refuse):
    weights = {KEY: (2, 768), f"{UNET}input_blocks.0.0.weight": (2, 9, 3, 3)}
    assert "reads 9 channels and not 4" in refuse("sd15", weights)


def test_a_file_without_a_part_is_refused(refuse):
    weights = {KEY: (2, 2048)}
    assert 'no weights "first_stage_model.' in refuse("sdxl", weights)
    weights["first_stage_model.decoder.conv_in.weight"] = (1, 4)
    message = refuse("sdxl", weights)
    assert 'no weights "conditioner.embedders.0.transformer.' in message
    weights["conditioner.embedders.0.transformer.text_model.x"] = (1, 4)
    message = refuse("sdxl", weights)
    assert 'no weights "conditioner.embedders.1.model.' in message


@pytest.mark.parametrize("pair", ["sd15"], indirect=True)
def test_a_file_that_lacks_a_weight_or_was_cut_off_is_refused(
    pair, refuse, tmp_path
):
    weights = load_file(pair.path)
    del weights[f"{UNET}out.2.bias"]
    lacking = tmp_path / "lacking.safetensors"
    save_file(weights, lacking)
    message = refuse("sd15", None, lacking)
    assert 'cannot be read as "sd15"' in message
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(lacking.read_bytes()[:1000])
    assert "download it again" in refuse("sd15", None, cut)


def test_a_family_without_single_files_is_read_from_folders(tmp_path):
    path = tmp_path / "mine.safetensors"
    save_file({"<x>": torch.zeros(1, 4)}, path)
    profile = replace(PROFILES["tiny"], pipeline=str(path))
    with pytest.raises(DataError, match='"tiny" is read from folders only'):
        load_models(profile, device="cpu")


# --- noise or velocity


@pytest.fixture
def read(tmp_path):
    """Return a function that returns what a file's U-Net predicts."""

    def read_type(name, metadata=None, weights=(), yaml=None):
        path = tmp_path / "mine.safetensors"
        path.with_suffix(".yaml").unlink(missing_ok=True)
        if yaml is not None:
            path.with_suffix(".yaml").write_text(yaml, encoding="utf-8")
        shapes = {weight: [0] for weight in (KEY, *weights)}
        profile = SimpleNamespace(name=name, pipeline=str(path))
        header = FileHeader(shapes=shapes, metadata=metadata or {})
        return read_prediction_type(
            profile, PROFILES[name].single_file, header
        )

    return read_type


@pytest.mark.parametrize("name", FAMILIES)
def test_a_file_that_says_what_it_predicts_is_believed(name, read):
    noise = {"modelspec.prediction_type": "epsilon"}
    velocity = 'model:\n  params:\n    parameterization: "v"\n'
    assert read(name, VELOCITY) == "v_prediction"
    assert read(name, noise) == "epsilon"
    assert read(name, weights=["v_pred"]) == "v_prediction"
    assert read(name, yaml=velocity) == "v_prediction"
    assert read(name, yaml="parameterization: v") == "v_prediction"
    assert read(name, yaml="parameterization: eps") == "epsilon"
    assert read(name, noise, yaml=velocity) == "epsilon"


def test_a_file_that_does_not_say_it_predicts_noise_but_for_sd2(read):
    assert read("sd15") == read("sdxl") == "epsilon"
    with pytest.raises(DataError, match="'mine.yaml' beside it.*TUTORIAL_SD2"):
        read("sd2")


@pytest.mark.parametrize("weight", ["ztsnr", "edm_mean"])
def test_a_noise_schedule_of_its_own_is_refused(weight, read):
    with pytest.raises(DataError, match="a noise schedule of its own"):
        read("sdxl", weights=["v_pred", weight])
