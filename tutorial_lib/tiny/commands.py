"""`python -m tutorial_lib models`: train the tiny models from nothing.

Every stage keeps its checkpoints in a work folder and takes up where it
was stopped; a stage that is complete is not repeated.
"""

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch

from tutorial_lib.judge_networks import load_judges, save_judges
from tutorial_lib.models import load_models
from tutorial_lib.settings import DATA, ROOT, choose_device, pick_profile
from tutorial_lib.tiny import card, clip, judges, unet, vae
from tutorial_lib.tiny.assemble import (
    make_tokenizer, save_clip, save_pipeline, text_encoder_from_clip,
)
from tutorial_lib.tiny.card_table import fill_page, write_tables
from tutorial_lib.tiny.concepts import write_concepts
from tutorial_lib.tiny.pictures import (
    SHARD, Pictures, draw_captioned_shard, draw_judge_shard, draw_pictures,
    load_pictures,
)
from tutorial_lib.tiny.training import Plan

STAGES = ("pictures", "clip", "vae", "unet", "judges", "write", "card")
HELD_OUT = 1000


@dataclasses.dataclass(frozen=True)
class Order:
    """What to train and where: size in pixels, amounts, device, folders."""

    size: int = 64
    pictures: int = 80_000
    judged: int = 64_000
    drawn: int = 1000
    card: Path | None = None
    shorten: float = 1.0
    device: str = "cpu"
    work: Path = ROOT / ".work" / "tiny64"
    target: Path = DATA / "tiny"
    workers: int = 2

    def shortened(self, plan: Plan) -> Plan:
        """Return a plan with its share of the steps, at least two."""
        steps = max(2, round(plan.steps * self.shorten))
        return dataclasses.replace(plan, steps=steps)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `models` to a parser."""
    parser.description = (
        "Train the tiny CLIP, Stable Diffusion and judges, or one stage."
    )
    parser.add_argument(
        "stage", nargs="?", choices=("all", *STAGES), default="all",
        help="the stage to run (default: all, in order)",
    )
    parser.add_argument("--device", default=choose_device())
    parser.add_argument("--size", type=int, choices=(64, 128), default=64,
                        help="the pictures' side in pixels")
    parser.add_argument("--pictures", type=int, default=Order.pictures,
                        help="how many captioned pictures to draw")
    parser.add_argument("--judged", type=int, default=Order.judged,
                        help="how many pictures to draw for the judges")
    parser.add_argument("--drawn", type=int, default=Order.drawn,
                        help="how many captions to draw for the card")
    parser.add_argument("--shorten", type=float, default=1.0,
                        help="share of the steps to take, for rehearsals")
    parser.add_argument("--work", type=Path, default=None,
                        help="folder of pictures and checkpoints")
    parser.add_argument("--target", type=Path, default=Order.target,
                        help="folder to write the models to")
    parser.add_argument("--card", type=Path, default=None, metavar="FILE",
                        help="where the measures go (default: card.json "
                        "among the models)")
    parser.add_argument("--workers", type=int, default=2,
                        help="processes that draw pictures")


def run(args: argparse.Namespace) -> None:
    """Carry out one stage, or all of them in order."""
    options = vars(args).copy()
    stage = options.pop("stage")
    options["work"] = args.work or ROOT / ".work" / f"tiny{args.size}"
    if args.pictures <= HELD_OUT or args.judged < 2 * SHARD:
        raise ValueError(
            f"--pictures must be over {HELD_OUT:,} (that many are held out) "
            f"and --judged at least {2 * SHARD:,}."
        )
    order = Order(**options)
    for name in STAGES if stage == "all" else (stage,):
        STAGE_OF[name](order)


def draw_all(order: Order) -> None:
    """Draw the pictures that all models learn from."""
    for folder, count, draw_shard in (
        ("captioned", order.pictures, draw_captioned_shard),
        ("judges", order.judged, draw_judge_shard),
    ):
        draw_pictures(
            order.work / folder, count, order.size, draw_shard,
            order.workers,
        )


def load_captioned(order: Order) -> Pictures:
    """Read the captioned pictures but the last 1,000, held out."""
    return load_pictures(
        order.work / "captioned", order.pictures - HELD_OUT
    )


def load_held_out(order: Order) -> Pictures:
    """Read the 1,000 captioned pictures that nothing was trained on.

    They are drawn first if need be: measuring needs no others.
    """
    folder, first = order.work / "captioned", order.pictures - HELD_OUT
    draw_pictures(
        folder, order.pictures, order.size, draw_captioned_shard,
        order.workers, first,
    )
    return load_pictures(folder, order.pictures, first)


def train_clip(order: Order, pictures: Pictures | None = None):
    """Train, or read from a finished checkpoint, the CLIP."""
    return clip.train_clip(
        pictures or load_captioned(order), order.size,
        order.work / "clip.pt", order.device, order.shortened(clip.PLAN),
    )


def train_vae(order: Order, pictures: Pictures | None = None):
    """Train, or read from finished checkpoints, the VAE, then its decoder."""
    pictures = pictures or load_captioned(order)
    trained = vae.train_vae(
        pictures, order.size, order.work / "vae.pt", order.device,
        order.shortened(vae.PLAN),
    )
    return vae.train_decoder(
        trained, pictures, order.work / "decoder.pt", order.device,
        order.shortened(vae.DECODER_PLAN),
    )


def cache_latents(order: Order, pictures: Pictures) -> dict:
    """Encode all pictures once; keep the posteriors in the work folder."""
    path = order.work / "latents.pt"
    if path.exists():
        return torch.load(path, weights_only=True)
    means, stds = vae.encode_pictures(
        train_vae(order, pictures), pictures, order.device
    )
    latents = {
        "means": means, "stds": stds,
        "scaling_factor": 1 / means.float().std().item(),
    }
    part = path.with_suffix(".part")
    torch.save(latents, part)
    part.replace(path)
    return latents


def train_unet(order: Order):
    """Train, or read from a finished checkpoint, the U-Net."""
    pictures = load_captioned(order)
    latents = cache_latents(order, pictures)
    text_encoder = text_encoder_from_clip(train_clip(order, pictures))
    text_encoder = text_encoder.to(order.device)
    tokenizer = make_tokenizer(
        order.work / "tokenizer",
        text_encoder.config.max_position_embeddings,
    )

    def read_captions():
        """Encode all captions, and the empty one."""
        return tuple(
            unet.encode_captions(text_encoder, tokenizer, texts, order.device)
            for texts in (pictures.captions, [""])
        )

    return unet.train_unet(
        latents["means"], latents["stds"], latents["scaling_factor"],
        read_captions, text_encoder.config.hidden_size,
        order.work / "unet.pt", order.device, order.shortened(unet.PLAN),
    )


def train_judges(order: Order):
    """Train, or read from finished checkpoints, the judges."""
    return judges.train_judges(
        load_pictures(order.work / "judges", order.judged),
        load_captioned(order), order.size, order.work, order.device,
        {name: order.shortened(plan) for name, plan in judges.PLANS.items()},
    )


def write_models(order: Order) -> None:
    """Write the trained models as open_clip and diffusers read them."""
    pictures = load_captioned(order)
    trained_clip = train_clip(order, pictures)
    trained_vae = train_vae(order, pictures)
    latents = cache_latents(order, pictures)
    trained_vae.register_to_config(
        scaling_factor=round(latents["scaling_factor"], 5)
    )
    save_clip(trained_clip, clip.clip_config(order.size),
              order.target / "clip")
    save_pipeline(trained_clip, trained_vae, train_unet(order),
                  order.target / "stable-diffusion")
    save_judges(train_judges(order), order.target / "judges")
    write_concepts(order.target.parent / "concepts")
    print(f"The models are in {order.target}")


def measure_models(order: Order) -> None:
    """Measure the written models; write the card, and print it.

    A README beside it that has a place for the tables is filled, too.
    """
    folder = order.target
    path = order.card or folder / "card.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = dataclasses.replace(
        pick_profile("tiny"), size=order.size,
        pipeline=str(folder / "stable-diffusion"),
        clip_model=f"local-dir:{folder / 'clip'}",
    )
    found = card.write_card(
        load_models(profile, device=order.device),
        load_judges(folder / "judges"), load_held_out(order), order.drawn,
        path,
    )
    fill_page(path.with_name("README.md"), found)
    print(f"{write_tables(found)}\n\nThe numbers are in {path}")


STAGE_OF: dict[str, Callable[[Order], object]] = {
    "pictures": draw_all, "clip": train_clip, "vae": train_vae,
    "unet": train_unet, "judges": train_judges, "write": write_models,
    "card": measure_models,
}
