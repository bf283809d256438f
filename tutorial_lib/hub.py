"""Models from the hub: fetched once, file by file, and kept on this machine.

A repository holds its weights several times over: as pickles, in half
precision, with and without an average. Only what is read is fetched.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    GatedRepoError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)
from tqdm.auto import tqdm

from tutorial_lib.errors import FetchError
from tutorial_lib.settings import Profile, name_place

INDEX = "model_index.json"
CLIP_WEIGHTS = "open_clip_model.safetensors"
PART_FILES = {  # of a pipeline's part -> its files
    "scheduler": ("scheduler_config.json",),
    "tokenizer": (
        "merges.txt",
        "special_tokens_map.json",
        "tokenizer_config.json",
        "vocab.json",
    ),
    "feature_extractor": ("preprocessor_config.json",),
    "tokenizer_2": (
        "merges.txt",
        "special_tokens_map.json",
        "tokenizer_config.json",
        "vocab.json",
    ),
    "text_encoder": ("config.json", "model.safetensors"),
    "text_encoder_2": ("config.json", "model.safetensors"),
    "safety_checker": ("config.json", "model.safetensors"),
    "unet": ("config.json", "diffusion_pytorch_model.safetensors"),
    "vae": ("config.json", "diffusion_pytorch_model.safetensors"),
}


def fetch_pipeline(profile: Profile) -> Path:
    """Return the folder of a profile's pipeline, fetched from the hub.

    Files that are there already need no request, and all is there when this
    returns. Raises FetchError, which says the remedy, if a file cannot be
    had.
    """
    if not has_file(profile.pipeline, profile.revision, INDEX):
        announce(profile)
    index = fetch_file(profile, profile.pipeline, profile.revision, INDEX)
    parts = json.loads(index.read_text(encoding="utf-8"))
    for part, names in PART_FILES.items():
        _, kind = parts.get(part) or (None, None)
        for name in names if kind else ():
            path = f"{part}/{add_variant(name, get_variant(profile))}"
            fetch_file(profile, profile.pipeline, profile.revision, path)
    return index.parent


def get_variant(profile: Profile) -> str | None:
    """Return which of several weights are taken, "fp16" or the usual ones.

    A folder of the reader's has the usual ones.
    """
    if profile.hub is None or profile.revision is None:
        return None
    return profile.hub.variant


def add_variant(name: str, variant: str | None) -> str:
    """Return the name that a file of weights has in a variant."""
    if variant is None:
        return name
    return name.replace(".safetensors", f".{variant}.safetensors")


def fetch_clip(profile: Profile) -> Path | None:
    """Return the file with the weights of a profile's CLIP, from the hub.

    None if CLIP comes from elsewhere. Raises FetchError as
    `fetch_pipeline` does.
    """
    if profile.hub is None or profile.clip_pretrained is None:
        return None
    repository = profile.hub.clip_repository
    revision = profile.hub.clip_revision
    return fetch_file(profile, repository, revision, CLIP_WEIGHTS)


def announce(profile: Profile) -> None:
    """Say what will be fetched, under which licence, and what it needs."""
    if profile.hub is None:
        return
    tqdm.write(
        f'Fetching "{profile.name}" from the hub, once: '
        f"{profile.hub.megabytes / 1000:.1f} GB from {profile.pipeline} "
        f"(under {profile.hub.license}) and "
        f"{profile.hub.clip_repository}. Learning takes "
        f"{profile.hub.memory}."
    )


def has_file(repository: str, revision: str | None, name: str) -> bool:
    """Return whether a file of the hub is on this machine; asks nobody."""
    path = try_to_load_from_cache(repository, name, revision=revision)
    return isinstance(path, str)


def fetch_file(
    profile: Profile, repository: str, revision: str | None, name: str
) -> Path:
    """Return a file of the hub, fetched if it is not on this machine yet.

    Raises FetchError, which names the profile, if the file cannot be had.
    """
    try:
        return download(repository, revision, name)
    except Exception as error:  # a hub can fail in nearly any way
        reason, remedy = explain_failure(error, repository, revision, name)
        raise FetchError(
            f'"{profile.name}" cannot be fetched: {reason}; {remedy}, or name '
            "a folder that has the models, with CLIP in clip/, in "
            f"{name_place(profile)}."
        ) from error


def download(repository: str, revision: str | None, name: str) -> Path:
    """Return a file of the hub, fetched if it is not on this machine yet.

    Weights show a bar. What goes wrong is raised as it is; `explain_failure`
    puts it into words.
    """
    is_large = name.endswith((".safetensors", ".bin"))
    with contextlib.nullcontext() if is_large else without_bars():
        return Path(hf_hub_download(repository, name, revision=revision))


def download_weights(repository: str, revision: str) -> Path:
    """Return a repository's weights, fetched with a bar if need be.

    Older repositories have them as a pickle alone. What goes wrong is raised
    as it is.
    """
    try:
        return download(repository, revision, "model.safetensors")
    except RemoteEntryNotFoundError:
        return download(repository, revision, "pytorch_model.bin")


def explain_failure(
    error: Exception, repository: str, revision: str | None, name: str
) -> tuple[str, str]:
    """Return why a file could not be fetched, and what to do about it.

    Neither is a whole sentence.
    """
    if type(error) is OSError:  # transformers wraps what the hub raises
        error = as_cause(error)
    if isinstance(error, LocalEntryNotFoundError):
        error = as_cause(error)
    if isinstance(error, OfflineModeIsEnabled):
        return (
            f"{repository} is not on this machine yet, and HF_HUB_OFFLINE "
            "forbids to ask the hub",
            "unset it once, with a network",
        )
    response = getattr(error, "response", None)
    if response is not None:
        status = response.status_code
        wait = response.headers.get("Retry-After", "")
        reason, remedy = explain_status(error, status, wait)
        where = f"{repository} at {revision}"
        return f"{where} {reason} (the hub says {status})", remedy
    if isinstance(error, OSError) and error.errno is not None:
        return (
            f"{name} of {repository} cannot be kept ({error.strerror})",
            "make room, or move the hub's folder with HF_HOME",
        )
    if "onnect" in type(error).__name__ or "Timeout" in type(error).__name__:
        return (
            f"{repository} cannot be reached "
            f"({type(error).__name__}: {first_line(error)})",
            "go online once, for the files are kept then",
        )
    return (
        f"the transfer of {name} of {repository} broke off "
        f"({type(error).__name__}: {first_line(error)})",
        "run the same again, which keeps the files that are whole",
    )


def explain_status(
    error: Exception, status: int, wait: str
) -> tuple[str, str]:
    """Return what the hub's answer says of a repository, and the remedy.

    `wait` is what it says about when to come back. For a repository that is
    not there the hub answers 401, as for one that is private.
    """
    if isinstance(error, GatedRepoError) or status == 403:
        return (
            "is only for those who accept its terms",
            "accept them on its page, and log in with `hf auth login`",
        )
    if isinstance(error, RevisionNotFoundError | RemoteEntryNotFoundError):
        return "has not got this file any more", "update this library"
    if status == 401 and not isinstance(error, RepositoryNotFoundError):
        return (
            "refuses this machine's login",
            "log in anew with `hf auth login`, or unset HF_TOKEN",
        )
    if status in (401, 404, 410):
        return (
            "is not there any more, or not for all to see",
            "log in with `hf auth login` if you may see it",
        )
    if status == 429:
        seconds = f"{wait} seconds" if wait.isdecimal() else "some minutes"
        return (
            "had too many requests from here",
            f"wait {seconds} and run the same again, which goes on with the "
            "files that are missing",
        )
    return "cannot be had now", "run the same again later"


def as_cause(error: Exception) -> Exception:
    """Return the error that another one was raised from, or else itself."""
    cause = error.__cause__
    return cause if isinstance(cause, Exception) else error


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, without its full stop."""
    return (str(error).strip().splitlines() or [""])[0][:200].rstrip(".")


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """Keep the hub's bars off the screen, for files that take no time."""
    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()
