"""How fast the library generates and learns, beside plain diffusers.

    python benchmarks/speed.py

Machines are noisy, so each of our turns is followed at once by one of
theirs, and what counts is the ratio of the medians.
"""

import statistics
import time
from collections.abc import Callable

import torch
from diffusers import DDPMScheduler, StableDiffusionPipeline
from PIL import Image
from torch.nn import functional
from torchvision.transforms.functional import pil_to_tensor
from tqdm.auto import tqdm

from tutorial_lib import generate, load_concept, load_models
from tutorial_lib.generation import make_sampling_scheduler
from tutorial_lib.inversion import DenoisingLoss
from tutorial_lib.kinds import KINDS
from tutorial_lib.models import Models, load_pipeline
from tutorial_lib.words import initialize_word

ROUNDS = 7
PROMPT = "A T-shirt in the style of pattern"
TEMPLATES = KINDS["pattern"].templates


def compare(
    title: str, ours: Callable[[], object], theirs: Callable[[], object]
) -> None:
    """Take turns; print the medians in seconds and their ratio."""
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    ours(), theirs()  # a first turn fills caches
    for _ in tqdm(range(ROUNDS), desc=title, leave=False):
        for name, turn in (("ours", ours), ("theirs", theirs)):
            start = time.perf_counter()
            turn()
            seconds[name].append(time.perf_counter() - start)
    mine, other = map(statistics.median, seconds.values())
    print(
        f"{title}: {mine:.2f} s, plain diffusers {other:.2f} s, "
        f"{other / mine:.2f} times as fast"
    )


def compare_generating(models: Models) -> None:
    """Generate four images, with the same steps and guidance."""
    profile = models.profile
    plain = load_pipeline(profile, models.device)
    plain.scheduler = make_sampling_scheduler(plain.scheduler.config)

    def theirs() -> None:
        """Let the pipeline generate, as its documentation shows."""
        plain(
            PROMPT,
            num_images_per_prompt=4,
            num_inference_steps=profile.num_inference_steps,
            guidance_scale=profile.guidance_scale,
        )

    compare(
        "four images",
        lambda: generate(models, PROMPT, count=4, progress=False),
        theirs,
    )


def compare_learning(models: Models, images: list[Image.Image]) -> None:
    """Take a step of the paper's recipe, with batches of the same size."""
    word = initialize_word(models, "X", "pattern", num_vectors=1)
    word.vectors.requires_grad_()
    denoising = DenoisingLoss(models, images, TEMPLATES, word, progress=False)
    optimizer = torch.optim.Adam([word.vectors], lr=1e-9)
    generator = torch.Generator().manual_seed(0)

    def ours() -> None:
        """Take one step of the library's loop."""
        optimizer.zero_grad()
        denoising.compute(generator).backward()
        optimizer.step()

    theirs = PlainTrainer(models, images).take_step
    compare("a step of learning", ours, theirs)


class PlainTrainer:
    """A learning step as in diffusers' examples/textual_inversion.

    There the vocabulary is made one row longer, the optimizer holds the
    whole table, the VAE encodes the images again at each step, each
    caption of a batch is encoded, and all other rows are put back.
    """

    def __init__(self, models: Models, images: list[Image.Image]) -> None:
        self.batch_size = models.profile.batch_size
        self.plain = load_pipeline(models.profile, models.device)
        self.table = lengthen_table(self.plain)
        self.original = self.table.detach().clone()
        self.optimizer = torch.optim.AdamW([self.table], lr=1e-9)
        self.noise_scheduler = DDPMScheduler.from_config(
            self.plain.scheduler.config
        )
        texts = [template.format("<x>") for template in TEMPLATES]
        self.token_ids = self.plain.tokenizer(
            texts, padding="max_length", return_tensors="pt"
        ).input_ids.to(models.device)
        size = (models.profile.size, models.profile.size)
        self.pixels = torch.stack(
            [
                pil_to_tensor(image.resize(size)).float() / 127.5 - 1
                for image in images
            ]
        ).to(models.device)

    def take_step(self) -> None:
        """Take one step."""
        plain, count = self.plain, self.batch_size
        chosen = torch.randint(len(self.pixels), (count,))
        latents = plain.vae.encode(self.pixels[chosen]).latent_dist.sample()
        latents = latents.detach() * plain.vae.config.scaling_factor
        noise = torch.randn_like(latents)
        timesteps = torch.randint(1000, (count,), device=latents.device)
        noisy_latents = self.noise_scheduler.add_noise(
            latents, noise, timesteps
        )
        texts = torch.randint(len(self.token_ids), (count,))
        prompt_embeds = plain.text_encoder(self.token_ids[texts])[0]
        noise_pred = plain.unet(noisy_latents, timesteps, prompt_embeds).sample
        functional.mse_loss(noise_pred, noise).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        with torch.no_grad():
            self.table[:-1] = self.original[:-1]


def lengthen_table(plain: StableDiffusionPipeline) -> torch.nn.Parameter:
    """Add a row for <x>; freeze all but the table, which is returned."""
    plain.tokenizer.add_tokens("<x>")
    plain.text_encoder.resize_token_embeddings(
        len(plain.tokenizer), mean_resizing=False
    )
    for part in (plain.vae, plain.unet, plain.text_encoder):
        part.requires_grad_(False)
    return plain.text_encoder.get_input_embeddings().weight.requires_grad_()


def main() -> None:
    """Compare on the profile that TUTORIAL_MODEL names."""
    models = load_models()
    print(
        f"{models.profile.name}, {models.device}, torch "
        f"{torch.__version__}, {torch.get_num_threads()} threads"
    )
    compare_generating(models)
    compare_learning(models, load_concept("tshirt").images)


if __name__ == "__main__":
    main()
