"""`textual-inversion models`: train the tiny models from nothing.

Every stage keeps its checkpoints in a work folder and resumes where it was
stopped; a stage that is complete is not repeated.
"""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import open_clip
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from tutorial_lib.errors import CommandError
from tutorial_lib.evaluation import (
    CaptionedImages,
    Judges,
    fill_page,
    format_tables,
    load_judges,
    save_judges,
    write_card,
)
from tutorial_lib.files import write_atomically
from tutorial_lib.models import load_models
from tutorial_lib.settings import pick_profile
from tutorial_lib.training import (
    clip,
    dataset,
    judge_images,
    judges,
    unet,
    vae,
)
from tutorial_lib.training.export import (
    make_tokenizer,
    save_clip,
    save_pipeline,
    text_encoder_from_clip,
)
from tutorial_lib.training.judge_pool import DECODED_SHARE, JudgePool
from tutorial_lib.training.loop import PretrainingConfig
from tutorial_lib.training.shipped_concepts import write_concepts
from tutorial_lib.training.training_run import TrainingRun

NUM_HELD_OUT = 1000
DECODED_ON_CPU = 0.1  # of the judges' images: a core decodes three a second


# --- images ----------------------------------------------------------------


def render_all(run: TrainingRun) -> None:
    """Render the images that all models learn from."""
    dataset.render_shards(
        run.work_folder / "captioned",
        run.num_images,
        run.size,
        dataset.render_captioned_shard,
        run.workers,
    )
    judge_images.render_judge_shards(
        run.work_folder / "judges",
        run.num_judge_images,
        run.size,
        run.workers,
    )


def load_captioned(run: TrainingRun) -> CaptionedImages:
    """Load the captioned images except for the last 1,000, held out."""
    return dataset.load_images(
        run.work_folder / "captioned", run.num_images - NUM_HELD_OUT
    )


def load_held_out(run: TrainingRun) -> CaptionedImages:
    """Load the 1,000 captioned images that nothing was trained on.

    They are rendered first if need be: measuring needs no others.
    """
    folder = run.work_folder / "captioned"
    first = run.num_images - NUM_HELD_OUT
    dataset.render_shards(
        folder,
        run.num_images,
        run.size,
        dataset.render_captioned_shard,
        run.workers,
        first,
    )
    return dataset.load_images(folder, run.num_images, first)


# --- models ----------------------------------------------------------------


def shorten(config: PretrainingConfig, run: TrainingRun) -> PretrainingConfig:
    """Return a config with the run's share of the steps, at least two."""
    steps = max(2, round(config.steps * run.step_share))
    return dataclasses.replace(config, steps=steps)


def train_clip(
    run: TrainingRun, images: CaptionedImages | None = None
) -> open_clip.CLIP:
    """Train the CLIP, or load it from a finished checkpoint."""
    return clip.train_clip(
        images or load_captioned(run),
        run.size,
        run.work_folder / "clip.pt",
        run.device,
        shorten(clip.CONFIG, run),
    )


def train_vae(
    run: TrainingRun, images: CaptionedImages | None = None
) -> AutoencoderKL:
    """Train the VAE, then its decoder, or load finished checkpoints."""
    images = images or load_captioned(run)
    trained_vae = vae.train_vae(
        images,
        run.size,
        run.work_folder / "vae.pt",
        run.device,
        shorten(vae.CONFIG, run),
    )
    return vae.train_decoder(
        trained_vae,
        images,
        run.work_folder / "decoder.pt",
        run.device,
        shorten(vae.DECODER_CONFIG, run),
    )


def cache_latents(
    run: TrainingRun, images: CaptionedImages
) -> vae.EncodedImages:
    """Encode all images once; keep the posteriors in the work folder."""
    path = run.work_folder / "latents.pt"
    if path.exists():
        return vae.EncodedImages(**torch.load(path, weights_only=True))
    encoded = vae.encode_dataset(train_vae(run, images), images, run.device)
    with write_atomically(path) as unfinished, unfinished.open("wb") as file:
        torch.save(vars(encoded), file)  # to a path, torch hides a full disk
    return encoded


def train_unet(run: TrainingRun) -> UNet2DConditionModel:
    """Train the U-Net, or load it from a finished checkpoint."""
    images = load_captioned(run)
    encoded = cache_latents(run, images)
    text_encoder = text_encoder_from_clip(train_clip(run, images))
    text_encoder = text_encoder.to(run.device)
    tokenizer = make_tokenizer(
        run.work_folder / "tokenizer",
        text_encoder.config.max_position_embeddings,
    )

    def encode_captions() -> unet.CaptionEmbeds:
        """Encode all captions, and the empty one."""
        embeds, empty = (
            unet.encode_captions(text_encoder, tokenizer, texts, run.device)
            for texts in (images.captions, [""])
        )
        return embeds, empty

    return unet.train_unet(
        encoded,
        encode_captions,
        text_encoder.config.hidden_size,
        run.work_folder / "unet.pt",
        run.device,
        shorten(unet.CONFIG, run),
    )


def train_judges(run: TrainingRun) -> Judges:
    """Train the judges, or load them if they were trained before."""
    trained = run.work_folder / "trained-judges"
    if (trained / "judges.json").exists():
        return load_judges(trained, run.device)
    shards = run.work_folder / "judges"
    count = judge_images.check_shards(shards, run.num_judge_images)
    pool = JudgePool(
        shards,
        count,
        run.size,
        run.device,
        train_vae(run),
        DECODED_ON_CPU if run.device == "cpu" else DECODED_SHARE,
    )
    pool.wait_for(count)
    pool.close()
    configs = {
        name: shorten(config, run) for name, config in judges.CONFIGS.items()
    }
    finished = judges.train_judges(pool, run.work_folder, configs)
    save_judges(finished, trained)
    return finished


# --- results ---------------------------------------------------------------


def write_models(run: TrainingRun) -> None:
    """Write the trained models as open_clip and diffusers load them."""
    images = load_captioned(run)
    trained_clip = train_clip(run, images)
    trained_vae = train_vae(run, images)
    encoded = cache_latents(run, images)
    trained_vae.register_to_config(
        scaling_factor=round(encoded.scaling_factor, 5)
    )
    save_clip(trained_clip, clip.clip_config(run.size), run.target / "clip")
    save_pipeline(
        trained_clip,
        trained_vae,
        train_unet(run),
        run.target / "stable-diffusion",
    )
    save_judges(train_judges(run), run.target / "judges")
    write_concepts(run.target.parent / "concepts")
    print(f"The models are in {run.target}")


def measure_models(run: TrainingRun) -> None:
    """Measure the written models; write the card, and print it.

    A README beside the card that has a place for the tables is filled, too.
    """
    path = run.card or run.target / "card.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = dataclasses.replace(
        pick_profile("tiny"),
        size=run.size,
        pipeline=str(run.target / "stable-diffusion"),
        clip_model=f"local-dir:{run.target / 'clip'}",
    )
    card = write_card(
        load_models(profile, device=run.device),
        load_judges(run.target / "judges"),
        load_held_out(run),
        run.num_captions,
        path,
    )
    fill_page(path.with_name("README.md"), card)
    print(f"{format_tables(card)}\n\nThe numbers are in {path}")


# --- in order --------------------------------------------------------------

STAGES: dict[str, Callable[[TrainingRun], object]] = {
    "pictures": render_all,
    "clip": train_clip,
    "vae": train_vae,
    "unet": train_unet,
    "judges": train_judges,
    "write": write_models,
    "card": measure_models,
}


def run_stages(stage: str, run: TrainingRun) -> None:
    """Run one of STAGES, or "all" of them in order.

    Raises CommandError for options that cannot be, and for images that were
    not rendered yet.
    """
    check_run(run)
    for name in STAGES if stage == "all" else (stage,):
        try:
            STAGES[name](run)
        except FileNotFoundError as error:
            if run.work_folder not in Path(error.filename or "").parents:
                raise
            raise CommandError(
                f"{error.filename} is missing; render the images first, by "
                "`textual-inversion models pictures` with the same options."
            ) from None


def check_run(run: TrainingRun) -> None:
    """Raise CommandError for options that no training can have."""
    if run.size not in vae.BLOCK_WIDTHS:
        sizes = " or ".join(map(str, vae.BLOCK_WIDTHS))
        raise CommandError(f"--size must be {sizes}, not {run.size}.")
    min_judge_images = 4 * judge_images.SHARD_SIZE  # one of each content
    if (
        run.num_images <= NUM_HELD_OUT
        or run.num_judge_images < min_judge_images
    ):
        raise CommandError(
            f"--pictures must be over {NUM_HELD_OUT:,} (that many are held "
            f"out) and --judged at least {min_judge_images:,}."
        )
    if not 0 < run.step_share < math.inf or run.workers < 1:
        raise CommandError(
            "--shorten must be above 0 (1 takes all steps), and --workers at "
            "least 1."
        )
    for folder in (run.work_folder, run.target):
        for place in (folder, *folder.parents):
            if place.is_file():
                raise CommandError(
                    f"{place} is a file, so nothing can be put into it; name "
                    "another folder."
                )
