"""The two losses that X is learned with.

The article's asks CLIP how similar texts with X are to the pictures; the
paper's asks the generator how well X helps it to remove noise from them.
"""

from collections.abc import Sequence

import torch
from diffusers import DDPMScheduler
from jaxtyping import Float, Int
from torch import Tensor

from tutorial_lib.arguments import read_texts
from tutorial_lib.errors import WordError
from tutorial_lib.generation import (
    embed_images,
    embed_token_ids,
    encode_distributions,
    encode_token_ids,
)
from tutorial_lib.images import Images
from tutorial_lib.inversion.timesteps import (
    compute_timestep_weights,
    sample_timesteps,
)
from tutorial_lib.models import Models, use_autocast, use_short_attention
from tutorial_lib.settings import Profile
from tutorial_lib.words import (
    LearnedWord,
    check_word,
    split_prompt,
    tokenize_prompts,
)

EVALUATION_SEED = 20_220_802  # the day the paper appeared
Batch = tuple[
    Float[Tensor, "batch channels height width"],  # latents
    Float[Tensor, "batch channels height width"],  # noise
    Int[Tensor, " batch"],  # timesteps
    Int[Tensor, " batch"],  # which template
]


def fill_templates(templates: str | Sequence[str], word: str) -> list[str]:
    """Put a word into the gap of each template.

    Raises WordError for a template without the gap {}, and for one in which
    the word would not stand alone ("photo of {}s"): it would be read as
    letters, and nothing be learned.
    """
    word = check_word(word)
    placeholder = LearnedWord(word, torch.zeros(1, 1))
    texts = []
    for template in read_texts(templates, "templates", "a photo of {}"):
        text = template.replace("{}", word)
        given = template.replace("{}", "\n")  # the word may be written out
        num_gaps = template.count("{}")
        num_read = count_word(text, placeholder)
        if not num_gaps:
            raise WordError(
                f'The template "{template}" has no gap for the word; write '
                '{} there, as in "a photo of {}".'
            )
        if num_read - count_word(given, placeholder) < num_gaps:
            raise WordError(
                f'In the template "{template}" the word "{word}" does not '
                f'stand alone: "{text}" would be read as letters, and nothing '
                'be learned; put a space beside {}, as in "a photo of {}".'
            )
        texts.append(text)
    return texts


def count_word(text: str, word: LearnedWord) -> int:
    """Return how often a word stands alone in a text."""
    return len(split_prompt(text, [word])) // 2


class SimilarityLoss:
    """The article's loss: texts with X should be similar to the pictures.

    `word` is a LearnedWord whose vectors require a gradient. The images'
    CLIP embeddings are computed once. Source: steps 1 to 3 of the article.
    Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """

    def __init__(
        self,
        models: Models,
        images: Images,
        templates: Sequence[str],
        word: LearnedWord,
    ) -> None:
        self.models = models
        self.word = word
        self.image_embeds = embed_images(models, images)
        self.token_ids = tokenize_prompts(
            models.clip_tokenizer,
            fill_templates(templates, word.word),
            words=[word],
            context_length=models.clip.context_length,
        )

    def measure_similarity(self) -> Float[Tensor, ""]:
        """Return the mean cosine similarity of all texts and images."""
        text_embeds = embed_token_ids(
            self.models, self.token_ids, words=[self.word]
        )
        return (text_embeds @ self.image_embeds.T).mean()

    def compute(self, generator: torch.Generator) -> Float[Tensor, ""]:
        """Return one minus the mean similarity, with a gradient.

        Nothing here is random: the generator is not used.
        """
        return 1 - self.measure_similarity()

    @torch.no_grad()
    def evaluate(self) -> float:
        """Return one minus the mean similarity, as a number."""
        return 1 - self.measure_similarity().item()


class DenoisingLoss:
    """The paper's loss: X should help to remove noise from the pictures.

    `word` is a LearnedWord whose vectors require a gradient. What the VAE
    makes of the images (a mean and a std for each latent, of each image and,
    if the profile says so, its mirror image) is computed once; a fresh sample
    is drawn from it at each step. Source: Gal et al. (2022), An Image is
    Worth One Word, section 3, equation 2; with the profile's
    `middle_timesteps` not all timesteps count alike. Taught in
    notebooks/05_textual_inversion.ipynb.
    """

    def __init__(
        self,
        models: Models,
        images: Images,
        templates: Sequence[str],
        word: LearnedWord,
        batch_size: int | None = None,
        autocast: bool | None = None,
        progress: bool = True,
    ) -> None:
        self.models = models
        self.word = word
        self.autocast = autocast
        self.batch_size = batch_size or models.profile.batch_size
        self.noise_scheduler = DDPMScheduler.from_config(
            models.pipeline.scheduler.config
        )
        self.mean, self.std = encode_distributions(
            models, images, progress=progress
        )
        self.token_ids = tokenize_prompts(
            models.pipeline.tokenizer,
            fill_templates(templates, word.word),
            words=[word],
        )
        weights = make_timestep_weights(models.profile, self.noise_scheduler)
        self.weights = weights.to(models.device)
        generator = torch.Generator().manual_seed(EVALUATION_SEED)
        self.evaluation_batches = [
            self.sample_batch(generator),
            self.sample_batch(generator),
        ]

    def sample_batch(self, generator: torch.Generator) -> Batch:
        """Sample latents, noise, timesteps and templates for one step."""
        size = self.batch_size
        device = self.models.device
        which = torch.randint(len(self.mean), (size,), generator=generator)
        shape = (size, *self.mean.shape[1:])
        unit = torch.randn(shape, generator=generator).to(device)
        scale = self.models.pipeline.vae.config.scaling_factor
        latents = scale * (self.mean[which] + self.std[which] * unit)
        noise = torch.randn(shape, generator=generator).to(device)
        middle = self.models.profile.middle_timesteps
        timesteps = sample_timesteps(size, generator, middle)
        texts = torch.randint(
            len(self.token_ids), (size,), generator=generator
        )
        return latents, noise, timesteps.to(device), texts.to(device)

    def predict(
        self,
        noisy_latents: Float[Tensor, "batch channels height width"],
        timesteps: Int[Tensor, " batch"],
        texts: Int[Tensor, " batch"],
    ) -> Float[Tensor, "batch channels height width"]:
        """Let the U-Net predict, from noisy latents and texts with X."""
        unet = self.models.pipeline.unet
        # Each template is encoded once, however often it was sampled.
        prompt_embeds = encode_token_ids(
            self.models, self.token_ids, words=[self.word]
        )
        # Unlike `prompt_embeds[texts]`, the backward of `index_select` adds
        # in a fixed order: the same bits on any number of threads.
        prompt_embeds = prompt_embeds.index_select(0, texts)
        precision = use_autocast(self.models.device, autocast=self.autocast)
        with precision, use_short_attention(self.models):
            return unet(
                noisy_latents.to(unet.dtype),
                timesteps,
                encoder_hidden_states=prompt_embeds.to(unet.dtype),
            ).sample.float()

    def compute_on(
        self,
        latents: Float[Tensor, "batch channels height width"],
        noise: Float[Tensor, "batch channels height width"],
        timesteps: Int[Tensor, " batch"],
        texts: Int[Tensor, " batch"],
    ) -> Float[Tensor, ""]:
        """Return the weighted mean squared error on a batch."""
        noise_scheduler = self.noise_scheduler
        noisy_latents = noise_scheduler.add_noise(latents, noise, timesteps)
        prediction = self.predict(noisy_latents, timesteps, texts)
        target = noise
        if noise_scheduler.config.prediction_type == "v_prediction":
            target = noise_scheduler.get_velocity(latents, noise, timesteps)
        errors = (prediction - target).square().mean((1, 2, 3))
        return (self.weights[timesteps] * errors).mean()

    def compute(self, generator: torch.Generator) -> Float[Tensor, ""]:
        """Return the loss on a fresh batch, with a gradient."""
        return self.compute_on(*self.sample_batch(generator))

    @torch.no_grad()
    def evaluate(self) -> float:
        """Return the loss on batches that are always the same ones.

        Images, noise and timesteps are fixed, so that two numbers can be
        compared: the loss on a fresh batch jumps about too much to show
        progress (DVAR, Voronov et al., 2023).
        """
        losses = [
            self.compute_on(*batch).item() for batch in self.evaluation_batches
        ]
        return sum(losses) / len(losses)


def make_timestep_weights(
    profile: Profile, noise_scheduler: DDPMScheduler
) -> Float[Tensor, " timesteps"]:
    """Return what an error counts at each timestep: 1 in the paper."""
    if profile.middle_timesteps is None:
        return torch.ones(noise_scheduler.config.num_train_timesteps)
    return compute_timestep_weights(noise_scheduler.alphas_cumprod)
