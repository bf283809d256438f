"""What several tests share: the miniature models, and images for them."""

import tutorial_lib  # noqa: F401  (first: it sets how torch's threads wait)

# isort: split
from dataclasses import replace

import numpy as np
import open_clip
import pytest
import torch
from mini_models import CLIP_CONFIG, WIDTH, make_clip, make_unet, make_vae
from PIL import Image

from tutorial_lib.models import load_models
from tutorial_lib.settings import PROFILES
from tutorial_lib.training.export import save_clip, save_pipeline
from tutorial_lib.words import LearnedWord


@pytest.fixture(scope="session")
def miniature(tmp_path_factory):
    """Return the folder of a miniature: clip/ and stable-diffusion/."""
    folder = tmp_path_factory.mktemp("miniature")
    save_clip(make_clip(), CLIP_CONFIG, folder / "clip")
    stored = open_clip.create_model(f"local-dir:{folder / 'clip'}")
    save_pipeline(stored, make_vae(), make_unet(), folder / "sd")
    return folder


@pytest.fixture(scope="session")
def mini_profile(miniature):
    """Return the miniature's Profile."""
    return replace(
        PROFILES["tiny"],
        name="miniature",
        pipeline=str(miniature / "sd"),
        clip_model=f"local-dir:{miniature / 'clip'}",
        size=32,
        embedding_width=WIDTH,
        num_inference_steps=3,
        similarity_steps=30,
        similarity_lr=0.02,
        denoising_steps=20,
        denoising_lr=0.02,
        batch_size=4,
    )


@pytest.fixture(scope="session")
def models(mini_profile):
    """Return the miniature's Models, on the CPU."""
    return load_models(mini_profile, device="cpu")


@pytest.fixture(scope="session")
def images():
    """Return four images, each of a colour of its own."""
    rng = np.random.default_rng(0)
    images = []
    for color in ((220, 40, 40), (40, 200, 60), (50, 60, 220), (230, 220, 0)):
        noise = rng.integers(-30, 30, (48, 48, 3))
        pixels = (np.array(color) + noise).clip(0, 255).astype(np.uint8)
        images.append(Image.fromarray(pixels))
    return images


@pytest.fixture
def make_word():
    """Return a function that makes a learned word of random vectors."""

    def make(word="X", num_vectors=1, width=WIDTH, seed=3):
        generator = torch.Generator().manual_seed(seed)
        vectors = torch.randn(num_vectors, width, generator=generator)
        return LearnedWord(word=word, vectors=vectors)

    return make
