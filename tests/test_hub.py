"""Models come from the hub: what is needed, once, or with a reason.

A server on this machine speaks the hub's protocol.
"""

import json
import re
from dataclasses import replace
from functools import partial

import huggingface_hub
import pytest
from hub_server import serve_hub
from huggingface_hub import constants

from tutorial_lib import hub
from tutorial_lib.errors import FetchError
from tutorial_lib.hub import CLIP_WEIGHTS, fetch_clip, fetch_pipeline
from tutorial_lib.settings import PROFILES

SD15, SD2, SDXL = (PROFILES[name] for name in ("sd15", "sd2", "sdxl"))
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "requires_safety_checker": True,
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
NEEDED = [
    "feature_extractor/preprocessor_config.json",
    "model_index.json",
    "safety_checker/config.json",
    "safety_checker/model.safetensors",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
]
DUPLICATES = [  # what such a repository holds besides
    "README.md",
    "safety_checker/pytorch_model.bin",
    "text_encoder/model.fp16.safetensors",
    "text_encoder/pytorch_model.bin",
    "unet/diffusion_pytorch_model.bin",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "unet/diffusion_pytorch_model.non_ema.safetensors",
    "v1-5-pruned-emaonly.safetensors",
    "v1-5-pruned.ckpt",
    "vae/diffusion_pytorch_model.fp16.bin",
]
INDEX_XL = {
    "_class_name": "StableDiffusionXLPipeline",
    "force_zeros_for_empty_prompt": True,
    "scheduler": ["diffusers", "EulerDiscreteScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "tokenizer_2": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
NEEDED_XL = [
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.fp16.safetensors",
    "text_encoder_2/config.json",
    "text_encoder_2/model.fp16.safetensors",
    "tokenizer/merges.txt",
    "tokenizer/special_tokens_map.json",
    "tokenizer/tokenizer_config.json",
    "tokenizer/vocab.json",
    "tokenizer_2/merges.txt",
    "tokenizer_2/special_tokens_map.json",
    "tokenizer_2/tokenizer_config.json",
    "tokenizer_2/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.fp16.safetensors",
]
UNET = "unet/diffusion_pytorch_model.safetensors"
CONTENT = bytes(range(256)) * 1000


def make_repository(profile, index=INDEX, names=(*NEEDED, *DUPLICATES)):
    """Return the files of a profile's repositories, all of them small."""
    files = {name: name.encode() for name in names}
    files |= {"model_index.json": json.dumps(index).encode(), UNET: CONTENT}
    clip = profile.hub.clip_repository, profile.hub.clip_revision
    return {
        (profile.pipeline, profile.revision, name): content
        for name, content in files.items()
    } | {(*clip, CLIP_WEIGHTS): b"clip", (*clip, "pytorch_model.bin"): b""}


@pytest.fixture
def use_hub(monkeypatch, tmp_path):
    """Return a function that lets a server be the hub, with a fresh cache.

    It waits for nothing, and needs no proxy.
    """

    def use(server):
        endpoint = server.url.removesuffix("/data")
        download = partial(huggingface_hub.hf_hub_download, endpoint=endpoint)
        monkeypatch.setattr(hub, "hf_hub_download", download)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
        monkeypatch.setattr("time.sleep", lambda seconds: None)
        return server

    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("TQDM_POSITION", "-1")  # bars without a terminal
    huggingface_hub.close_session()
    yield use
    huggingface_hub.close_session()


@pytest.fixture
def server(use_hub):
    """Return a server that has "sd15"."""
    with serve_hub(make_repository(SD15)) as server:
        yield use_hub(server)


def list_fetched(server):
    return sorted(path for verb, path, _ in server.asked if verb == "GET")


# --- what is fetched


def test_only_what_is_read_is_fetched_and_each_file_once(server, capsys):
    folder = fetch_pipeline(SD15)
    assert list_fetched(server) == NEEDED
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert sorted(f.relative_to(folder).as_posix() for f in files) == NEEDED
    assert (folder / UNET).read_bytes() == CONTENT
    captured = capsys.readouterr()
    assert 'Fetching "sd15" from the hub, once: 7.2 GB' in captured.out
    assert "under CreativeML OpenRAIL-M" in captured.out
    assert "measured on an H200" in captured.out
    assert sorted(re.findall(r"([\w.]+): +0%", captured.err)) == [
        *["diffusion_pytorch_model.safetensors"] * 2,
        *["model.safetensors"] * 2,
    ]


def test_what_is_there_needs_no_request_and_says_nothing(server, capsys):
    first = fetch_pipeline(SD15), fetch_clip(SD15)
    asked = list(server.asked)
    assert len([path for _, path, _ in asked if path == CLIP_WEIGHTS]) == 2
    capsys.readouterr()
    assert (fetch_pipeline(SD15), fetch_clip(SD15)) == first
    assert server.asked == asked
    assert capsys.readouterr() == ("", "")


def test_a_pipeline_without_a_safety_checker_needs_none(use_hub):
    index = {**INDEX, "safety_checker": [None, None]}
    index.pop("feature_extractor")
    with serve_hub(make_repository(SD2, index)) as server:
        fetch_pipeline(use_hub(server) and SD2)
        names = {path.partition("/")[0] for path in list_fetched(server)}
    assert "vae" in names
    assert not names & {"safety_checker", "feature_extractor"}


def test_stable_diffusion_xl_is_fetched_in_float16(use_hub, capsys):
    names = [*NEEDED_XL, *(n.replace(".fp16", "") for n in NEEDED_XL)]
    files = make_repository(SDXL, INDEX_XL, names)
    with serve_hub(files) as server:
        fetch_pipeline(use_hub(server) and SDXL)
        assert list_fetched(server) == NEEDED_XL
    captured = capsys.readouterr()
    assert "once: 8.6 GB" in captured.out
    assert "(under CreativeML Open RAIL++-M)" in captured.out
    assert "not measured" in captured.out


def test_clip_comes_from_its_own_repository_at_its_revision(use_hub):
    with serve_hub(make_repository(SD2)) as server:
        path = fetch_clip(use_hub(server) and SD2)
    assert path.read_bytes() == b"clip" and path.name == CLIP_WEIGHTS
    assert SD2.hub.clip_revision in path.parts


def test_a_clip_from_a_folder_is_not_fetched(server):
    own = replace(SD15, clip_model="local-dir:/clip", clip_pretrained=None)
    assert fetch_clip(own) is None
    assert fetch_clip(PROFILES["tiny"]) is None
    assert not server.asked


# --- what goes wrong


def read_failure(profile=SD15):
    """Return why fetching fails, in one sentence with a remedy."""
    with pytest.raises(FetchError) as error:
        fetch_pipeline(profile)
    text = str(error.value)
    assert text.startswith(f'"{profile.name}" cannot be fetched: ')
    assert profile.pipeline in text and text.count(". ") == 0
    assert text.endswith(f"in TUTORIAL_{profile.name.upper()}.")
    return text


@pytest.mark.parametrize(
    ("fault", "status", "reason", "remedy"),
    [
        ("no repository", 401, "not there any more", "if you may see it"),
        ("bad token", 401, "refuses this machine's login", "HF_TOKEN"),
        ("gated", 403, "accept its terms", "accept them on its page"),
        ("no revision", 404, "has not got this file", "update this library"),
        ("no file", 404, "has not got this file", "update this library"),
        ("too many", 429, "too many requests", "wait 7 seconds and run the"),
        ("out of order", 500, "cannot be had now", "again later"),
    ],
)
@pytest.mark.parametrize("path", ["model_index.json", UNET])
def test_a_refusal_is_told_with_the_remedy(
    server, path, fault, status, reason, remedy
):
    server.faults[path] = [fault] * 20
    text = read_failure()
    assert f"(the hub says {status})" in text and SD15.revision in text
    assert reason in text and remedy in text
    fetched = list_fetched(server)
    server.faults.clear()
    server.asked.clear()
    fetch_pipeline(SD15)  # goes on with the files that are missing
    assert sorted(fetched + list_fetched(server)) == NEEDED


def test_a_hub_that_has_too_many_requests_for_a_moment_is_waited_for(server):
    server.faults[UNET] = ["too many"] * 3
    assert (fetch_pipeline(SD15) / UNET).read_bytes() == CONTENT


def test_a_repository_that_is_gone_is_told(server):
    gone = replace(SD15, pipeline="runwayml/stable-diffusion-v1-5")
    text = read_failure(gone)
    assert "runwayml/stable-diffusion-v1-5" in text and "says 401" in text


def test_a_revision_that_is_gone_is_told(server):
    text = read_failure(replace(SD15, revision="0" * 40))
    assert "0" * 40 in text and "says 404" in text


def test_a_transfer_that_is_cut_off_goes_on_where_it_stopped(server):
    server.faults[UNET] = ["cut", "cut"]
    assert (fetch_pipeline(SD15) / UNET).read_bytes() == CONTENT
    starts = [
        start
        for verb, path, start in server.asked
        if (verb, path) == ("GET", UNET)
    ]
    assert starts[0] == 0 and len(starts) == 3
    assert 0 < starts[1] < starts[2] < len(CONTENT)


def test_a_transfer_that_always_breaks_off_is_told_and_begins_anew(server):
    server.files[SD15.pipeline, SD15.revision, UNET] = b"ab"
    server.faults[UNET] = ["cut"] * 20  # nothing comes after the first byte
    text = read_failure()
    assert f"the transfer of {UNET}" in text and "broke off" in text
    assert "keeps the files that are whole" in text
    server.faults.clear()
    server.asked.clear()
    assert (fetch_pipeline(SD15) / UNET).read_bytes() == b"ab"
    assert "vae/config.json" in list_fetched(server)
    assert "text_encoder/model.safetensors" not in list_fetched(server)


def test_without_a_network_what_is_there_is_taken(use_hub):
    with serve_hub(make_repository(SD15)) as server:
        folder = fetch_pipeline(use_hub(server) and SD15)
    huggingface_hub.close_session()  # the server has gone
    assert fetch_pipeline(SD15) == folder
    path = folder / UNET
    path.unlink()
    text = read_failure()
    assert "cannot be reached" in text and "go online once" in text


def test_where_the_hub_may_not_be_asked_that_is_said(server, monkeypatch):
    def refuse(*arguments, **options):
        raise huggingface_hub.errors.LocalEntryNotFoundError(
            "not in the cache"
        ) from huggingface_hub.errors.OfflineModeIsEnabled("offline")

    monkeypatch.setattr(hub, "hf_hub_download", refuse)
    text = read_failure()
    assert "HF_HUB_OFFLINE forbids" in text and "unset it once" in text


def test_a_full_disk_is_told(server, monkeypatch):
    def fill(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub, "hf_hub_download", fill)
    text = read_failure()
    assert "No space left on device" in text and "HF_HOME" in text
