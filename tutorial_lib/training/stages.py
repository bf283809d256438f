"""`python -m tutorial_lib models`: train the tiny models from nothing.

Every stage keeps its checkpoints in a work folder and takes up where it
was stopped; a stage that is complete is not repeated.
"""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch

from tutorial_lib.evaluation import (
    CaptionedImages,
    fill_page,
    load_judges,
    model_card,
    save_judges,
    write_tables,
)
from tutorial_lib.models import load_models
from tutorial_lib.settings import DATA, ROOT, choose_device, pick_profile
from tutorial_lib.training import clip, judges, unet, vae
from tutorial_lib.training.dataset import (
    SHARD,
    load_images,
    render_captioned_shard,
    render_judge_shard,
    render_shards,
)
from tutorial_lib.training.export import (
    make_tokenizer,
    save_clip,
    save_pipeline,
    text_encoder_from_clip,
)
from tutorial_lib.training.loop import TrainingConfig
from tutorial_lib.training.shipped_concepts import write_concepts

STAGES = ("pictures", "clip", "vae", "unet", "judges", "write", "card")
HELD_OUT = 1000


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """What to train and where: size in pixels, amounts, device, folders."""

    size: int = 64
    images: int = 80_000
    judged: int = 64_000
    drawn: int = 1000
    model_card: Path | None = None
    shorten: float = 1.0
    device: str = "cpu"
    work: Path = ROOT / ".work" / "tiny64"
    target: Path = DATA / "tiny"
    workers: int = 2

    def shortened(self, config: TrainingConfig) -> TrainingConfig:
        """Return a plan with its share of the steps, at least two."""
        steps = max(2, round(config.steps * self.shorten))
        return dataclasses.replace(config, steps=steps)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `models` to a parser."""
    parser.description = (
        "Train the tiny CLIP, Stable Diffusion and judges, or one stage."
    )
    parser.add_argument(
        "stage",
        nargs="?",
        choices=("all", *STAGES),
        default="all",
        help="the stage to run (default: all, in order)",
    )
    parser.add_argument("--device", default=choose_device())
    parser.add_argument(
        "--size",
        type=int,
        choices=(64, 128),
        default=64,
        help="the pictures' side in pixels",
    )
    parser.add_argument(
        "--pictures",
        type=int,
        default=TrainingRun.images,
        help="how many captioned pictures to draw",
    )
    parser.add_argument(
        "--judged",
        type=int,
        default=TrainingRun.judged,
        help="how many pictures to draw for the judges",
    )
    parser.add_argument(
        "--drawn",
        type=int,
        default=TrainingRun.drawn,
        help="how many captions to draw for the card",
    )
    parser.add_argument(
        "--shorten",
        type=float,
        default=1.0,
        help="share of the steps to take, for rehearsals",
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=None,
        help="folder of pictures and checkpoints",
    )
    parser.add_argument(
        "--target",
        type=Path,
        default=TrainingRun.target,
        help="folder to write the models to",
    )
    parser.add_argument(
        "--card",
        type=Path,
        default=None,
        metavar="FILE",
        help="where the measures go (default: card.json among the models)",
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="processes that draw pictures"
    )


def run(args: argparse.Namespace) -> None:
    """Carry out one stage, or all of them in order."""
    options = vars(args).copy()
    stage = options.pop("stage")
    options["work"] = args.work or ROOT / ".work" / f"tiny{args.size}"
    if args.images <= HELD_OUT or args.judged < 2 * SHARD:
        raise ValueError(
            f"--pictures must be over {HELD_OUT:,} (that many are held out) "
            f"and --judged at least {2 * SHARD:,}."
        )
    run = TrainingRun(**options)
    for name in STAGES if stage == "all" else (stage,):
        STAGE_OF[name](run)


def render_all(run: TrainingRun) -> None:
    """Draw the pictures that all models learn from."""
    for folder, count, render_shard in (
        ("captioned", run.images, render_captioned_shard),
        ("judges", run.judged, render_judge_shard),
    ):
        render_shards(
            run.work / folder,
            count,
            run.size,
            render_shard,
            run.workers,
        )


def load_captioned(run: TrainingRun) -> CaptionedImages:
    """Read the captioned pictures but the last 1,000, held out."""
    return load_images(run.work / "captioned", run.images - HELD_OUT)


def load_held_out(run: TrainingRun) -> CaptionedImages:
    """Read the 1,000 captioned pictures that nothing was trained on.

    They are drawn first if need be: measuring needs no others.
    """
    folder, first = run.work / "captioned", run.images - HELD_OUT
    render_shards(
        folder,
        run.images,
        run.size,
        render_captioned_shard,
        run.workers,
        first,
    )
    return load_images(folder, run.images, first)


def train_clip(run: TrainingRun, images: CaptionedImages | None = None):
    """Train, or read from a finished checkpoint, the CLIP."""
    return clip.train_clip(
        images or load_captioned(run),
        run.size,
        run.work / "clip.pt",
        run.device,
        run.shortened(clip.PLAN),
    )


def train_vae(run: TrainingRun, images: CaptionedImages | None = None):
    """Train, or read from finished checkpoints, the VAE, then its decoder."""
    images = images or load_captioned(run)
    trained = vae.train_vae(
        images,
        run.size,
        run.work / "vae.pt",
        run.device,
        run.shortened(vae.PLAN),
    )
    return vae.train_decoder(
        trained,
        images,
        run.work / "decoder.pt",
        run.device,
        run.shortened(vae.DECODER_PLAN),
    )


def cache_latents(run: TrainingRun, images: CaptionedImages) -> dict:
    """Encode all pictures once; keep the posteriors in the work folder."""
    path = run.work / "latents.pt"
    if path.exists():
        return torch.load(path, weights_only=True)
    means, stds = vae.encode_images(train_vae(run, images), images, run.device)
    latents = {
        "means": means,
        "stds": stds,
        "scaling_factor": 1 / means.float().std().item(),
    }
    part = path.with_suffix(".part")
    torch.save(latents, part)
    part.replace(path)
    return latents


def train_unet(run: TrainingRun):
    """Train, or read from a finished checkpoint, the U-Net."""
    images = load_captioned(run)
    latents = cache_latents(run, images)
    text_encoder = text_encoder_from_clip(train_clip(run, images))
    text_encoder = text_encoder.to(run.device)
    tokenizer = make_tokenizer(
        run.work / "tokenizer",
        text_encoder.config.max_position_embeddings,
    )

    def read_captions():
        """Encode all captions, and the empty one."""
        return tuple(
            unet.encode_captions(text_encoder, tokenizer, texts, run.device)
            for texts in (images.captions, [""])
        )

    return unet.train_unet(
        latents["means"],
        latents["stds"],
        latents["scaling_factor"],
        read_captions,
        text_encoder.config.hidden_size,
        run.work / "unet.pt",
        run.device,
        run.shortened(unet.PLAN),
    )


def train_judges(run: TrainingRun):
    """Train, or read from finished checkpoints, the judges."""
    return judges.train_judges(
        load_images(run.work / "judges", run.judged),
        load_captioned(run),
        run.size,
        run.work,
        run.device,
        {name: run.shortened(config) for name, config in judges.PLANS.items()},
    )


def write_models(run: TrainingRun) -> None:
    """Write the trained models as open_clip and diffusers read them."""
    images = load_captioned(run)
    trained_clip = train_clip(run, images)
    trained_vae = train_vae(run, images)
    latents = cache_latents(run, images)
    trained_vae.register_to_config(
        scaling_factor=round(latents["scaling_factor"], 5)
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

    A README beside it that has a place for the tables is filled, too.
    """
    folder = run.target
    path = run.card or folder / "card.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = dataclasses.replace(
        pick_profile("tiny"),
        size=run.size,
        pipeline=str(folder / "stable-diffusion"),
        clip_model=f"local-dir:{folder / 'clip'}",
    )
    found = model_card.write_card(
        load_models(profile, device=run.device),
        load_judges(folder / "judges"),
        load_held_out(run),
        run.drawn,
        path,
    )
    fill_page(path.with_name("README.md"), found)
    print(f"{write_tables(found)}\n\nThe numbers are in {path}")


STAGE_OF: dict[str, Callable[[TrainingRun], object]] = {
    "pictures": render_all,
    "clip": train_clip,
    "vae": train_vae,
    "unet": train_unet,
    "judges": train_judges,
    "write": write_models,
    "card": measure_models,
}
