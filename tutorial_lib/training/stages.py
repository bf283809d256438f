"""`textual-inversion models`: train the tiny models from nothing.

Every stage keeps its checkpoint in a work folder and resumes where it was
stopped; a stage that is complete is not repeated, and one that needs
another says which to run first.
"""

import dataclasses
from collections.abc import Callable

import open_clip
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from tutorial_lib.errors import CommandError
from tutorial_lib.evaluation import (
    CaptionedImages,
    Judges,
    fill_page,
    format_tables,
    load_evaluations,
    load_judges,
    save_judges,
    write_card,
)
from tutorial_lib.models import load_models
from tutorial_lib.processes import (
    is_main_process,
    start_processes,
    wait_for_all,
)
from tutorial_lib.training import (
    clip,
    dataset,
    decoder,
    enlarging,
    judge_images,
    judges,
    latents,
    unet,
    vae,
)
from tutorial_lib.training.acceleration import (
    choose_memory_format,
    use_fast_kernels,
)
from tutorial_lib.training.background import BackgroundRenderer
from tutorial_lib.training.checkpoints import require_trained
from tutorial_lib.training.export import (
    make_noise_scheduler,
    save_clip,
    save_pipeline,
    text_encoder_from_clip,
)
from tutorial_lib.training.judge_pool import DECODED_SHARE, JudgePool
from tutorial_lib.training.latents import STREAMS
from tutorial_lib.training.options import check_run
from tutorial_lib.training.partial_denoising import PartialDenoiser
from tutorial_lib.training.perceptual_loss import PerceptualLoss
from tutorial_lib.training.sampling import ImagePool, make_source
from tutorial_lib.training.shipped_concepts import write_concepts
from tutorial_lib.training.trained_models import (
    load_clip,
    load_decoder,
    load_unet,
    load_vae,
)
from tutorial_lib.training.training_run import TrainingRun
from tutorial_lib.training.written_models import make_profile, read_size

JUDGES = ("pattern", "person", "attributes")
DECODED_ON_CPU = 0.1  # of the judges' images: a core decodes three a second
HELD_OUT = ("held-out", "held-out")
NUM_FIRST_SHARDS = 3  # of each, with which a training that has a time begins

# --- images ----------------------------------------------------------------


def render_all(run: TrainingRun) -> None:
    """Render the images that all models learn from."""
    if is_main_process():
        dataset.render_shards(
            run.work_folder,
            dataset.number_shards(run),
            run.size,
            run.workers,
        )
    wait_for_all()


def make_pool(run: TrainingRun) -> ImagePool:
    """Make the pool of images that models learn from.

    In a run that has a time, these are all that there are by then. Raises
    CommandError if images are missing.
    """
    require_images(run, "held-out")
    if run.is_timed:
        return ImagePool(run.work_folder)
    require_images(run, *STREAMS)
    return ImagePool(run.work_folder, dataset.number_shards(run))


def make_held_out_pool(run: TrainingRun) -> ImagePool:
    """Make the pool of the images that nothing is trained on."""
    numbers = dataset.number_shards(run)
    return ImagePool(run.work_folder, {"held-out": numbers["held-out"]})


def require_images(run: TrainingRun, *names: str) -> None:
    """Raise CommandError unless all images of some folders are there."""
    numbers = dataset.number_shards(run)
    wanted = {name: numbers[name] for name in names}
    missing = dataset.list_tasks(run.work_folder, wanted, run.size)
    if missing:
        raise CommandError(
            f"{len(missing)} shards of images are missing, '{missing[0][0]}' "
            f"for one; run `textual-inversion models pictures` first."
        )


def load_held_out(run: TrainingRun) -> CaptionedImages:
    """Load the 1,000 captioned images that nothing was trained on.

    They are rendered first if need be: measuring needs no others.
    """
    numbers = dataset.number_shards(run)["held-out"]
    dataset.render_shards(
        run.work_folder, {"held-out": numbers}, run.size, run.workers
    )
    return dataset.load_images(run.work_folder / "held-out", numbers)


# --- models ----------------------------------------------------------------


def train_clip(run: TrainingRun) -> open_clip.CLIP:
    """Train the CLIP, or load it from a finished checkpoint.

    In a run that has a time, images are encoded for the U-Net meanwhile.
    """
    config, pool = run.read_config("clip"), make_pool(run)
    on_step = None
    if run.is_timed and (run.work_folder / "vae.pt").exists():
        on_step = make_encoder(run, pool).encode_next
    return clip.train_clip(
        clip.make_source(pool, config.wearers),
        run.work_folder / "clip.pt",
        run.device,
        config,
        clip.make_source(make_held_out_pool(run), names=HELD_OUT),
        on_step,
    )


def train_vae(run: TrainingRun) -> AutoencoderKL:
    """Train the VAE, or load it from a finished checkpoint."""
    config = run.read_config("vae")
    return vae.train_vae(
        make_source(make_pool(run), vae.COLUMNS, config.wearers),
        run.size,
        run.work_folder / "vae.pt",
        run.device,
        config,
        make_source(make_held_out_pool(run), vae.COLUMNS, names=HELD_OUT),
    )


def train_decoder(run: TrainingRun) -> AutoencoderKL:
    """Train the VAE's decoder on, or load the VAE with a finished one.

    CLIP's first layers compare its images, and the U-Net makes some of the
    latents that it decodes.
    """
    config, pool = run.read_config("decoder"), make_pool(run)
    trained_vae, trained_clip = load_vae(run), load_clip(run).to(run.device)
    trained_unet = load_unet(run, trained_clip.transformer.width)
    denoiser = PartialDenoiser(
        trained_unet.to(run.device),
        text_encoder_from_clip(trained_clip).to(run.device),
        make_noise_scheduler(),
        latents.compute_scaling_factor(ImagePool(pool.folder / "latents")),
    )
    return decoder.train_decoder(
        trained_vae,
        PerceptualLoss(trained_clip),
        denoiser,
        make_source(pool, decoder.COLUMNS, config.wearers),
        run.work_folder / "decoder.pt",
        config,
        make_source(make_held_out_pool(run), decoder.COLUMNS, names=HELD_OUT),
    )


def make_encoder(
    run: TrainingRun, pool: ImagePool, num_kept: int | None = None
) -> latents.LatentEncoder:
    """Make what encodes a pool's images with the trained VAE."""
    return latents.LatentEncoder(load_vae(run), pool, run.device, num_kept)


def train_unet(run: TrainingRun) -> UNet2DConditionModel:
    """Train the U-Net, or load it from a finished checkpoint.

    All images are encoded first. In a run that has a time, a few are, and
    the others follow between the steps, as they arrive; of their images,
    only those up to the last that the judges learn from are kept.
    """
    config = run.read_config("unet")
    text_encoder = text_encoder_from_clip(load_clip(run)).to(run.device)
    held_out = make_encoder(run, make_held_out_pool(run))
    held_out.encode_all(HELD_OUT[:1])
    kept = max(dataset.number_shards(run)["captioned"]) + 1
    encoder = make_encoder(run, make_pool(run), kept if run.is_timed else None)
    encoder.encode_all(STREAMS, NUM_FIRST_SHARDS if run.is_timed else None)
    torch.manual_seed(config.seed)
    model = unet.make_unet(text_encoder.config.hidden_size).to(
        run.device, memory_format=choose_memory_format(run.device)
    )
    return unet.train_unet(
        model,
        text_encoder,
        latents.compute_scaling_factor(encoder.latents),
        make_source(encoder.latents, unet.COLUMNS, config.wearers),
        run.work_folder / "unet.pt",
        config,
        make_source(held_out.latents, unet.COLUMNS, names=HELD_OUT),
        encoder.encode_next if run.is_timed else None,
    )


def train_judges(run: TrainingRun) -> Judges:
    """Train the judges, or load them if they were trained before.

    They are shown images that the VAE decoded, too, and so it comes first.
    """
    trained = run.work_folder / "trained-judges"
    if (trained / "judges.json").exists():
        return load_judges(trained, run.device)
    on_cpu = run.device == "cpu"
    trained_vae = load_decoder(run).to(
        run.device, torch.float32 if on_cpu else torch.bfloat16
    )
    shards = run.work_folder / "judges"
    count = judge_images.check_shards(
        shards,
        len(dataset.number_shards(run)["judges"]) * judge_images.SHARD_SIZE,
    )
    pool = JudgePool(
        shards,
        count,
        run.size,
        run.device,
        trained_vae,
        DECODED_ON_CPU if on_cpu else DECODED_SHARE,
    )
    configs = {name: run.read_config(f"judge-{name}") for name in JUDGES}
    finished = judges.train_judges(pool, run.work_folder, configs)
    if is_main_process():
        save_judges(finished, trained)
    wait_for_all()
    return finished


def enlarge_vae(run: TrainingRun) -> None:
    """Train a VAE for larger images that keeps the written models' latents.

    It is written to the work folder. Raises CommandError unless the run's
    images are twice as large as those of the models.
    """
    size = read_size(run)
    if run.size != 2 * size:
        raise CommandError(
            f"The models in '{run.target}' make images of {size} pixels, and "
            f"a larger VAE for them ones of {2 * size}, not {run.size}; give "
            f"that as --size, or name smaller models as --target."
        )
    enlarging.enlarge_vae(
        load_models(make_profile(run, size), run.device),
        make_source(make_pool(run), decoder.COLUMNS),
        run.read_config("larger-vae"),
        run.work_folder / "larger-vae",
    )


# --- results ---------------------------------------------------------------


def write_models(run: TrainingRun) -> None:
    """Write the trained models as open_clip and diffusers load them."""
    for name in JUDGES:
        require_trained(run.work_folder / f"judge-{name}.pt", "judges")
    trained_clip, trained_vae = load_clip(run), load_decoder(run)
    trained_unet = load_unet(run, trained_clip.transformer.width)
    trained_judges = train_judges(run)
    if is_main_process():
        pool = ImagePool(run.work_folder / "latents")
        trained_vae.register_to_config(
            scaling_factor=latents.compute_scaling_factor(pool)
        )
        save_clip(trained_clip, clip.clip_config(), run.target / "clip")
        save_pipeline(
            trained_clip,
            trained_vae,
            trained_unet,
            run.target / "stable-diffusion",
        )
        save_judges(trained_judges, run.target / "judges")
        write_concepts(run.target.parent / "concepts")
        print(f"The models are in {run.target}")
    wait_for_all()


def measure_models(run: TrainingRun) -> None:
    """Measure the written models, of any size; write and print the card.

    A README beside the card that has a place for the tables is filled, too.
    """
    if not is_main_process():
        return
    path = run.card or run.target / "card.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    run = dataclasses.replace(run, size=read_size(run))
    card = write_card(
        load_models(make_profile(run, run.size), device=run.device),
        load_judges(run.target / "judges"),
        load_held_out(run),
        max(2, round(run.num_captions * run.share)),
        path,
    )
    evaluations = load_evaluations(run.target.parent / "evaluation")
    fill_page(path.with_name("README.md"), card, evaluations)
    print(f"{format_tables(card)}\n\nThe numbers are in {path}")


# --- in order --------------------------------------------------------------

STAGES: dict[str, Callable[[TrainingRun], object]] = {
    "pictures": render_all,
    "vae": train_vae,
    "clip": train_clip,
    "unet": train_unet,
    "decoder": train_decoder,
    "judges": train_judges,
    "write": write_models,
    "card": measure_models,
}
# A stage that "all" leaves out: it starts from models that are written.
LARGER_VAE = "larger-vae"


def run_stages(stage: str, run: TrainingRun) -> None:
    """Run one of STAGES, LARGER_VAE, or "all" STAGES in order.

    Raises CommandError for options that nothing can be trained with.
    """
    check_run(run)
    start_processes(run.device)
    use_fast_kernels(run.device)
    if stage == LARGER_VAE:
        enlarge_vae(run)
    elif stage != "all":
        STAGES[stage](run)
    elif run.is_timed and is_main_process():
        run_beside_rendering(run)
    else:
        for run_stage in STAGES.values():
            run_stage(run)


def run_beside_rendering(run: TrainingRun) -> None:
    """Run all stages while other processes render images for them.

    A training begins with the first few shards, and goes on with what has
    been rendered by then. Rendering ends when the U-Net is trained.
    """
    numbers = dataset.number_shards(run)
    first = {name: numbers[name][:NUM_FIRST_SHARDS] for name in STREAMS}
    with BackgroundRenderer(run) as renderer:
        renderer.wait_for({"held-out": numbers["held-out"], **first})
        for name in ("vae", "clip", "unet"):
            STAGES[name](run)
        renderer.wait_for(numbers)
    for name in ("decoder", "judges", "write", "card"):
        STAGES[name](run)
