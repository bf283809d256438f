"""The two losses that X is learned with.

The article's asks CLIP how similar texts with X are to the pictures; the
paper's asks the generator how well X helps it to remove noise from them.
"""

import copy
from collections.abc import Iterator, Sequence

import torch
from diffusers import DDPMScheduler
from jaxtyping import Float, Int
from torch import Tensor

from tutorial_lib.devices import (
    copy_to_device,
    draw_on_cpu,
    measure_free_bytes,
    use_autocast,
)
from tutorial_lib.generation import (
    embed_images,
    embed_token_ids,
    encode_distributions,
    encode_token_ids,
)
from tutorial_lib.images import Images
from tutorial_lib.inversion.cuda_graphs import ComputeLoss, record_loss
from tutorial_lib.inversion.processes import pick_rows
from tutorial_lib.inversion.step_plans import (
    StepPlan,
    choose_plan,
    describe_plan,
    explain_full_memory,
    list_plans,
)
from tutorial_lib.inversion.templates import fill_templates
from tutorial_lib.inversion.timesteps import (
    make_target,
    make_timestep_weights,
    sample_timesteps,
)
from tutorial_lib.models import (
    Models,
    use_gradient_checkpointing,
    use_short_attention,
)
from tutorial_lib.processes import count_processes
from tutorial_lib.words import (
    LearnedWord,
    tokenize_prompts,
)

EVALUATION_SEED = 20_220_802  # the day the paper appeared
Batch = tuple[
    Float[Tensor, "batch channels height width"],  # latents
    Float[Tensor, "batch channels height width"],  # noise
    Int[Tensor, " batch"],  # timesteps
    Int[Tensor, " batch"],  # which template
]


class SimilarityLoss:
    """The article's loss: texts with X should be similar to the pictures.

    `word` is a LearnedWord whose vectors require a gradient (of two text
    encoders CLIP is the first, and `vectors_2` gets none). The images'
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
        ).to(models.device)
        self.replay: ComputeLoss | None = None

    def record(self) -> None:
        """Record the measure as a CUDA graph, if there is memory for it."""
        vectors = self.word.vectors.detach().to(self.models.device).clone()
        examples = (vectors.requires_grad_(True),)
        try:
            self.replay = record_loss(self._measure_with, examples)
        except torch.cuda.OutOfMemoryError:
            self.replay = None  # as it comes it takes less

    def measure_similarity(self) -> Float[Tensor, ""]:
        """Return the mean cosine similarity of all texts and images."""
        if self.replay:
            return self.replay(self.word.vectors.to(self.models.device))
        return self._measure_with(self.word.vectors)

    def _measure_with(
        self, vectors: Float[Tensor, "num_vectors width"]
    ) -> Float[Tensor, ""]:
        """Return the similarity, with these vectors as the word's."""
        word = exchange_vectors(self.word, vectors, self.word.vectors_2)
        text_embeds = embed_token_ids(
            self.models, self.token_ids, words=[word]
        )
        return (text_embeds @ self.image_embeds.T).mean()

    def compute(self, generator: torch.Generator) -> Float[Tensor, ""]:
        """Return one minus the mean similarity, with a gradient.

        Nothing here is random: the generator is not used.
        """
        return 1 - self.measure_similarity()

    def compute_parts(
        self, generator: torch.Generator
    ) -> Iterator[Float[Tensor, ""]]:
        """Yield the loss; it has no parts."""
        yield self.compute(generator)

    def save_memory(self) -> str:
        """Raise WordError: there is nothing that could take less memory."""
        raise explain_full_memory(StepPlan(1, gradient_checkpointing=False))

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
    `middle_timesteps` not all timesteps count alike. For the settings from
    `autocast` on see TrainingConfig. One of several processes has its `rows`
    of each batch, and the mean of their losses is that of the batch. Taught
    in notebooks/05_textual_inversion.ipynb.
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
        micro_batch_size: int | None = None,
        gradient_checkpointing: bool | None = None,
        compile: bool = False,
    ) -> None:
        self.models = models
        self.word = word
        self.autocast = autocast
        self.batch_size = batch_size or models.profile.batch_size
        self.rows = pick_rows(self.batch_size)
        self.num_rows = self.rows.stop - self.rows.start
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
        ).to(models.device)
        weights = make_timestep_weights(models.profile, self.noise_scheduler)
        self.weights = weights.to(models.device)
        generator = torch.Generator().manual_seed(EVALUATION_SEED)
        self.evaluation_batches = [
            self.sample_batch(generator),
            self.sample_batch(generator),
        ]
        unet = models.pipeline.unet
        self.unet = torch.compile(unet) if compile else unet
        self.plans = list_plans(
            self.num_rows, micro_batch_size, gradient_checkpointing
        )
        area = self.mean.shape[-2] * self.mean.shape[-1]
        free_bytes = measure_free_bytes(models.device)
        self.plan_number = choose_plan(self.plans, unet, area, free_bytes)
        self.replay: ComputeLoss | None = None

    @property
    def plan(self) -> StepPlan:
        """How much of a step is in memory at once."""
        return self.plans[self.plan_number]

    def save_memory(self) -> str:
        """Go over to the next plan, which takes less memory, and name it.

        What was recorded is forgotten. Raises WordError if there is none.
        """
        if self.plan_number == len(self.plans) - 1:
            raise explain_full_memory(self.plan)
        self.plan_number += 1
        self.replay = None
        return describe_plan(self.plan, self.num_rows)

    def record(self) -> None:
        """Record the step as a CUDA graph; `compute_on` then replays it."""
        size, device = self.plan.micro_batch_size, self.models.device
        batch = (part[:size].clone() for part in self.evaluation_batches[0])
        vectors, *second = (
            tensor.detach().to(device, copy=True).requires_grad_()
            for tensor in self.word.tensors
        )
        examples = (vectors, *batch, *second)
        self.replay = record_loss(self._compute_with, examples)

    def sample_batch(self, generator: torch.Generator) -> Batch:
        """Sample latents, noise, timesteps and templates for one step.

        All processes draw the same batch, and each keeps its rows.
        """
        size, rows = self.batch_size, self.rows
        device = self.models.device
        which = torch.randint(len(self.mean), (size,), generator=generator)
        which = copy_to_device(which, device)
        shape = (size, *self.mean.shape[1:])
        unit = draw_on_cpu(shape, generator, device)
        scale = self.models.pipeline.vae.config.scaling_factor
        latents = scale * (self.mean[which] + self.std[which] * unit)
        noise = draw_on_cpu(shape, generator, device)
        middle = self.models.profile.middle_timesteps
        timesteps = sample_timesteps(size, generator, middle)
        texts = torch.randint(
            len(self.token_ids), (size,), generator=generator
        )
        return (
            latents[rows],
            noise[rows],
            copy_to_device(timesteps[rows], device),
            copy_to_device(texts[rows], device),
        )

    def predict(
        self,
        noisy_latents: Float[Tensor, "batch channels height width"],
        timesteps: Int[Tensor, " batch"],
        texts: Int[Tensor, " batch"],
        word: LearnedWord | None = None,
    ) -> Float[Tensor, "batch channels height width"]:
        """Let the U-Net predict, from noisy latents and texts with X.

        `word` is X, by default the loss's own.
        """
        models, dtype = self.models, self.models.pipeline.unet.dtype
        precision = use_autocast(models.device, self.autocast, dtype)
        checkpointing = use_gradient_checkpointing(
            models, self.plan.gradient_checkpointing
        )
        prompt_embeds = self._encode_texts(texts, word or self.word)
        with precision, use_short_attention(models), checkpointing:
            return self.unet(
                noisy_latents.to(dtype),
                timesteps,
                encoder_hidden_states=prompt_embeds.to(dtype),
            ).sample.float()

    def _encode_texts(
        self, texts: Int[Tensor, " batch"], word: LearnedWord
    ) -> Float[Tensor, "batch tokens width"]:
        """Encode the templates of a batch, each of them at most once."""
        if texts.is_cuda and len(texts) < len(self.token_ids):
            # (On the CPU other batches would change the last bits.)
            chosen = self.token_ids.index_select(0, texts)
            return encode_token_ids(self.models, chosen, words=[word])
        # Each template is encoded once, however often it was sampled.
        prompt_embeds = encode_token_ids(
            self.models, self.token_ids, words=[word]
        )
        # Unlike `prompt_embeds[texts]`, the backward of `index_select` adds
        # in a fixed order: the same bits on any number of threads.
        return prompt_embeds.index_select(0, texts)

    def compute_on(
        self,
        latents: Float[Tensor, "batch channels height width"],
        noise: Float[Tensor, "batch channels height width"],
        timesteps: Int[Tensor, " batch"],
        texts: Int[Tensor, " batch"],
    ) -> Float[Tensor, ""]:
        """Return the weighted mean squared error on a batch."""
        tensors, compute = self.word.tensors, self._compute_with
        if self.replay and len(latents) == self.plan.micro_batch_size:
            tensors = [vectors.to(self.models.device) for vectors in tensors]
            compute = self.replay
        vectors, *second = tensors  # perhaps for a second text encoder
        return compute(vectors, latents, noise, timesteps, texts, *second)

    def _compute_with(
        self,
        vectors: Float[Tensor, "num_vectors width"],
        latents: Float[Tensor, "batch channels height width"],
        noise: Float[Tensor, "batch channels height width"],
        timesteps: Int[Tensor, " batch"],
        texts: Int[Tensor, " batch"],
        vectors_2: Float[Tensor, "num_vectors width_2"] | None = None,
    ) -> Float[Tensor, ""]:
        """Return the error on a batch, with these vectors as the word's."""
        word = exchange_vectors(self.word, vectors, vectors_2)
        noise_scheduler = self.noise_scheduler
        noisy_latents = noise_scheduler.add_noise(latents, noise, timesteps)
        prediction = self.predict(noisy_latents, timesteps, texts, word)
        target = make_target(noise_scheduler, latents, noise, timesteps)
        errors = (prediction - target).square().mean((1, 2, 3))
        return (self.weights[timesteps] * errors).mean()

    def compute(self, generator: torch.Generator) -> Float[Tensor, ""]:
        """Return the loss on a fresh batch, with a gradient."""
        return self.compute_on(*self.sample_batch(generator))

    def compute_parts(
        self, generator: torch.Generator
    ) -> Iterator[Float[Tensor, ""]]:
        """Yield the loss on a fresh batch in parts that add up to it.

        Each part's gradient has to be computed before the next part.
        """
        size = self.plan.micro_batch_size
        if size == self.batch_size:
            yield self.compute(generator)
            return
        batch = self.sample_batch(generator)
        for parts in zip(*(part.split(size) for part in batch), strict=True):
            yield self._weigh(len(parts[0])) * self.compute_on(*parts)

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
        return self._weigh(self.num_rows) * sum(losses) / len(losses)

    def _weigh(self, num_rows: int) -> float:
        """Return what the loss on some rows counts in the mean of all."""
        return count_processes() * num_rows / self.batch_size


def exchange_vectors(
    word: LearnedWord,
    vectors: Float[Tensor, "num_vectors width"],
    vectors_2: Float[Tensor, "num_vectors width_2"] | None = None,
) -> LearnedWord:
    """Return a word with other vectors, unchecked: a check would read them.

    The program would have to wait for the GPU.
    """
    word = copy.copy(word)
    word.vectors, word.vectors_2 = vectors, vectors_2
    return word
