"""The two losses that X is learned with.

The article's recipe asks CLIP how similar texts with X are to the
pictures; the paper's asks the generator how well X helps it to take the
noise out of them.
"""

import torch
from diffusers import DDPMScheduler
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor
from tqdm.auto import tqdm

from tutorial_lib.drawing import encode_condition_ids
from tutorial_lib.models import use_autocast, use_short_attention
from tutorial_lib.placeholder import encode_prompts
from tutorial_lib.similarity import embed_pictures, encode_text_ids
from tutorial_lib.timesteps import pick_timesteps, weigh_timesteps
from tutorial_lib.words import WordError

# What the pictures show, with a gap for the word, for each kind.
TEMPLATES = {
    "pattern": (
        "a photo of a T-shirt in the style of {}",
        "a T-shirt with {}",
        "an anime illustration of a T-shirt in the style of {}",
    ),
    "person": (
        "a photo of {}",
        "a photograph of {}",
        "a picture of {}",
    ),
}
EVALUATION_SEED = 20_220_802  # the day the paper appeared


def fill_templates(templates, word):
    """Put a word into the gap of each template; returns a list of texts.

    Raises WordError for a template without the gap {}.
    """
    for template in templates:
        if "{}" not in template:
            raise WordError(
                f'The template "{template}" has no gap for the word; write '
                '{} there, as in "a photo of {}".'
            )
    return [template.replace("{}", word) for template in templates]


class SimilarityRecipe:
    """The article's recipe: texts with X shall resemble the pictures.

    `word` is a LearnedWord whose vectors ask for a gradient. The
    pictures' CLIP vectors are computed once. Source: steps 1 to 3 of
    the article. Taught in notebooks/03_learn_x_by_similarity.ipynb.
    """

    name = "similarity"

    def __init__(self, models, pictures, templates, word):
        self.models = models
        self.word = word
        self.pictures = embed_pictures(models, pictures)  # (n, d)
        self.ids = encode_prompts(
            models.clip_tokenizer,
            fill_templates(templates, word.word),
            words=[word],
            context_length=models.clip.context_length,
        )

    def measure(self):
        """Return the mean cosine similarity of all texts and pictures."""
        texts = encode_text_ids(self.models, self.ids, words=[self.word])
        return (texts @ self.pictures.T).mean()

    def loss(self, generator):
        """Return one minus the mean similarity, a scalar with a gradient.

        Nothing here is left to chance: the generator is not used.
        """
        return 1 - self.measure()

    @torch.no_grad()
    def evaluate(self):
        """Return one minus the mean similarity, as a number."""
        return 1 - self.measure().item()


class DenoisingRecipe:
    """The paper's recipe: X shall help to take noise out of the pictures.

    `word` is a LearnedWord whose vectors ask for a gradient. What the
    VAE makes of the pictures (a mean and a deviation for each latent, of
    each picture and, if the profile says so, its mirror image) is
    computed once; a fresh sample is drawn from it at each step. Source:
    Gal et al. (2022), An Image is Worth One Word, section 3, equation 2;
    with the profile's `middle_timesteps` not all timesteps count alike.
    Taught in notebooks/05_textual_inversion.ipynb.
    """

    name = "denoising"

    def __init__(
        self,
        models,
        pictures,
        templates,
        word,
        batch_size=None,
        autocast=None,
        progress=True,
    ):
        self.models = models
        self.word = word
        self.autocast = autocast
        self.batch_size = batch_size or models.profile.batch_size
        self.schedule = DDPMScheduler.from_config(
            models.pipeline.scheduler.config
        )
        self.mean, self.deviation = encode_latents(
            models, pictures, progress=progress
        )
        self.ids = encode_prompts(
            models.pipeline.tokenizer,
            fill_templates(templates, word.word),
            words=[word],
        )
        weights = choose_weights(models.profile, self.schedule)
        self.weights = weights.to(models.device)
        chance = torch.Generator().manual_seed(EVALUATION_SEED)
        self.fixed = [self.pick_batch(chance), self.pick_batch(chance)]

    def pick_batch(self, generator):
        """Pick pictures, templates, timesteps and noise for one step.

        Returns the latents (batch, channels, height, width), the noise
        of the same shape, the timesteps (batch,) and the numbers of the
        templates (batch,). See `pick_timesteps`.
        """
        size = self.batch_size
        device = self.models.device
        which = torch.randint(len(self.mean), (size,), generator=generator)
        shape = (size, *self.mean.shape[1:])
        spread = torch.randn(shape, generator=generator).to(device)
        scale = self.models.pipeline.vae.config.scaling_factor
        latents = self.mean[which] + self.deviation[which] * spread
        noise = torch.randn(shape, generator=generator).to(device)
        middle = self.models.profile.middle_timesteps
        times = pick_timesteps(size, generator, middle)
        texts = torch.randint(len(self.ids), (size,), generator=generator)
        return latents * scale, noise, times.to(device), texts.to(device)

    def measure(self, latents, noise, times, texts):
        """Return the mean squared error of the predicted noise, weighted."""
        noisy = self.schedule.add_noise(latents, noise, times)
        unet = self.models.pipeline.unet
        # Each template is encoded once, however often it was picked.
        conditions = encode_condition_ids(
            self.models, self.ids, words=[self.word]
        )
        precision = use_autocast(self.models.device, autocast=self.autocast)
        with precision, use_short_attention(self.models):
            # Unlike `conditions[texts]`, the backward of `index_select` adds
            # in a fixed order: the same bits on any number of threads.
            states = conditions.index_select(0, texts).to(unet.dtype)
            guess = unet(
                noisy.to(unet.dtype), times, encoder_hidden_states=states
            ).sample
        target = noise
        if self.schedule.config.prediction_type == "v_prediction":
            target = self.schedule.get_velocity(latents, noise, times)
        errors = (guess.float() - target).square().mean((1, 2, 3))
        return (self.weights[times] * errors).mean()

    def loss(self, generator):
        """Return the error on a fresh batch, a scalar with a gradient."""
        return self.measure(*self.pick_batch(generator))

    @torch.no_grad()
    def evaluate(self):
        """Return the error on a batch that is always the same one.

        Pictures, noise and timesteps are fixed, so that two numbers can
        be compared: the loss itself jumps about too much to show
        progress (DVAR, Voronov et al., 2023).
        """
        errors = [self.measure(*batch).item() for batch in self.fixed]
        return sum(errors) / len(errors)


def choose_weights(profile, schedule):
    """Return what an error counts at each timestep (1000,): 1 in the paper."""
    if profile.middle_timesteps is None:
        return torch.ones(schedule.config.num_train_timesteps)
    return weigh_timesteps(schedule.alphas_cumprod)


@torch.no_grad()
def encode_latents(models, pictures, progress=True):
    """Let the VAE describe pictures, and mirror images if wanted.

    Returns the means and the deviations of the latents, each
    (num_pictures, channels, height, width) float32, unscaled; with the
    profile's `mirror`, two rows for each picture.
    """
    vae = models.pipeline.vae
    size = models.profile.size
    means, deviations = [], []
    for picture in tqdm(
        pictures,
        desc="Encoding the pictures",
        unit="picture",
        disable=not progress,
        delay=2,
        leave=False,
    ):
        picture = picture.convert("RGB")
        if picture.size != (size, size):
            picture = picture.resize((size, size), Image.Resampling.LANCZOS)
        pixels = pil_to_tensor(picture).float()[None] / 127.5 - 1
        if models.profile.mirror:
            pixels = torch.cat([pixels, pixels.flip(-1)])
        found = vae.encode(pixels.to(models.device, vae.dtype)).latent_dist
        means.append(found.mean.float())
        deviations.append(found.std.float())
    return torch.cat(means), torch.cat(deviations)
